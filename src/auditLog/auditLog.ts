import { POOL } from '../callArguments.js'
import type { AuditEntry } from '../client/audit.js'
import { FieldsealError } from '../errors.js'
import { invalidOptions } from '../invalidOptions.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import { type AuditLogCheck, type CheckOptions, checkAuditLog } from './auditLogCheck.js'
import { type ChainLink, messageOf, type StoredEntry, storable } from './auditLogEntry.js'
import { type AuditLogKey, MacKey } from './auditLogKey.js'
import { appendEntries, createAuditLogTable, readEnd } from './auditLogTable.js'

export type { AuditLogCheck, AuditLogFinding, CheckOptions } from './auditLogCheck.js'
export type { AuditLogKey } from './auditLogKey.js'
export { AUDIT_LOG_SQL } from './auditLogTable.js'

/** Options of `auditLog`. */
export interface AuditLogOptions {
  /**
   * A Pool of the package `pg` for the log alone, of one connection or two: entries are written outside of the app's
   * transactions, which they would wait for if both took their connections from one pool.
   */
  readonly database: PgConnection
  /** Authenticates entries: 32 bytes, or these as base64 or hexadecimal digits. Keep it where the database's users cannot read it. */
  readonly key: AuditLogKey
  /** Keys of before, under which older entries still are. */
  readonly formerKeys?: readonly AuditLogKey[]
}

/** An audit log in the database, of which no entry can be changed, taken out or put in without it being found. */
export interface AuditLog {
  /** For the option `audit`: resolves when the entry is stored, which the operation waits for. */
  readonly record: (entry: AuditEntry) => Promise<void>
  /** Makes the table `fieldseal.audit_log` unless it is there. */
  readonly init: () => Promise<void>
  /** Reads the whole log and says what is wrong with it. */
  readonly verify: (options?: CheckOptions) => Promise<AuditLogCheck>
}

const invalid = invalidOptions('auditLog')
const NAMES = ['database', 'key', 'formerKeys']
/** So many entries are written by one statement at most. */
const MOST_AT_ONCE = 1000

/**
 * Keeps the entries of the option `audit` in the table `fieldseal.audit_log`, chained: each is authenticated together with
 * the one before (HMAC-SHA-256, RFC 2104). Who can write to the database but has not the key can neither change an entry,
 * nor take one out of the middle, nor put one in, without `verify` finding it. The end can be cut off, or all of it: keep
 * the end that `verify` gives elsewhere, and name it next time.
 *
 * @throws FieldsealError `OPTIONS_INVALID`. Its methods throw `DATABASE_UNAVAILABLE`: an operation whose entry cannot be
 * written fails with it
 * @example
 * ```ts
 * import pg from 'pg'
 * import { auditLog } from 'fieldseal/audit-log'
 *
 * const log = auditLog({
 *   database: new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2, connectionTimeoutMillis: 5_000, query_timeout: 5_000, allowExitOnIdle: true }),
 *   key: process.env.FIELDSEAL_AUDIT_KEY ?? '', // openssl rand -base64 32
 * })
 * const audit = { actor: () => currentUser()?.id, record: log.record }
 * ```
 */
export function auditLog(options: AuditLogOptions): AuditLog {
  const { database, key, former } = checked(options)
  const writer = new AuditLogWriter(database, key)
  return {
    record: (entry) => writer.record(entry),
    init: () => createAuditLogTable(database),
    verify: (check = {}) => checkAuditLog(database, [key, ...former], check),
  }
}

function checked(options: AuditLogOptions) {
  if (typeof options !== 'object' || options === null) throw invalid('takes an object with database and key')
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw invalid(`does not know the option "${unknown}"; it knows ${NAMES.join(', ')}`)
  const { database, key, formerKeys = [] } = options
  if (!POOL.is(database)) throw invalid(`"database" must be ${POOL.words}`)
  if (!Array.isArray(formerKeys)) throw invalid('"formerKeys" must be a list of keys')
  return { database, key: new MacKey(key, 'key'), former: formerKeys.map((one) => new MacKey(one, 'formerKeys')) }
}

function refused(sequence: bigint): FieldsealError {
  const message =
    `the audit log could not be written: the database refuses the entry ${sequence}. If its table has no constraint of your ` +
    'own, somebody else has written into it: `npx fieldseal audit verify` says what'
  return new FieldsealError('DATABASE_UNAVAILABLE', message)
}

interface Waiting {
  readonly entry: AuditEntry
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** Writes one batch after the other; what comes meanwhile is the next. */
class AuditLogWriter {
  readonly #database: PgConnection
  readonly #key: MacKey
  #waiting: Waiting[] = []
  #isWriting = false
  /** The last entry of the log, as far as this process knows. */
  #end: ChainLink | undefined
  /** The last entry of which this process knows that it was stored. */
  #stored: ChainLink | undefined

  constructor(database: PgConnection, key: MacKey) {
    this.#database = database
    // A connection that breaks while it is idle is replaced when it is needed.
    ;(database as { on?: (event: 'error', listener: () => void) => unknown }).on?.('error', () => {})
    this.#key = key
  }

  record(entry: AuditEntry): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ entry: storable(entry), done, failed })
      if (!this.#isWriting) void this.#writeAll()
    })
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MOST_AT_ONCE)
      try {
        await this.#append(batch.map(({ entry }) => entry))
        for (const { done } of batch) done()
      } catch (error) {
        // Whether they were stored is unknown, and so is where the log ends.
        this.#end = undefined
        for (const { failed } of batch) failed(error)
      }
    }
    this.#isWriting = false
  }

  /**
   * Goes on after the entry that this process wrote last, even if that one is gone: then the log shows it. Where another
   * process has written since, the place is taken, and the database says so.
   */
  async #append(entries: readonly AuditEntry[]): Promise<void> {
    let end = this.#end ?? (await this.#readEnd())
    for (;;) {
      const chained = this.#chain(end, entries)
      if (await appendEntries(this.#database, chained)) {
        this.#end = chained.at(-1)!
        this.#stored = this.#end
        return
      }
      const now = await this.#readEnd()
      if (now.sequence <= end.sequence) throw refused(end.sequence + 1n)
      end = now
    }
  }

  /** Never before what was stored once: what is missing then shows. */
  async #readEnd(): Promise<ChainLink> {
    const end = await readEnd(this.#database)
    return this.#stored && this.#stored.sequence > end.sequence ? this.#stored : end
  }

  #chain(end: ChainLink, entries: readonly AuditEntry[]): StoredEntry[] {
    let last = end
    return entries.map((entry) => {
      const place = { sequence: last.sequence + 1n, previous: last.mac }
      const stored = { entry, ...place, keyId: this.#key.id, mac: this.#key.mac(messageOf(entry, place)) }
      last = stored
      return stored
    })
  }
}
