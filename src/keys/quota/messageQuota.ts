import { SingleFlight } from '../cache/singleFlight.js'
import type { KeyStore } from '../keyStore.js'
import { Ledger } from './ledger.js'
import { blockOf, type RotationPolicy } from './rotation.js'

/** Blocks below this are not reserved ahead: the spare could be as large as the need. */
const AHEAD = 1024

export interface ReservationsOptions {
  readonly store: KeyStore
  readonly policy: RotationPolicy
  /** Of how many DEKs it keeps account. */
  readonly max: number
}

/** The messages that this process may still encrypt under each DEK: reserved in the keys table, in blocks, and spent here. */
export class Reservations {
  /** The messages that are reserved at once. */
  readonly block: number
  /** Below it the next block is to be reserved, behind the operation that sees it. */
  readonly low: number
  readonly #ledger: Ledger
  readonly #store: KeyStore
  readonly #maxMessages: number
  readonly #running = new SingleFlight<number>()

  constructor({ store, policy, max }: ReservationsOptions) {
    this.block = blockOf(policy)
    this.low = this.block < AHEAD ? 0 : this.block / 4
    this.#ledger = new Ledger(max)
    this.#store = store
    this.#maxMessages = policy.maxMessages
  }

  left(id: string): number {
    return this.#ledger.left(id)
  }

  /** Spends `count` messages and says how many are left then; spends none when there are fewer. */
  take(id: string, count: number): number | undefined {
    return this.#ledger.take(id, count)
  }

  /** Spends what is left, up to `count` messages, and says how many that were. */
  takeUpTo(id: string, count: number): number {
    return this.#ledger.takeUpTo(id, count)
  }

  /** Takes up what was reserved for a new DEK with its row. */
  open(id: string, messages: number): void {
    this.#ledger.add(id, messages, messages === this.#maxMessages)
  }

  /**
   * Reserves the next block, or what is wanted if that is more; answers how many it got, 0 when the DEK has no more.
   * Outside the caller's transaction: a rollback must not give messages back that were encrypted.
   */
  reserve(id: string, wanted: number): Promise<number> {
    if (this.#ledger.isClosed(id)) return Promise.resolve(0)
    return this.#running.run(id, async () => {
      const count = Math.max(this.block, wanted)
      const granted = await this.#store.reserve(id, count, this.#maxMessages)
      this.#ledger.add(id, granted, granted < count)
      return granted
    })
  }
}
