import {
  type CopiedKey,
  type KeyFilter,
  type KeyMerge,
  type KeyStore,
  type MergedKey,
  type NewKey,
  type NextState,
  STATE_BEFORE,
  type StoredKey,
} from './keyStore.js'
import type { Purpose } from './kms.js'

/** What a column of the keys table is compared with. */
export type KeyCondition =
  | string
  | null
  | number
  | { readonly in: readonly string[] }
  | { readonly not: string }
  | { readonly gt: string }
  | { readonly lt: Date }
  | { readonly lte: bigint }

/** Which rows are meant: those that fit every condition. */
export type KeyWhere = { readonly [column in KeyColumn]?: KeyCondition }

export type KeyColumn = keyof StoredKey | 'retiredAt'

/** What an update sets. */
export interface KeyChange {
  readonly version?: number
  readonly state?: NewKey['state']
  readonly wrapped?: string | null
  readonly kms?: string
  readonly kekId?: string
  readonly retiredAt?: Date | null
  readonly destroyedAt?: Date | null
  readonly messages?: { readonly increment: bigint }
}

/** A row as it is inserted; its times of a copy, or the time of the process. */
export type KeyRow = Omit<NewKey, 'messages'> &
  Partial<Pick<CopiedKey, 'createdAt' | 'retiredAt' | 'destroyedAt'>> & { readonly messages: bigint }

/** The newest version first, or in the order of ids. */
export type KeyOrder = { readonly version: 'desc' } | { readonly id: 'asc' }

/** The rows of the keys table, as an ORM or a driver reaches them. */
export interface KeyRows {
  find(where: KeyWhere, options?: { readonly orderBy?: KeyOrder; readonly take?: number }): Promise<StoredKey[]>
  /** Leaves out rows whose id, or whose tenant, purpose and version, are there; tells how many it has inserted. */
  insert(rows: readonly KeyRow[]): Promise<number>
  /** Tells how many rows it has changed. */
  update(where: KeyWhere, change: KeyChange): Promise<number>
  count(where: KeyWhere): Promise<number>
}

/** A keys table, outside the transactions of the application. */
export interface KeysTable {
  /** Runs one statement. */
  run<T>(work: (rows: KeyRows) => Promise<T>): Promise<T>
  /**
   * Runs several in a transaction in which each sees what was committed before it, whatever the database's default is;
   * again when the database has ended it for the sake of another.
   */
  atomically<T>(work: (rows: KeyRows) => Promise<T>): Promise<T>
}

/** A `KeyStore` on a table of the application's database. */
export function tableKeyStore({ run, atomically }: KeysTable): KeyStore {
  return {
    findNewest: (tenant, purpose) =>
      run(async (rows) => (await rows.find({ tenant, purpose }, { orderBy: { version: 'desc' }, take: 1 }))[0] ?? null),
    findByIds: (ids) => run((rows) => rows.find({ id: { in: [...ids] } })),
    insert: (key, options = {}) =>
      key.version === 1 ? run((rows) => insertRow(rows, key)) : atomically((rows) => succeed(rows, key, options)),
    reserve: (id, count, limit) => run((rows) => reserve(rows, { id, count, limit })),
    list: (filter, { after, limit }) =>
      run((rows) => {
        const where = { ...whereOf(filter), ...(after !== undefined && { id: { gt: after } }) }
        return rows.find(where, { orderBy: { id: 'asc' }, take: limit })
      }),
    count: (filter) => run((rows) => rows.count(whereOf(filter))),
    rewrap: ({ id, wrapped }, to) =>
      run(async (rows) => (await rows.update({ id, wrapped, state: { not: 'destroyed' } }, to)) === 1),
    advance: (id, to) => run(async (rows) => (await rows.update({ id, state: STATE_BEFORE[to] }, changeTo(to))) === 1),
    merge: (tenant, purpose, plan) => atomically((rows) => merge(rows, { tenant, purpose }, plan)),
    destroy: (tenant, tombstones) => atomically((rows) => destroy(rows, tenant, tombstones)),
  }
}

/** Another process has inserted one of the rows of a merge meanwhile: it is to begin again. */
export class RowTaken extends Error {}

/** Locks all rows first, so that nobody can make a version after one that is renumbered, nor destroy what is read. */
async function merge(
  rows: KeyRows,
  of: { readonly tenant: string; readonly purpose: Purpose },
  plan: (rows: readonly StoredKey[]) => KeyMerge,
): Promise<void> {
  const found = await lockAll(rows, of)
  const { changes, inserts } = plan(found)
  for (const change of changes) await rows.update({ id: change.id }, changeOf(change, found))
  if (inserts.length === 0) return
  const inserted = await rows.insert(inserts.map((key) => ({ ...key, messages: BigInt(key.messages) })))
  if (inserted < inserts.length) throw new RowTaken('another process has made a key meanwhile')
}

/** One after the other in the order of their ids: those who want the same rows then never wait for each other in a circle. */
async function lockAll(rows: KeyRows, where: KeyWhere): Promise<StoredKey[]> {
  const locked = new Set<string>()
  for (;;) {
    const found = await rows.find(where, { orderBy: { id: 'asc' } })
    const others = found.filter(({ id }) => !locked.has(id))
    if (others.length === 0) return found
    for (const { id } of others) {
      await rows.update({ id }, { messages: { increment: 0n } })
      locked.add(id)
    }
  }
}

function changeOf({ id, version, state, messages, revived }: MergedKey, found: readonly StoredKey[]): KeyChange {
  const before = found.find((row) => row.id === id)!
  return {
    ...(version !== undefined && { version }),
    ...(state !== undefined && { state }),
    ...(state === 'retired' && { retiredAt: new Date() }),
    ...(messages !== undefined && { messages: { increment: BigInt(messages - before.messages) } }),
    ...(revived && { ...revived, destroyedAt: null }),
  }
}

function changeTo(state: NextState): KeyChange {
  const now = new Date()
  if (state === 'replaced') return { state }
  return state === 'retired' ? { state, retiredAt: now } : { state, wrapped: null, destroyedAt: now }
}

async function insertRow(rows: KeyRows, key: NewKey): Promise<boolean> {
  return (await rows.insert([rowOf(key)])) === 1
}

function rowOf(key: NewKey): KeyRow {
  return { ...key, messages: BigInt(key.messages) }
}

/** The lock on the version before keeps a crypto-shred, which wants it too, from missing the new row. */
async function succeed(
  rows: KeyRows,
  key: NewKey,
  { reopens = false, beside = false }: NonNullable<Parameters<KeyStore['insert']>[1]>,
): Promise<boolean> {
  const { tenant, purpose } = key
  const before = { tenant, purpose, version: key.version - 1 }
  const change: KeyChange = beside ? { state: 'retiring' } : { state: 'retired', retiredAt: new Date() }
  const count = await rows.update({ ...before, state: 'active' }, change)
  if (count === 0 && beside) return false
  const locks = () => rows.update({ ...before, state: 'retired' }, { state: 'retired' })
  if (count === 0 && !reopens && (await locks()) === 0) return false
  return insertRow(rows, key)
}

/**
 * An update waits for those who are making a version and hold the lock on the one before, but does not see the row that
 * they insert; the next update does. When one finds nothing left, nobody can be making any.
 */
async function destroy(rows: KeyRows, tenant: string, tombstones: readonly NewKey[]): Promise<StoredKey[]> {
  const own = { tenant, purpose: { not: 'wrap' } }
  if ((await rows.count(own)) === 0) return []
  const destroyedAt = new Date()
  await rows.insert(tombstones.map((key) => ({ ...rowOf(key), destroyedAt })))
  const where = { ...own, state: { not: 'destroyed' } }
  for (let count = 1; count > 0; ) count = await rows.update(where, { state: 'destroyed', wrapped: null, destroyedAt })
  return rows.find(own)
}

function whereOf({ tenants, purpose, states, before }: KeyFilter): KeyWhere {
  return {
    ...(tenants && { tenant: { in: [...tenants] } }),
    ...(purpose && { purpose }),
    ...(states && { state: { in: [...states] } }),
    ...(before && { createdAt: { lt: before } }),
  }
}

async function reserve(rows: KeyRows, { id, count, limit }: Reservation): Promise<number> {
  const where = { id, state: 'active', messages: { lte: BigInt(limit - count) } } as const
  if ((await rows.update(where, { messages: { increment: BigInt(count) } })) === 1) return count
  const [row] = await rows.find({ id, state: 'active' }, { take: 1 })
  const rest = limit - (row?.messages ?? limit)
  if (rest >= count) throw new Error('an update of an active key had no effect')
  return rest > 0 ? reserve(rows, { id, count: Math.min(count, rest), limit }) : 0
}

interface Reservation {
  readonly id: string
  readonly count: number
  readonly limit: number
}
