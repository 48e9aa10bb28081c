import { LRUCache } from 'lru-cache'
import { SingleFlight } from '../cache/singleFlight.js'
import type { KeyStore } from '../keyStore.js'
import { blockOf, type RotationPolicy } from './rotation.js'

/** Blocks below this are not reserved ahead: the spare could be as large as the need. */
const AHEAD = 1024

export interface MessageQuotaOptions {
  readonly store: Pick<KeyStore, 'reserve'>
  readonly policy: RotationPolicy
  /** Of how many DEKs it keeps account. */
  readonly max: number
}

interface Account {
  remaining: number
  /** The keys table has no more to reserve for this DEK. */
  readonly exhausted: boolean
}

/**
 * How many messages this process may still encrypt under each DEK: what it has reserved in the keys table, in blocks, and
 * not spent. An account that is pushed out takes its rest along: too few messages are counted as free then, never too many.
 */
export class MessageQuota {
  /** The messages that are reserved at once. */
  readonly block: number
  /** Below it the next block is to be reserved, behind the operation that sees it. */
  readonly lowMark: number
  readonly #accounts: LRUCache<string, Account>
  readonly #store: Pick<KeyStore, 'reserve'>
  readonly #maxMessages: number
  readonly #running = new SingleFlight<number>()

  constructor({ store, policy, max }: MessageQuotaOptions) {
    this.block = blockOf(policy)
    this.lowMark = this.block < AHEAD ? 0 : this.block / 4
    this.#accounts = new LRUCache({ max })
    this.#store = store
    this.#maxMessages = policy.maxMessages
  }

  remaining(id: string): number {
    return this.#accounts.get(id)?.remaining ?? 0
  }

  /** Spends `count` messages and says how many remain then; spends none when there are fewer. */
  take(id: string, count: number): number | undefined {
    const account = this.#accounts.get(id)
    if (!account || account.remaining < count) return undefined
    account.remaining -= count
    return account.remaining
  }

  /** Spends what remains, up to `count` messages, and says how many that were. */
  takeUpTo(id: string, count: number): number {
    const taken = Math.min(count, this.remaining(id))
    return this.take(id, taken) === undefined ? 0 : taken
  }

  /** Takes up what was reserved for a new DEK with its row. */
  open(id: string, messages: number): void {
    this.#add(id, messages, messages === this.#maxMessages)
  }

  /**
   * Reserves the next block, or what is needed if that is more; answers how many it got, 0 when the DEK has no more.
   * Outside the caller's transaction: a rollback must not give messages back that were encrypted.
   */
  reserve(id: string, needed: number): Promise<number> {
    if (this.#accounts.get(id)?.exhausted) return Promise.resolve(0)
    return this.#running.run(id, async () => {
      const count = Math.max(this.block, needed)
      const granted = await this.#store.reserve(id, count, this.#maxMessages)
      this.#add(id, granted, granted < count)
      return granted
    })
  }

  #add(id: string, count: number, exhausted: boolean): void {
    this.#accounts.set(id, { remaining: this.remaining(id) + count, exhausted })
  }
}
