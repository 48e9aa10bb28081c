import { LRUCache } from 'lru-cache'

interface Account {
  left: number
  closed: boolean
}

/**
 * How many messages this process may still encrypt under each DEK: what it has reserved in the keys table and not spent.
 * An account that is pushed out takes its rest along: too few messages are counted as free then, never too many.
 */
export class Ledger {
  readonly #accounts: LRUCache<string, Account>

  constructor(max: number) {
    this.#accounts = new LRUCache({ max })
  }

  /** `closed`: the keys table has no more to reserve for this DEK. */
  add(id: string, count: number, closed: boolean): void {
    this.#accounts.set(id, { left: this.left(id) + count, closed })
  }

  left(id: string): number {
    return this.#accounts.get(id)?.left ?? 0
  }

  isClosed(id: string): boolean {
    return this.#accounts.get(id)?.closed ?? false
  }

  /** Spends `count` messages and says how many are left then; spends none when there are fewer. */
  take(id: string, count: number): number | undefined {
    const account = this.#accounts.get(id)
    if (!account || account.left < count) return undefined
    account.left -= count
    return account.left
  }

  /** Spends what is left, up to `count` messages, and says how many that were. */
  takeUpTo(id: string, count: number): number {
    const taken = Math.min(count, this.left(id))
    return this.take(id, taken) === undefined ? 0 : taken
  }
}
