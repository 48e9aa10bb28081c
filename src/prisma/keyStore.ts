import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { FieldsealError } from '../errors.js'
import { countedWaits } from '../keys/countedWaits.js'
import type { KeyStore, StoredKey } from '../keys/keyStore.js'
import { type KeyRows, RowTaken, tableKeyStore } from '../keys/tableKeyStore.js'
import { own } from '../own.js'
import { printable } from '../printable.js'
import { clientName } from './clientModels.js'
import { primaryOf } from './primary.js'

/** What the key store needs of a Prisma client, by structure. */
interface KeysClient {
  $transaction?<T>(work: (client: KeysClient) => Promise<T>, options: object): Promise<T>
  readonly [model: string]: unknown
}

interface KeysDelegate {
  findFirst(args: object): Promise<PrismaKey | null>
  findMany(args: object): Promise<PrismaKey[]>
  createMany(args: object): Promise<{ count: number }>
  updateMany(args: object): Promise<{ count: number }>
  count(args: object): Promise<number>
}

type PrismaKey = Omit<StoredKey, 'messages'> & { readonly messages: bigint }

export interface PrismaKeyStore extends KeyStore {
  /** Whether a query has no answer yet; perhaps for want of a connection. */
  isWaiting(): boolean
}

/**
 * A shred updates many rows in no order, so it and those who make keys may wait for each other: the database ends one of
 * them, which begins again.
 */
const conflicts = retry(
  handleWhen((error) => error instanceof RowTaken || (error as { code?: unknown } | null)?.code === 'P2034'),
  { maxAttempts: 10, backoff: new ExponentialBackoff({ initialDelay: 10, maxDelay: 500 }) },
)

const COLUMNS = {
  id: true,
  tenant: true,
  purpose: true,
  version: true,
  state: true,
  wrapped: true,
  kms: true,
  kekId: true,
  messages: true,
  createdAt: true,
  destroyedAt: true,
}

/**
 * The keys table through the user's Prisma client: the one that was extended, so outside any of its transactions and
 * without the encryption. Behind a read-replica extension it asks the primary.
 *
 * @param model the Prisma model marked `@encryptionKeys`
 */
export function prismaKeyStore(client: object, model: string): PrismaKeyStore {
  const base = (): KeysClient => primaryOf(client as KeysClient)
  const keysOf = (some: KeysClient) => keyRows(some[clientName(model)] as KeysDelegate)
  const { run: guarded, isWaiting } = countedWaits((cause) => unavailable(model, cause))
  const transaction = <T>(work: (rows: KeyRows) => Promise<T>) =>
    conflicts.execute(() => base().$transaction!((tx) => work(keysOf(tx)), { isolationLevel: 'ReadCommitted' }))
  const store = tableKeyStore({
    run: (work) => guarded(() => work(keysOf(base()))),
    atomically: (work) => guarded(() => transaction(work)),
  })
  return { ...store, isWaiting }
}

function keyRows(keys: KeysDelegate): KeyRows {
  return {
    async find(where, options = {}) {
      const args = { where, ...options, select: COLUMNS }
      if (options.take !== 1) return (await keys.findMany(args)).map(stored)
      const { take: _, ...first } = args
      const row = await keys.findFirst(first)
      return row ? [stored(row)] : []
    },
    insert: async (rows) => (await keys.createMany({ data: [...rows], skipDuplicates: true })).count,
    update: async (where, data) => (await keys.updateMany({ where, data })).count,
    count: (where) => keys.count({ where }),
  }
}

function stored(row: PrismaKey): StoredKey {
  return { ...row, messages: Number(row.messages) }
}

function unavailable(model: string, cause: unknown): FieldsealError {
  const hint = own(HINTS, String((cause as { code?: unknown } | null)?.code)) ?? reasonFor(model, cause)
  return new FieldsealError('KEY_STORE_UNAVAILABLE', `the keys table (${model}) could not be used; ${hint}`, { cause })
}

/** By Prisma's error codes. */
const HINTS: { readonly [code: string]: string } = {
  P2021: 'the table does not exist: apply your migrations',
  P2022: 'it lacks a column of the Prisma schema: apply your migrations',
  P2024: 'no connection came free in time: give the pool more of them',
  P2028: 'no connection came free in time for a new key, or the database was too slow: give the pool more of them',
}

/** The last line of an error of Prisma says what is wrong; those before it show the query. */
function reasonFor(model: string, cause: unknown): string {
  const { name, message } = (cause ?? {}) as { name?: unknown; message?: unknown }
  const lines = String(message ?? cause).split('\n')
  const reason = printable(lines.findLast((line) => line.trim() !== '') ?? name).slice(0, MOST_OF_REASON)
  if (name !== 'PrismaClientValidationError')
    return `is the database reachable, and may its user read and write this table? ${reason}`
  return (
    `an extension that was applied before fieldEncryption changes its queries: ${reason} ` +
    `Apply that extension after fieldEncryption, or have it leave ${model} as it is`
  )
}

const MOST_OF_REASON = 200
