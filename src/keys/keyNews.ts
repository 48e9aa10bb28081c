import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { KeyHolder, News, NewsLine } from './news.js'
import { type Notify, PostgresNews } from './postgresNews.js'
import { processName } from './processName.js'

/** How long others have to acknowledge, in milliseconds. */
const ACKNOWLEDGE = 1_000

/** Keeps the keys in memory of all processes on one state: tells the others what happened here, and does what they tell. */
export class KeyNews {
  /** This process, among others and among several clients in it. */
  readonly process = processName()
  readonly #holders: readonly KeyHolder[]
  readonly #line: NewsLine | undefined
  /** Acknowledgements of what was destroyed here, by its id. */
  readonly #dropped = new Map<string, Set<string>>()

  /** Without `notify` it tells nobody, and the time of DEKs in memory is all there is. */
  constructor(holders: readonly KeyHolder[], notify: Notify | undefined) {
    this.#holders = holders
    const listener = { onNews: (news: News) => this.#hear(news), onGap: () => this.#recheck() }
    this.#line = notify && new PostgresNews(notify, listener)
  }

  /** Best effort: who does not hear it finds out when the time of the DEK in memory is over. */
  rotated(tenant: string): void {
    this.#line?.send({ kind: 'rotated', tenant, by: this.process }).catch(() => undefined)
  }

  /** Has all processes drop a tenant's keys, and gives those that say within a second that they have. */
  async destroyed(tenant: string): Promise<readonly string[]> {
    if (!this.#line) return []
    const [id, dropped] = [randomUUID(), new Set<string>()]
    this.#dropped.set(id, dropped)
    try {
      await this.#line.send({ kind: 'destroyed', tenant, id })
      await setTimeout(ACKNOWLEDGE)
    } catch {
      // They find out when the time of the DEK in memory is over; the receipt says that nobody has acknowledged.
    } finally {
      this.#dropped.delete(id)
    }
    return [...dropped]
  }

  async close(): Promise<void> {
    await this.#line?.close()
  }

  async #recheck(): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.recheck()))
  }

  #each(tell: (holder: KeyHolder) => void): void {
    for (const holder of this.#holders) tell(holder)
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'rotated':
        if (news.by !== this.process) this.#each((holder) => holder.renewSoon(news.tenant))
        break
      case 'retired':
        this.#each((holder) => holder.retire(news.tenant))
        break
      case 'destroyed':
        this.#drop(news)
        break
      case 'dropped':
        this.#dropped.get(news.id)?.add(news.process)
        break
    }
  }

  #drop({ tenant, id }: Extract<News, { kind: 'destroyed' }>): void {
    this.#each((holder) => holder.evict(tenant))
    if (this.#dropped.has(id)) return
    this.#line?.send({ kind: 'dropped', id, process: this.process }).catch(() => undefined)
  }
}
