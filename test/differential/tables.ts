import { Buffer } from 'node:buffer'
import { comparable, plain } from './comparable.js'
import { type Column, columnOf, isExact, type Model, type Schema } from './schema.js'
import { type Client, delegateOf, type Twins } from './twins.js'

type Row = { [field: string]: unknown }

/** What all tables hold, decrypted, links included. */
export async function contents(client: Client, schema: Schema): Promise<unknown> {
  const tables = schema.models.map(async (model) => {
    const args = { orderBy: model.id.map((field) => ({ [field]: 'asc' })), ...linkShape(schema, model) }
    const rows = await delegateOf(client, schema, model.name).findMany!(args)
    return [model.name, comparable(schema, { model: model.name, operation: 'findMany', args }, rows)]
  })
  return Object.fromEntries(await Promise.all(tables))
}

function linkShape(schema: Schema, { relations }: Model): object {
  const links = relations.filter(({ through }) => through === 'links')
  if (links.length === 0) return {}
  const shape = ({ model }: { model: string }) => {
    const id = schema.models.find(({ name }) => name === model)!.id[0]!
    return { select: { [id]: true }, orderBy: [{ [id]: 'asc' }] }
  }
  return { include: Object.fromEntries(links.map((relation) => [relation.field, shape(relation)])) }
}

/** What is wrong with the stored cells: plaintext, or a blind index that does not say what its field says. */
export async function flaws({ schema, stored, encrypted }: Twins): Promise<string[]> {
  const all = await Promise.all(
    schema.models.map(async (model) => {
      const order = { orderBy: model.id.map((field) => ({ [field]: 'asc' })) }
      const cells = (await delegateOf(stored, schema, model.name).findMany!(order)) as Row[]
      const values = (await delegateOf(encrypted.client, schema, model.name).findMany!(order)) as Row[]
      return [
        ...openCells(model, cells),
        ...tornIndexes(model, cells, values),
        ...tornTokens(model, cells, values),
        ...tornGroups(model, cells),
      ]
    }),
  )
  return [...new Set(all.flat())]
}

function openCells(model: Model, cells: readonly Row[]): string[] {
  const encrypted = model.columns.filter((column) => column.encrypted && !column.encrypted.migrating)
  return encrypted
    .filter(({ name, list }) => cells.some((row) => !isSealed(list, row[name])))
    .map(({ name }) => `${model.name}.${name} holds plaintext`)
}

function isSealed(list: boolean | undefined, cell: unknown): boolean {
  if (cell === null) return true
  // A list that was never written is empty.
  if (list) return Array.isArray(cell) && (cell.length === 0 || (cell.length === 1 && isCiphertext(cell[0])))
  return isCiphertext(cell)
}

function isCiphertext(cell: unknown): boolean {
  const text = ArrayBuffer.isView(cell) ? Buffer.from(cell as Uint8Array).toString('latin1') : cell
  return typeof text === 'string' && text.startsWith('fs1.') && text.length > 50
}

/** Equal values, and only they, have equal indexes; no value has none. */
function tornIndexes(model: Model, cells: readonly Row[], values: readonly Row[]): string[] {
  const strict = model.columns.filter(({ encrypted }) => !encrypted?.migrating)
  return strict.flatMap((column) =>
    (column.encrypted?.indexes ?? []).flatMap((index) => {
      const pairs = cells.map((row, position) => [key(values[position]![column.name]), key(row[index.column])] as const)
      const isWrong =
        pairs.some(([value, cell]) => (value === 'null') !== (cell === 'null')) ||
        !isFunction(pairs) ||
        (isExact(index) && !isFunction(pairs.map(([value, cell]) => [cell, value] as const)))
      return isWrong ? [torn(model, column, index.column)] : []
    }),
  )
}

/** Equal values have equal tokens, and no value has none. */
function tornTokens(model: Model, cells: readonly Row[], values: readonly Row[]): string[] {
  return model.columns.flatMap(({ name, encrypted }) => {
    const { tokens, migrating } = encrypted ?? {}
    if (!tokens || migrating) return []
    const pairs = cells.map((row, at) => [values[at]![name], (row[tokens.column] ?? []) as string[]] as const)
    const isWrong =
      pairs.some(([value, made]) => value === null && made.length > 0) ||
      !isFunction(pairs.map(([value, made]) => [key(value), made.join()] as const))
    return isWrong ? [`${model.name}.${tokens.column} is not the index of ${name}`] : []
  })
}

/** An index over several fields is there where all of them are. */
function tornGroups(model: Model, cells: readonly Row[]): string[] {
  const strict = model.groups.filter(({ sources }) =>
    sources.every((name) => !columnOf(model, name)!.encrypted!.migrating),
  )
  return strict
    .filter(({ column, sources }) =>
      cells.some((row) => (row[column] === null) !== sources.some((name) => row[name] === null)),
    )
    .map(({ column }) => `${model.name}.${column} is not the index of its fields`)
}

function torn({ name }: Model, column: Column, index: string): string {
  return `${name}.${index} is not the index of ${column.name}`
}

function key(value: unknown): string {
  return JSON.stringify(plain(value))
}

function isFunction(pairs: readonly (readonly [string, string])[]): boolean {
  return new Set(pairs.map(([from]) => from)).size === new Set(pairs.map((pair) => pair.join(' '))).size
}
