import { ExponentialBackoff, handleAll, retry, TimeoutStrategy, timeout } from 'cockatiel'
import { FieldsealError } from '../../errors.js'
import { isTransactionPooled } from '../../pooler.js'
import {
  type KeyNotification,
  type NotificationChannel,
  type NotificationListener,
  parseNotification,
} from './keyNotification.js'

/** What is needed of a `Client` of the package `pg`, by structure. */
export interface NotifyConnection {
  connect(): Promise<unknown>
  query(text: string, values?: unknown[]): Promise<unknown>
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  end(): Promise<void>
  /** Lets the process end while the connection is open. */
  unref?(): void
}

/** Makes a new, unconnected `Client`: for the start and after each loss of connection. */
export type Notify = () => NotifyConnection | Promise<NotifyConnection>

/** Where PostgreSQL takes the messages to. Operators may send there too; see docs/operations.md. */
export const CHANNEL = 'fieldseal'

/** A connection that is cut without a word is noticed by this, in milliseconds. */
const HEARTBEAT = 10_000
const TIME_LIMIT = 5_000

const HANDED_ON =
  'fieldseal: keys.notify hears nothing: its connection goes through a pooler that hands connections on after each ' +
  'transaction, as PgBouncer does with pool_mode=transaction, where LISTEN has no effect. Other processes are told what ' +
  'happens here, but what they tell is found out only when the time of the keys in memory is over. Have keys.notify ' +
  'make a client that leads to PostgreSQL itself'

/** LISTEN and NOTIFY on a connection of its own, which is made again whenever it is lost. */
export class PostgresNotifications implements NotificationChannel {
  readonly #notify: Notify
  readonly #listener: NotificationListener
  readonly #heartbeat: number
  readonly #timeLimit = timeout(TIME_LIMIT, { strategy: TimeoutStrategy.Aggressive, abortOnReturn: false })
  readonly #closing = new AbortController()
  #connection: Promise<NotifyConnection>
  #timer: NodeJS.Timeout | undefined
  #warned = false

  constructor(notify: Notify, listener: NotificationListener, heartbeat = HEARTBEAT) {
    this.#notify = notify
    this.#listener = listener
    this.#heartbeat = heartbeat
    this.#connection = this.#connect()
  }

  async send(notification: KeyNotification): Promise<void> {
    await this.#timeLimit.execute(async () => {
      const connection = await this.#connection
      await connection.query('SELECT pg_notify($1, $2)', [CHANNEL, JSON.stringify(notification)])
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearTimeout(this.#timer)
    const connection = await this.#timeLimit.execute(() => this.#connection).catch(() => undefined)
    await connection?.end().catch(() => undefined)
  }

  /** For ever, with pauses of a tenth of a second at first and ten at most. */
  #connect(): Promise<NotifyConnection> {
    const backoff = new ExponentialBackoff({ initialDelay: 100, maxDelay: 10_000 })
    const policy = retry(handleAll, { maxAttempts: Number.POSITIVE_INFINITY, backoff }).dangerouslyUnref()
    const connection = policy.execute(() => this.#open(), this.#closing.signal)
    connection.catch(() => undefined)
    return connection
  }

  /** Listens first and looks then, so that nothing falls between. */
  async #open(): Promise<NotifyConnection> {
    if (this.#closing.signal.aborted) throw new FieldsealError('KEY_STORE_UNAVAILABLE', 'the client was closed')
    const connection = await this.#notify()
    const state = { up: false, broken: false }
    const lost = () => {
      state.broken = true
      if (state.up) this.#reconnect(connection)
    }
    connection.on('error', lost)
    connection.on('end', lost)
    connection.on('notification', ({ payload }) => this.#receive(payload))
    try {
      await this.#timeLimit.execute(() => connection.connect())
      connection.unref?.()
      await this.#listen(connection)
      await this.#listener.onGap()
      if (state.broken) throw new FieldsealError('KEY_STORE_UNAVAILABLE', 'the connection was lost')
      state.up = true
    } catch (error) {
      end(connection)
      throw error
    }
    this.#checkAlive(connection)
    return connection
  }

  /** Behind a pooler that hands connections on it would have others listen, and hear nothing itself. */
  async #listen(connection: NotifyConnection): Promise<void> {
    let second: NotifyConnection | undefined
    const another = async () => {
      second = await this.#notify()
      second.on('error', () => {})
      await second.connect()
      return second
    }
    try {
      const isPooled = await this.#timeLimit.execute(() => isTransactionPooled(connection, another))
      if (isPooled) this.#warn()
      else await this.#timeLimit.execute(() => connection.query(`LISTEN ${CHANNEL}`))
    } finally {
      if (second) end(second)
    }
  }

  #warn(): void {
    if (this.#warned) return
    this.#warned = true
    process.emitWarning(HANDED_ON, { type: 'FieldsealWarning', code: 'FIELDSEAL_NOTIFY_POOLED' })
  }

  #receive(payload: string | undefined): void {
    const notification = parseNotification(payload)
    if (notification) this.#listener.onNotification(notification)
  }

  #checkAlive(connection: NotifyConnection): void {
    this.#timer = setTimeout(async () => {
      const alive = this.#timeLimit.execute(() => connection.query('SELECT 1'))
      await alive.then(
        () => this.#checkAlive(connection),
        () => this.#reconnect(connection),
      )
    }, this.#heartbeat).unref()
  }

  readonly #lost = new WeakSet<NotifyConnection>()

  #reconnect(connection: NotifyConnection): void {
    if (this.#closing.signal.aborted || this.#lost.has(connection)) return
    this.#lost.add(connection)
    clearTimeout(this.#timer)
    end(connection)
    this.#connection = this.#connect()
  }
}

/** Not waited for: a connection that is cut may never answer. */
function end(connection: NotifyConnection): void {
  connection.end().catch(() => undefined)
}
