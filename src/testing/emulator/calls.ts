/** A request as the emulator saw it. It holds no plaintext, no ciphertext and no credential. */
export interface Call {
  readonly action: string
  readonly requestId: string
  readonly keyId?: string
  readonly encryptionContext?: string
  /** `ok`, the API's error code, or the kind of the fault; `pending` until it is answered. */
  readonly result: string
}

const REMEMBERED = 10_000

interface Waiter {
  readonly condition: () => boolean
  readonly resolve: () => void
}

/** Counts requests; remembers the last 10,000. */
export class Calls {
  #counts = new Map<string, number>()
  #log: Call[] = []
  #inFlight = 0
  #maxInFlight = 0
  #connections = 0
  #waiters: Waiter[] = []

  /** Requests since the start or the last `reset()`, of one action or of all. */
  count(action?: string): number {
    if (action !== undefined) return this.#counts.get(action) ?? 0
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0)
  }

  get byAction(): { readonly [action: string]: number } {
    return Object.fromEntries(this.#counts)
  }

  /** Oldest first. */
  get log(): readonly Call[] {
    return this.#log
  }

  /** Requests that are being answered now. */
  get inFlight(): number {
    return this.#inFlight
  }

  get maxInFlight(): number {
    return this.#maxInFlight
  }

  /** TCP connections accepted. */
  get connections(): number {
    return this.#connections
  }

  /** Resolves once `condition` holds; it is looked at whenever a request comes or goes. */
  until(condition: (calls: Calls) => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ condition: () => condition(this), resolve })
      this.#wake()
    })
  }

  reset(): void {
    this.#counts = new Map()
    this.#log = []
    this.#maxInFlight = this.#inFlight
    this.#connections = 0
  }

  /** For the server: a request has come. */
  begin(action: string, requestId: string): { note(change: Partial<Omit<Call, 'action'>>): void; end(): void } {
    const call: Call = { action, requestId, result: 'pending' }
    this.#counts.set(action, this.count(action) + 1)
    this.#log.push(call)
    if (this.#log.length > REMEMBERED) this.#log.shift()
    this.#inFlight += 1
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight)
    this.#wake()
    return { note: (change) => Object.assign(call, change), end: () => this.#end() }
  }

  /** For the server: a connection was accepted. */
  connected(): void {
    this.#connections += 1
  }

  #end(): void {
    this.#inFlight -= 1
    this.#wake()
  }

  #wake(): void {
    const ready = this.#waiters.filter((waiter) => waiter.condition())
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter))
    for (const waiter of ready) waiter.resolve()
  }
}
