import { FieldsealError } from '../errors.js'
import type { KeyStore, StoredKey } from '../keys/keyStore.js'
import { clientName } from './plan.js'

/** What the key store needs of a Prisma client, by structure. */
interface KeysClient {
  readonly $primary?: () => KeysClient
  readonly [model: string]: unknown
}

interface KeysDelegate {
  findFirst(args: object): Promise<StoredKey | null>
  findMany(args: object): Promise<StoredKey[]>
  createMany(args: object): Promise<{ count: number }>
}

export interface PrismaKeyStore extends KeyStore {
  /** Whether a query has no answer yet; perhaps for want of a connection. */
  isWaiting(): boolean
}

const COLUMNS = {
  id: true,
  tenant: true,
  purpose: true,
  version: true,
  state: true,
  wrapped: true,
  kms: true,
  kekId: true,
}

/**
 * The keys table through the user's Prisma client: the one that was extended, so outside any of its transactions and
 * without the encryption. Behind a read-replica extension it asks the primary.
 *
 * @param model the Prisma model marked `@encryptionKeys`
 */
export function prismaKeyStore(client: object, model: string): PrismaKeyStore {
  let waiting = 0
  const keys = (): KeysDelegate => {
    const base = client as KeysClient
    return (base.$primary?.() ?? base)[clientName(model)] as KeysDelegate
  }
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    waiting += 1
    try {
      return await work()
    } catch (cause) {
      throw unavailable(model, cause)
    } finally {
      waiting -= 1
    }
  }
  return {
    isWaiting: () => waiting > 0,
    findNewest: (tenant, purpose) =>
      guarded(() => keys().findFirst({ where: { tenant, purpose }, orderBy: { version: 'desc' }, select: COLUMNS })),
    findByIds: (ids) => guarded(() => keys().findMany({ where: { id: { in: [...ids] } }, select: COLUMNS })),
    insert: (key) => guarded(async () => (await keys().createMany({ data: [key], skipDuplicates: true })).count === 1),
  }
}

function unavailable(model: string, cause: unknown): FieldsealError {
  const hint =
    HINTS[String((cause as { code?: unknown } | null)?.code)] ??
    'is the database reachable, and may its user read and write this table?'
  return new FieldsealError('KEY_STORE_UNAVAILABLE', `the keys table (${model}) could not be used; ${hint}`, { cause })
}

/** By Prisma's error codes. */
const HINTS: { readonly [code: string]: string } = {
  P2021: 'the table does not exist: apply your migrations',
  P2022: 'it lacks a column of the Prisma schema: apply your migrations',
  P2024: 'no connection came free in time: give the pool more of them',
}
