import type { Dice } from './dice.js'
import {
  type Column,
  type Model,
  modelOf,
  type Relation,
  type Schema,
  searchIndex,
  selectorOf,
  selectorsOf,
} from './schema.js'
import { ANY_NULL, DB_NULL, JSON_NULL, keyValues, poolOf, reference, UNDEFINED } from './values.js'

export type Where = { [key: string]: unknown }

/** How often something is asked that has no right answer on an encrypted field. */
const REFUSED = 0.02

/** A filter, at any depth. */
export function randomWhere(dice: Dice, schema: Schema, model: Model, depth = 2): Where {
  const parts = dice.list(0, 2, () => randomPart(dice, schema, model, depth))
  return Object.assign({}, ...parts)
}

function randomPart(dice: Dice, schema: Schema, model: Model, depth: number): Where {
  return dice.weighted<Where>([
    [6, () => columnPart(dice, model)],
    [model.groups.length * 3, () => groupPart(dice, model)],
    [
      depth > 0 && model.relations.length > 0 ? 3 : 0,
      () => relationPart(dice, schema, dice.of(model.relations), depth - 1),
    ],
    [depth > 0 ? 2 : 0, () => combinedPart(dice, schema, model, depth - 1)],
  ])
}

function columnPart(dice: Dice, model: Model): Where {
  const searched = model.columns.filter((column) => searchIndex(column) ?? column.encrypted?.tokens)
  const column = searched.length > 0 && dice.chance(0.6) ? dice.of(searched) : dice.of(model.columns)
  return { [column.name]: columnFilter(dice, model, column) }
}

/** All fields of an index over several, by one value each. */
function groupPart(dice: Dice, model: Model): Where {
  const columns = model.groups[0]!.sources.map((name) => model.columns.find((column) => column.name === name)!)
  const value = (column: Column) => (dice.chance(0.8) ? dice.of(poolOf(column)) : { equals: dice.of(poolOf(column)) })
  return Object.fromEntries(columns.map((column) => [column.name, value(column)]))
}

function combinedPart(dice: Dice, schema: Schema, model: Model, depth: number): Where {
  const many = () => dice.list(0, 2, () => randomWhere(dice, schema, model, depth))
  const one = () => randomWhere(dice, schema, model, depth)
  const key = dice.of(['AND', 'OR', 'NOT'])
  return { [key]: key === 'OR' || dice.chance(0.6) ? many() : one() }
}

function relationPart(dice: Dice, schema: Schema, relation: Relation, depth: number): Where {
  const inside = () => randomWhere(dice, schema, modelOf(schema, relation.model), depth)
  if (relation.list) return { [relation.field]: { [dice.of(['some', 'every', 'none'])]: inside() } }
  const filter = dice.weighted<unknown>([
    [3, inside],
    [2, () => ({ is: inside() })],
    [2, () => ({ isNot: inside() })],
    [relation.optional ? 1 : 0, () => dice.of([null, { is: null }, { isNot: null }])],
  ])
  return { [relation.field]: filter }
}

/** The filter of one column. */
export function columnFilter(dice: Dice, model: Model, column: Column): unknown {
  if (dice.chance(0.03)) return dice.of<unknown>([UNDEFINED, {}, { equals: UNDEFINED }])
  if (dice.chance(REFUSED)) return refusable(dice, model, column)
  if (column.kind === 'Json') return jsonFilter(dice, column)
  if (column.list) return listFilter(dice, column)
  if (column.encrypted?.tokens && dice.chance(0.5)) return tokenFilter(dice, column)
  if (column.encrypted && !searchIndex(column)) return nullFilter(dice, column)
  return valueFilter(dice, column)
}

/** What a text or range index answers, mostly. */
function tokenFilter(dice: Dice, column: Column): unknown {
  const one = (): { [operator: string]: unknown } =>
    column.kind === 'String'
      ? { [dice.of(['startsWith', 'endsWith', 'contains'])]: piece(dice, dice.of(poolOf(column)) as string) }
      : { [dice.of(['gt', 'gte', 'lt', 'lte'])]: dice.of(poolOf(column)) }
  return dice.weighted<unknown>([
    [5, one],
    [2, () => ({ ...one(), ...one() })],
    [2, () => ({ not: one() })],
    [1, () => ({ not: { ...one(), ...one() } })],
    [1, () => ({ not: { not: one() } })],
    [1, () => ({ ...one(), not: one() })],
    [column.optional ? 1 : 0, () => ({ ...one(), not: null })],
  ])
}

function piece(dice: Dice, text: string): string {
  const points = Array.from(text)
  const from = dice.int(0, Math.max(points.length - 1, 0))
  return points.slice(from, from + dice.int(1, 4)).join('')
}

function nullFilter(dice: Dice, { optional }: Column): unknown {
  if (!optional) return UNDEFINED
  return dice.of<unknown>([null, { equals: null }, { not: null }, { not: { equals: null } }, { not: { not: null } }])
}

function valueFilter(dice: Dice, column: Column): unknown {
  const value = () => valueOrKey(dice, column)
  const some = () => dice.list(0, 3, value)
  const lists = column.kind === 'Boolean' ? 0 : 1
  return dice.weighted<unknown>([
    [column.optional ? 2 : 0, () => nullFilter(dice, column)],
    [3, value],
    [2, () => ({ equals: value() })],
    [lists * 2, () => ({ in: some() })],
    [lists * 2, () => ({ notIn: some() })],
    [2, () => ({ not: value() })],
    [1, () => ({ not: { equals: value() } })],
    [lists, () => ({ not: { in: some() } })],
    [1, () => ({ not: { not: value() } })],
    [lists, () => ({ in: some(), not: value() })],
    [column.optional ? lists : 0, () => ({ in: some(), not: null })],
    [column.encrypted || column.kind === 'Bytes' ? 0 : 2, () => plainFilter(dice, column)],
  ])
}

function valueOrKey(dice: Dice, column: Column): unknown {
  return column.foreign || isKey(column) ? dice.of(keyValues(column.kind)) : dice.of(poolOf(column))
}

export function isKey({ name }: Column): boolean {
  return name === 'id' || name === 'part' || name === 'number'
}

function plainFilter(dice: Dice, column: Column): unknown {
  const value = valueOrKey(dice, column)
  if (column.kind === 'String') return { [dice.of(['contains', 'startsWith', 'gt', 'lte'])]: value }
  if (column.kind === 'Boolean' || column.kind === 'Enum' || column.kind === 'Uuid') return value
  return { [dice.of(['gt', 'gte', 'lt', 'lte'])]: value }
}

function jsonFilter(dice: Dice, column: Column): unknown {
  if (column.encrypted) return column.optional ? dice.of<unknown>([{ equals: DB_NULL }, { not: DB_NULL }]) : UNDEFINED
  return dice.of<unknown>([
    { equals: JSON_NULL },
    { equals: ANY_NULL },
    { path: ['a'], equals: 1 },
    { equals: dice.of(poolOf(column)) },
  ])
}

function listFilter(dice: Dice, column: Column): unknown {
  if (column.encrypted) return UNDEFINED
  return { has: dice.of(poolOf(column)) }
}

/** Mostly what no index answers; a plain column takes most of it. */
function refusable(dice: Dice, model: Model, column: Column): unknown {
  const value = valueOrKey(dice, column)
  const same = model.columns.find(({ kind, encrypted }) => kind === column.kind && encrypted)
  return dice.of<unknown>([
    { contains: value },
    { gt: value },
    { equals: value },
    { equals: value, mode: 'insensitive' },
    { in: null },
    ...(same ? [{ equals: reference(model.name, same.name) }] : []),
  ])
}

/** Names one row, with conditions beside it now and then. */
export function randomUnique(dice: Dice, schema: Schema, model: Model): Where {
  const all = selectorsOf(model)
  const encrypted = all.filter(({ fields }) =>
    fields.some((field) => model.columns.find(({ name }) => name === field)?.encrypted),
  )
  const unique = encrypted.length > 0 && dice.chance(0.5) ? dice.of(encrypted) : dice.of([all[0]!, dice.of(all)])
  const values = Object.fromEntries(unique.fields.map((field) => [field, uniqueValue(dice, model, field)]))
  const named = unique.fields.length === 1 ? values : { [selectorOf(unique)]: values }
  return dice.chance(0.12) ? { ...beside(dice, schema, model), ...named } : named
}

/** Prisma takes values only of fields that are unique, and no filters; the extension takes `{ equals }` too. */
function beside(dice: Dice, schema: Schema, model: Model): Where {
  const isUnique = (name: string) => model.columns.some((column) => column.name === name && column.unique)
  return Object.fromEntries(Object.entries(randomWhere(dice, schema, model, 1)).filter(([name]) => !isUnique(name)))
}

function uniqueValue(dice: Dice, model: Model, field: string): unknown {
  if (dice.chance(0.01)) return null
  return valueOrKey(dice, model.columns.find(({ name }) => name === field)!)
}
