import type { KeyTraces } from '../keys/keyTraces.js'
import { type IndexedModel, type TenantRows, tableKeyTraces, tracesUnavailable } from '../keys/tableKeyTraces.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { clientName } from './clientModels.js'
import { primaryOf } from './primary.js'

interface RowsDelegate {
  findFirst(args: object): Promise<object | null>
}

/** Looks into the tables through the user's Prisma client, as `prismaKeyStore` does. */
export function prismaKeyTraces(client: object, schema: EncryptionSchema): KeyTraces {
  return tableKeyTraces(schema, (indexed, whose) => findRow(client, indexed, whose))
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
