import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { KeyHolder, News, NewsLine } from './notifications.js'
import { type Notify, PostgresNews } from './postgresNotifications.js'
import { isProcessName, processName } from './processName.js'

/** How long others have to acknowledge, in milliseconds. */
const ACKNOWLEDGE = 1_000

/** Acknowledgements that are kept: whoever may connect to the database can send any number. */
const MOST_ACKNOWLEDGEMENTS = 10_000

/**
 * Keeps the keys in memory of all processes on one state: tells the others what happened here, and looks into the keys
 * table when they tell. News decide nothing by themselves: whoever may connect to the database can send them.
 */
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
    const listener = { onNews: (news: News) => this.#hear(news), onGap: () => this.#recheck(undefined) }
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

  async #recheck(tenant: string | undefined): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.recheck(tenant)))
  }

  #hear(news: News): void {
    switch (news.kind) {
      case 'rotated':
        if (news.by !== this.process) for (const holder of this.#holders) holder.renewSoon(news.tenant)
        break
      case 'retired':
        this.#recheck(news.tenant).catch(() => undefined)
        break
      case 'destroyed':
        this.#drop(news).catch(() => undefined)
        break
      case 'dropped':
        this.#acknowledge(news)
        break
    }
  }

  /** Nothing is acknowledged while the keys table cannot be asked. */
  async #drop({ tenant, id }: Extract<News, { kind: 'destroyed' }>): Promise<void> {
    await this.#recheck(tenant)
    if (!this.#dropped.has(id)) await this.#line?.send({ kind: 'dropped', id, process: this.process })
  }

  #acknowledge({ id, process }: Extract<News, { kind: 'dropped' }>): void {
    const dropped = this.#dropped.get(id)
    if (dropped && dropped.size < MOST_ACKNOWLEDGEMENTS && isProcessName(process)) dropped.add(process)
  }
}
