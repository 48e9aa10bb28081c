/**
 * When something held in memory is asked for again, and when it must not be used any more. In milliseconds. The two times
 * are there to be compared with, on every use of a key, and changed here alone.
 */
export class Freshness {
  /** Until then it may be used without asking anyone. */
  freshUntil: number
  /** From then on it is to be asked for again, behind its users. */
  renewAt: number
  readonly #since: number
  readonly #ttl: number
  readonly #ceiling: number
  #doubted = false

  constructor({ now, ttl, staleFor }: { readonly now: number; readonly ttl: number; readonly staleFor: number }) {
    this.#since = now
    this.#ttl = ttl
    this.#ceiling = ttl + staleFor
    this.freshUntil = now + ttl
    this.renewAt = this.freshUntil - ttl * renewalLead()
  }

  /** It is being asked for: nobody else need do that. */
  beginRenewal(): void {
    this.renewAt = Number.POSITIVE_INFINITY
  }

  /** Has it asked for again at its next use. */
  renewSoon(): void {
    this.renewAt = Number.NEGATIVE_INFINITY
  }

  /** Has it asked for before it is used again; it may serve on while that cannot be done, and is asked for all the time. */
  doubt(): void {
    this.#doubted = true
    this.freshUntil = Number.NEGATIVE_INFINITY
  }

  /**
   * Lets it serve on for a while, because it could not be asked for. Never beyond its ceiling.
   *
   * @returns whether it may be used
   */
  extend(now: number): boolean {
    const end = this.#since + this.#ceiling
    const extension = Math.min(this.#ttl * EXTENSION, this.#doubted ? DOUBTED_EXTENSION : Number.POSITIVE_INFINITY)
    this.freshUntil = Math.max(this.freshUntil, Math.min(end, now + extension))
    this.renewAt = now + extension * renewalLead() * 2
    return now <= this.freshUntil
  }
}

/** The part of its time for which something serves on before it is asked for again. */
const EXTENSION = 0.2
/** The same at most, in milliseconds, for what may have been destroyed. */
const DOUBTED_EXTENSION = 1_000

/** The last part of its time, in which something used is asked for again: not the same for all that came at once. */
function renewalLead(): number {
  return 0.12 + Math.random() * 0.12
}
