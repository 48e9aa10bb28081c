import { setTimeout as sleep } from 'node:timers/promises'
import { FieldsealError } from '../../errors.js'
import { Places, type Share } from '../call/places.js'
import { Connection, type ConnectionOptions } from './connection.js'
import type { Pkcs11Handle } from './pkcs11Module.js'
import { pkcs11FailureOf, returned } from './returnCodes.js'
import { TextRefused } from './textRefused.js'
import { initialize } from './tokenSlot.js'

/** How sessions are held. */
export interface SessionPoolOptions extends ConnectionOptions {
  /** Sessions at once. */
  readonly size: number
  /** Milliseconds from which on a session counts as busy for long. */
  readonly slow: number
  /** Whether C_Finalize may be called for a token that does not come back by itself. */
  readonly reinitialize: boolean
}

/** For whom a session is used. */
export interface Use {
  /** Whose share of the sessions it is. */
  readonly share: Share
  /** Ends the waiting for a session. */
  readonly signal: AbortSignal
}

/** A session, for as long as one piece of work has it. */
export interface PooledSession {
  readonly session: Pkcs11Handle
  readonly connection: Connection
}

/**
 * Sessions with a token, each used by one piece of work at a time. A session whose work failed is closed, and one that is
 * lost takes the others, the login and all handles of objects with it: the next work opens everything anew.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions
  readonly #places: Places
  #connection: Promise<Connection> | undefined
  #working = 0
  #closing: Promise<void> | undefined

  constructor(options: SessionPoolOptions) {
    this.#options = options
    this.#places = new Places({ count: options.size, slow: options.slow })
  }

  /**
   * The session is not given to others before the work is over, even if nobody waits for it any longer: the module is still
   * busy with it. Where what was opened turns out to be gone, it is opened again and the work begins anew, once.
   */
  async use<T>(use: Use, work: (session: PooledSession) => Promise<T>): Promise<T> {
    try {
      return await this.#use(use, work)
    } catch (error) {
      if (use.signal.aborted || isOwn(error) || pkcs11FailureOf(error).meaning !== 'stale') throw error
      return this.#use(use, work)
    }
  }

  async #use<T>({ share, signal }: Use, work: (session: PooledSession) => Promise<T>): Promise<T> {
    if (this.#closing) throw closed()
    const giveBack = await this.#places.take(share, signal)
    try {
      if (this.#closing) throw closed()
      const connection = await this.#connect()
      return await this.#work(connection, work)
    } finally {
      giveBack()
    }
  }

  /** Waits for work that is under way, at most `patience` milliseconds, logs out and closes the sessions. */
  close(patience: number): Promise<void> {
    this.#closing ??= this.#close(patience)
    return this.#closing
  }

  async #close(patience: number): Promise<void> {
    const enough = new AbortController()
    const all = Array.from({ length: this.#options.size }, () => this.#places.take(undefined, enough.signal))
    await Promise.race([Promise.all(all), sleep(patience, undefined, { ref: false })]).finally(() => enough.abort())
    await Promise.allSettled(all)
    const connection = await this.#connection?.catch(() => undefined)
    if (!connection) return
    // What is still stuck in the module is closed when that lets it go.
    connection.lost = true
    await connection.logOut()
    await connection.closeIdle()
  }

  async #work<T>(connection: Connection, work: (session: PooledSession) => Promise<T>): Promise<T> {
    this.#working += 1
    let session: Pkcs11Handle | undefined
    let healthy = false
    try {
      session = await connection.session()
      const result = await work({ session, connection })
      healthy = true
      return result
    } catch (error) {
      healthy = isOwn(error)
      if (!healthy && pkcs11FailureOf(error).meaning !== '') await this.#lose(connection, error)
      throw error
    } finally {
      this.#working -= 1
      if (session && healthy && !connection.lost) connection.idle.push(session)
      else if (session) await connection.close(session)
    }
  }

  #connect(): Promise<Connection> {
    const opening = this.#connection ?? this.#open()
    this.#connection = opening
    opening.catch(() => this.#forget(opening))
    return opening
  }

  async #open(): Promise<Connection> {
    try {
      return await Connection.open(this.#options)
    } catch (error) {
      const stuck = !FieldsealError.is(error) && pkcs11FailureOf(error).meaning !== ''
      if (!stuck || !this.#options.reinitialize || this.#working > 0) throw error
      await this.#options.module.C_Finalize?.()
      await initialize(this.#options.module)
      return Connection.open(this.#options)
    }
  }

  async #lose(connection: Connection, error: unknown): Promise<void> {
    if (returned(error, 'CKR_CRYPTOKI_NOT_INITIALIZED')) connection.finalized = true
    if (connection.lost) return
    connection.lost = true
    this.#connection = undefined
    await connection.closeIdle()
  }

  #forget(opening: Promise<Connection>): void {
    if (this.#connection === opening) this.#connection = undefined
  }
}

/** Errors that say nothing bad of the session. */
function isOwn(error: unknown): boolean {
  return FieldsealError.is(error) || error instanceof TextRefused
}

function closed(): FieldsealError {
  return new FieldsealError('KMS_UNAVAILABLE', 'This pkcs11Kms was closed. Make a new one, or close it later.')
}
