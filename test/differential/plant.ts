import { Buffer } from 'node:buffer'
import type { Plant } from './randomCase.js'
import { type Column, columnOf, type Model, modelOf } from './schema.js'
import { delegateOf, type Twins } from './twins.js'

/**
 * Puts the plaintext of a migrating field back into its column, as it stood there before anything was encrypted. The
 * plain side has it anyway.
 */
export async function plant({ schema, encrypted, stored }: Twins, { model, id, field }: Plant): Promise<void> {
  const column = columnOf(modelOf(schema, model), field)!
  const where = { AND: Object.entries(id).map(([key, value]) => ({ [key]: value })) }
  const row = (await delegateOf(encrypted.client, schema, model).findFirst!({ where })) as {
    [field: string]: unknown
  } | null
  const text = row && textOf(column, row[field])
  if (text === null || text === undefined || isMistakable(text)) return
  await delegateOf(stored, schema, model).updateMany!({
    where,
    data: {
      [field]: text,
      ...clearedIndexes(modelOf(schema, model), column),
      ...(column.encrypted!.tokens ? { [column.encrypted!.tokens.column]: [] } : {}),
    },
  })
}

function clearedIndexes({ groups }: Model, { name, encrypted }: Column): object {
  const own = encrypted!.indexes.map(({ column }) => column)
  const shared = groups.filter(({ sources }) => sources.includes(name)).map(({ column }) => column)
  return Object.fromEntries([...own, ...shared].map((column) => [column, null]))
}

function textOf(column: Column, value: unknown): unknown {
  if (value === null || value === undefined) return null
  return Array.isArray(value) && column.list
    ? value.map((element) => elementText(column, element))
    : elementText(column, value)
}

/** The value itself in a column of its type, else what PostgreSQL's `::text` makes of it. */
function elementText({ kind, encrypted }: Column, value: unknown): unknown {
  if (kind === encrypted!.storage) return value
  if (kind === 'Json') return JSON.stringify(value)
  if (kind === 'Bytes') return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`
  if (value instanceof Date) return value.toISOString()
  return kind === 'Decimal' ? (value as { toFixed(): string }).toFixed() : String(value)
}

/** What looks like a ciphertext is none that could have stood there. */
function isMistakable(text: unknown): boolean {
  return [text].flat().some((element) => typeof element === 'string' && element.startsWith('fs1.'))
}
