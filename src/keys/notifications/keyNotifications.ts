import { randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { KeyHolder, KeyNotification, NotificationChannel } from './keyNotification.js'
import { type Notify, PostgresNotifications } from './postgresNotifications.js'
import { isProcessName, processName } from './processName.js'

/** How long others have to acknowledge, in milliseconds. */
const ACKNOWLEDGE_TIME = 1_000

/** Acknowledgements that are kept: whoever may connect to the database can send any number. */
const MOST_ACKNOWLEDGEMENTS = 10_000

/**
 * Keeps the keys in memory of all processes on one state: tells the others what happened here, and looks into the keys
 * table when they tell. Notifications decide nothing by themselves: whoever may connect to the database can send them.
 */
export class KeyNotifications {
  /** This process, among others and among several clients in it. */
  readonly process = processName()
  readonly #holders: readonly KeyHolder[]
  readonly #channel: NotificationChannel | undefined
  /** Acknowledgements of what was destroyed here, by its id. */
  readonly #dropped = new Map<string, Set<string>>()

  /** Without `notify` it tells nobody, and the time of DEKs in memory is all there is. */
  constructor(holders: readonly KeyHolder[], notify: Notify | undefined) {
    this.#holders = holders
    const listener = {
      onNotification: (notification: KeyNotification) => this.#receive(notification),
      onGap: () => this.#recheck(undefined),
    }
    this.#channel = notify && new PostgresNotifications(notify, listener)
  }

  /** Best effort: who does not hear it finds out when the time of the DEK in memory is over. */
  rotated(tenant: string): void {
    this.#channel?.send({ kind: 'rotated', tenant, by: this.process }).catch(() => undefined)
  }

  /** Has all processes look whether what they hold of a tenant may still be used; best effort, too. */
  retired(tenant: string): void {
    this.#channel?.send({ kind: 'retired', tenant }).catch(() => undefined)
  }

  /** Has all processes drop a tenant's keys, and gives those that say within a second that they have. */
  async destroyed(tenant: string): Promise<readonly string[]> {
    if (!this.#channel) return []
    const [id, dropped] = [randomUUID(), new Set<string>()]
    this.#dropped.set(id, dropped)
    try {
      await this.#channel.send({ kind: 'destroyed', tenant, id })
      await setTimeout(ACKNOWLEDGE_TIME)
    } catch {
      // They find out when the time of the DEK in memory is over; the receipt says that nobody has acknowledged.
    } finally {
      this.#dropped.delete(id)
    }
    return [...dropped]
  }

  async close(): Promise<void> {
    await this.#channel?.close()
  }

  async #recheck(tenant: string | undefined): Promise<void> {
    await Promise.all(this.#holders.map((holder) => holder.recheck(tenant)))
  }

  #receive(notification: KeyNotification): void {
    switch (notification.kind) {
      case 'rotated':
        if (notification.by !== this.process) for (const holder of this.#holders) holder.renewSoon(notification.tenant)
        break
      case 'retired':
        this.#recheck(notification.tenant).catch(() => undefined)
        break
      case 'destroyed':
        this.#drop(notification).catch(() => undefined)
        break
      case 'dropped':
        this.#acknowledge(notification)
        break
    }
  }

  /** Nothing is acknowledged while the keys table cannot be asked. */
  async #drop({ tenant, id }: Extract<KeyNotification, { kind: 'destroyed' }>): Promise<void> {
    await this.#recheck(tenant)
    if (!this.#dropped.has(id)) await this.#channel?.send({ kind: 'dropped', id, process: this.process })
  }

  #acknowledge({ id, process }: Extract<KeyNotification, { kind: 'dropped' }>): void {
    const dropped = this.#dropped.get(id)
    if (dropped && dropped.size < MOST_ACKNOWLEDGEMENTS && isProcessName(process)) dropped.add(process)
  }
}
