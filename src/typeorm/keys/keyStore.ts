import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import type { DataSource } from 'typeorm'
import { FieldsealError } from '../../errors.js'
import { countedWaits } from '../../keys/countedWaits.js'
import type { KeyStore } from '../../keys/keyStore.js'
import { RowTaken, tableKeyStore } from '../../keys/tableKeyStore.js'
import { own } from '../../own.js'
import { printable } from '../../printable.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { keyRows } from './keyRows.js'
import { inTransaction, poolOf } from './pool.js'

export interface TypeormKeyStore extends KeyStore {
  /** Whether a query has no answer yet; perhaps for want of a connection. */
  isWaiting(): boolean
}

/**
 * A shred updates many rows in no order, so it and those who make keys may wait for each other: the database ends one of
 * them, which begins again.
 */
const conflicts = retry(
  handleWhen((error) => error instanceof RowTaken || CONFLICTS.has(codeOf(error))),
  { maxAttempts: 10, backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 500 }) },
)

/** serialization_failure, deadlock_detected */
const CONFLICTS: ReadonlySet<string> = new Set(['40001', '40P01'])

/** The keys table over connections of its own, so outside of any of the application's transactions. */
export function typeormKeyStore(dataSource: DataSource, { keysModel, models }: EncryptionSchema): TypeormKeyStore {
  const rowsOf = keyRows(models[keysModel])
  const pool = () => poolOf(dataSource) ?? notInitialized()
  const { run: guarded, isWaiting } = countedWaits((cause) => unavailable(keysModel, cause))
  const store = tableKeyStore({
    run: (work) => guarded(() => work(rowsOf(pool()))),
    atomically: (work) =>
      guarded(() => conflicts.execute(() => inTransaction(pool(), (connection) => work(rowsOf(connection))))),
  })
  return { ...store, isWaiting }
}

function notInitialized(): never {
  throw new Error('the data source is not initialized, or was destroyed.')
}

function unavailable(model: string, cause: unknown): FieldsealError {
  const hint = own(HINTS, codeOf(cause)) ?? reasonFor(cause)
  return new FieldsealError('KEY_STORE_UNAVAILABLE', `the keys table (${model}) could not be used; ${hint}`, { cause })
}

/** By PostgreSQL's error codes. */
const HINTS: { readonly [code: string]: string } = {
  '42P01': 'the table does not exist: apply your migrations',
  '42703': 'it lacks a column of the entity: apply your migrations',
  '53300': 'the database lets no more connections in: give its pools fewer of them',
}

function reasonFor(cause: unknown): string {
  const message = String((cause as { message?: unknown } | null)?.message ?? cause)
  if (POOL_TIMEOUT.test(message)) return 'no connection came free in time: is the database slow, or out of connections?'
  const reason = printable(message.split('\n')[0]).slice(0, MOST_OF_REASON)
  return `is the database reachable, and may its user read and write this table? ${reason}`
}

/** What `pg` says when `connectTimeoutMS` is over, for which it has no code. */
const POOL_TIMEOUT = /^timeout exceeded when trying to connect/

const MOST_OF_REASON = 200

export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code)
}
