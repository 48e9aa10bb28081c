import type { CiphertextFound, EncryptedModel, RowsOfTenant } from '../keys/ciphertextTraces.js'
import type { KeyTraces } from '../keys/keyTraces.js'
import { type IndexedModel, type TenantRows, tableKeyTraces, tracesUnavailable } from '../keys/tableKeyTraces.js'
import { ciphertextStatement, fieldFound, foundByCode } from '../maintenance/postgres/ciphertextSearch.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { clientName } from './clientModels.js'
import { primaryOf } from './primary.js'

interface RowsDelegate {
  findFirst(args: object): Promise<object | null>
}

/** What is used of a Prisma client for statements of PostgreSQL, by structure. */
interface RawClient {
  $executeRawUnsafe(text: string): unknown
  $queryRawUnsafe(text: string, ...values: unknown[]): unknown
  $transaction(statements: readonly unknown[]): Promise<readonly unknown[]>
}

/** Looks into the tables through the user's Prisma client, as `prismaKeyStore` does. */
export function prismaKeyTraces(client: object, schema: EncryptionSchema): KeyTraces {
  return tableKeyTraces(schema, {
    findRow: (indexed, whose) => findRow(client, indexed, whose),
    findCiphertext: (encrypted, whose, milliseconds) => findCiphertext(client, { encrypted, whose, milliseconds }),
  })
}

async function findRow(
  client: object,
  { model, columns, lists }: IndexedModel,
  whose: TenantRows,
): Promise<object | null> {
  const rows = (primaryOf(client) as { [model: string]: RowsDelegate })[clientName(model)]!
  const filled = {
    OR: [
      ...columns.map((column) => ({ [column]: { not: null } })),
      ...lists.map((column) => ({ [column]: { isEmpty: false } })),
    ],
  }
  const select = Object.fromEntries([...columns, ...lists].map((column) => [column, true]))
  try {
    return await rows.findFirst({ where: { AND: [whereOf(whose), filled] }, select })
  } catch (cause) {
    if (HOLDS_NONE.has(String((cause as { code?: unknown } | null)?.code))) return null
    throw tracesUnavailable(model, cause)
  }
}

function whereOf(whose: TenantRows): object {
  if (whose.kind === 'all') return {}
  if (whose.kind === 'column') return { [whose.field]: whose.tenant }
  return { OR: whose.fields.flatMap((field) => whose.heads.map((head) => ({ [field]: { startsWith: head } }))) }
}

/** By Prisma's error codes: no such table, no such column, a tenant id that the column's type cannot hold. */
const HOLDS_NONE = new Set(['P2021', 'P2022', 'P2007'])

interface CiphertextSearch {
  readonly encrypted: EncryptedModel
  readonly whose: RowsOfTenant
  readonly milliseconds: number
}

/** A filter of Prisma's knows no beginning of bytes, and no time limit. */
async function findCiphertext(
  client: object,
  { encrypted, whose, milliseconds }: CiphertextSearch,
): Promise<CiphertextFound> {
  const { text, values } = ciphertextStatement(encrypted, whose)
  const raw = primaryOf(client) as RawClient
  try {
    const [, rows] = await raw.$transaction([
      raw.$executeRawUnsafe(`SET LOCAL statement_timeout = ${milliseconds}`),
      raw.$queryRawUnsafe(text, ...values),
    ])
    const [row] = rows as readonly { readonly found: string }[]
    return row === undefined ? null : fieldFound(encrypted, row.found)
  } catch (cause) {
    const found = foundByCode(databaseCode(cause))
    if (found !== undefined) return found
    throw tracesUnavailable(encrypted.model, cause)
  }
}

/** Of a statement that failed, PostgreSQL's own code stands where the driver adapter has put it. */
function databaseCode(error: unknown): string {
  const { meta } = (error ?? {}) as RawFailure
  return String(meta?.driverAdapterError?.cause?.originalCode ?? meta?.code)
}

interface RawFailure {
  readonly meta?: {
    readonly code?: unknown
    readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown } }
  }
}
