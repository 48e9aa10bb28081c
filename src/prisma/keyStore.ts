import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { FieldsealError } from '../errors.js'
import type { KeyFilter, KeyStore, NewKey, StoredKey } from '../keys/keyStore.js'
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
  handleWhen((error) => (error as { code?: unknown } | null)?.code === 'P2034'),
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
  let waiting = 0
  const base = (): KeysClient => primaryOf(client as KeysClient)
  const keysOf = (some: KeysClient) => some[clientName(model)] as KeysDelegate
  const guarded = async <T>(work: (keys: KeysDelegate) => Promise<T>): Promise<T> => {
    waiting += 1
    try {
      return await work(keysOf(base()))
    } catch (cause) {
      throw unavailable(model, cause)
    } finally {
      waiting -= 1
    }
  }
  /** Each statement sees what was committed before it, whatever the database's default is. */
  const atomically = <T>(work: (keys: KeysDelegate) => Promise<T>) =>
    conflicts.execute(() => base().$transaction!((tx) => work(keysOf(tx)), { isolationLevel: 'ReadCommitted' }))
  return {
    isWaiting: () => waiting > 0,
    findNewest: (tenant, purpose) =>
      guarded(async (keys) => {
        const row = await keys.findFirst({ where: { tenant, purpose }, orderBy: { version: 'desc' }, select: COLUMNS })
        return row && stored(row)
      }),
    findByIds: (ids) =>
      guarded(async (keys) => (await keys.findMany({ where: { id: { in: [...ids] } }, select: COLUMNS })).map(stored)),
    insert: (key, { reopens = false } = {}) =>
      guarded((keys) => (key.version === 1 ? insertRow(keys, key) : atomically((all) => succeed(all, key, reopens)))),
    reserve: (id, count, limit) => guarded((keys) => reserve(keys, { id, count, limit })),
    list: (filter, { after, limit }) =>
      guarded(async (keys) => {
        const where = { ...whereOf(filter), ...(after !== undefined && { id: { gt: after } }) }
        return (await keys.findMany({ where, orderBy: { id: 'asc' }, take: limit, select: COLUMNS })).map(stored)
      }),
    count: (filter) => guarded((keys) => keys.count({ where: whereOf(filter) })),
    rewrap: ({ id, wrapped }, to) =>
      guarded(async (keys) => {
        const where = { id, wrapped, state: { not: 'destroyed' } }
        return (await keys.updateMany({ where, data: to })).count === 1
      }),
    destroy: (tenant, tombstones) => guarded(() => atomically((keys) => destroy(keys, tenant, tombstones))),
  }
}

function stored(row: PrismaKey): StoredKey {
  return { ...row, messages: Number(row.messages) }
}

async function insertRow(keys: KeysDelegate, key: NewKey): Promise<boolean> {
  const data = [{ ...key, messages: BigInt(key.messages) }]
  return (await keys.createMany({ data, skipDuplicates: true })).count === 1
}

/** The lock on the version before keeps a crypto-shred, which wants it too, from missing the new row. */
async function succeed(keys: KeysDelegate, key: NewKey, reopens: boolean): Promise<boolean> {
  const { tenant, purpose } = key
  const before = { tenant, purpose, version: key.version - 1 }
  const retired = { state: 'retired', retiredAt: new Date() }
  const { count } = await keys.updateMany({ where: { ...before, state: 'active' }, data: retired })
  const lock = { where: { ...before, state: 'retired' }, data: { state: 'retired' } }
  if (count === 0 && !reopens && (await keys.updateMany(lock)).count === 0) return false
  return insertRow(keys, key)
}

/**
 * An update waits for those who are making a version and hold the lock on the one before, but does not see the row that
 * they insert; the next update does. When one finds nothing left, nobody can be making any.
 */
async function destroy(keys: KeysDelegate, tenant: string, tombstones: readonly NewKey[]): Promise<StoredKey[]> {
  const own = { tenant, purpose: { not: 'wrap' } }
  if ((await keys.count({ where: own })) === 0) return []
  const destroyedAt = new Date()
  const data = tombstones.map((key) => ({ ...key, messages: BigInt(key.messages), destroyedAt }))
  await keys.createMany({ data, skipDuplicates: true })
  const where = { ...own, state: { not: 'destroyed' } }
  for (let count = 1; count > 0; ) {
    count = (await keys.updateMany({ where, data: { state: 'destroyed', wrapped: null, destroyedAt } })).count
  }
  return (await keys.findMany({ where: own, select: COLUMNS })).map(stored)
}

function whereOf({ tenants, purpose, states, before }: KeyFilter): object {
  return {
    ...(tenants && { tenant: { in: [...tenants] } }),
    ...(purpose && { purpose }),
    ...(states && { state: { in: [...states] } }),
    ...(before && { createdAt: { lt: before } }),
  }
}

async function reserve(keys: KeysDelegate, { id, count, limit }: Reservation): Promise<number> {
  const where = { id, state: 'active', messages: { lte: BigInt(limit - count) } }
  const { count: done } = await keys.updateMany({ where, data: { messages: { increment: BigInt(count) } } })
  if (done === 1) return count
  const row = await keys.findFirst({ where: { id, state: 'active' }, select: COLUMNS })
  const rest = limit - Number(row?.messages ?? limit)
  if (rest >= count) throw new Error('an update of an active key had no effect')
  return rest > 0 ? reserve(keys, { id, count: Math.min(count, rest), limit }) : 0
}

interface Reservation {
  readonly id: string
  readonly count: number
  readonly limit: number
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
