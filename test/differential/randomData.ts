import type { Dice } from './dice.js'
import { isKey, randomUnique, randomWhere } from './randomWhere.js'
import { type Column, columnOf, type Model, modelOf, type Relation, relationOf, type Schema } from './schema.js'
import { DB_NULL, JSON_NULL, keyValues, someValue, UNDEFINED, wrongValue } from './values.js'

type Data = { [field: string]: unknown }

/** What a record is written inside of. */
interface Around {
  readonly schema: Schema
  readonly depth: number
  /** The relation field that leads back to the record around, which says its value. */
  readonly back?: string
}

/** The data of a new record, with nested writes or with foreign keys. */
export function newRecord(dice: Dice, model: Model, around: Around): Data {
  const nested = around.depth > 0 && dice.chance(0.6)
  const own = ownColumns(model).map((column) => [column.name, newValue(dice, column)])
  const links = nested ? newLinks(dice, model, around) : foreignKeys(dice, model, around)
  return trimmed({ ...Object.fromEntries(own), ...links })
}

/** The data of a new record without nested writes, as `createMany` takes it. */
export function flatRecord(dice: Dice, model: Model, around: Around): Data {
  return newRecord(dice, model, { ...around, depth: 0 })
}

function ownColumns({ columns }: Model): Column[] {
  return columns.filter(({ foreign }) => !foreign)
}

const LEFT_OUT = Symbol('left out')

function trimmed(data: Data): Data {
  return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== LEFT_OUT))
}

function newValue(dice: Dice, column: Column): unknown {
  if (isKey(column)) return dice.of(keyValues(column.kind))
  if (!column.tenant && dice.chance(0.003)) return wrongValue(dice, column)
  if (column.optional && dice.chance(0.35))
    return dice.of<unknown>([LEFT_OUT, UNDEFINED, column.kind === 'Json' ? DB_NULL : null])
  if (column.kind === 'Json' && dice.chance(0.15)) return JSON_NULL
  return someValue(dice, column)
}

function foreignKeys(dice: Dice, model: Model, { back }: Around): Data {
  const own = model.relations.filter(({ from, field }) => from.length > 0 && field !== back)
  return Object.assign({}, ...own.map((relation) => foreignKey(dice, model, relation)))
}

function foreignKey(dice: Dice, model: Model, { from, optional }: Relation): Data {
  const isNull = optional && dice.chance(0.4)
  return Object.fromEntries(
    from.map((field) => [field, isNull ? null : dice.of(keyValues(columnOf(model, field)!.kind))]),
  )
}

function newLinks(dice: Dice, model: Model, around: Around): Data {
  const links = model.relations
    .filter(({ field, optional }) => field !== around.back && (!optional || dice.chance(0.35)))
    .map((relation) => [relation.field, newLink(dice, relation, around)])
  return Object.fromEntries(links)
}

function inside({ schema, depth }: Around, { model, inverse }: Relation): { target: Model; around: Around } {
  return { target: modelOf(schema, model), around: { schema, depth: depth - 1, back: inverse } }
}

function newLink(dice: Dice, relation: Relation, outer: Around): Data {
  const { target, around } = inside(outer, relation)
  const unique = () => randomUnique(dice, around.schema, target)
  const create = () => newRecord(dice, target, around)
  const orMany = (make: () => unknown) => (relation.list && dice.chance(0.4) ? dice.list(1, 2, make) : make())
  return dice.weighted<Data>([
    [relation.list ? 3 : 2, () => ({ create: orMany(create) })],
    [3, () => ({ connect: orMany(unique) })],
    [3, () => ({ connectOrCreate: orMany(() => ({ where: unique(), create: create() })) })],
    [relation.through === 'many' && relation.list ? 2 : 0, () => ({ createMany: createMany(dice, target, around) })],
  ])
}

export function createMany(dice: Dice, model: Model, around: Around): Data {
  const data = dice.list(0, 3, () => flatRecord(dice, model, around))
  return {
    data: data.length === 1 && dice.chance(0.3) ? data[0] : data,
    ...(dice.chance(0.5) && { skipDuplicates: dice.chance(0.7) }),
  }
}

/** The data of an update. */
export function changedRecord(dice: Dice, model: Model, around: Around): Data {
  const nested = around.depth > 0 && dice.chance(0.5)
  const links = nested ? changedLinks(dice, model, around) : changedKeys(dice, model, around)
  return { ...flatChanges(dice, model), ...links }
}

/** Changes of columns only, as `updateMany` takes them. */
export function flatChanges(dice: Dice, model: Model): Data {
  const together = model.groups.flatMap(({ sources }) => (dice.chance(0.3) ? sources : []))
  const columns = ownColumns(model).filter((column) => {
    if (model.groups.some(({ sources }) => sources.includes(column.name)) && dice.chance(0.95))
      return together.includes(column.name)
    return dice.chance(isKey(column) ? 0.03 : 0.3)
  })
  return Object.fromEntries(columns.map((column) => [column.name, changedValue(dice, column)]))
}

function changedValue(dice: Dice, column: Column): unknown {
  if (isKey(column)) return dice.of(keyValues(column.kind))
  if (!column.tenant && dice.chance(0.003)) return wrongValue(dice, column)
  if (dice.chance(0.05)) return UNDEFINED
  if (column.kind === 'Json')
    return column.optional && dice.chance(0.3)
      ? DB_NULL
      : dice.of([JSON_NULL, someValue(dice, column), someValue(dice, column)])
  const value = column.optional && dice.chance(0.3) ? null : someValue(dice, column)
  if (column.encrypted && dice.chance(0.01)) return column.list ? { push: [] } : { increment: 1 }
  if (column.kind === 'Int' && !column.encrypted && !column.unique && column.name !== 'rank' && dice.chance(0.2))
    return { increment: 1 }
  return dice.chance(0.3) ? { set: value } : value
}

function changedKeys(dice: Dice, model: Model, { back }: Around): Data {
  const own = model.relations.filter(({ from, field }) => from.length > 0 && field !== back && dice.chance(0.1))
  return Object.assign({}, ...own.map((relation) => foreignKey(dice, model, relation)))
}

function changedLinks(dice: Dice, model: Model, around: Around): Data {
  const some = model.relations.filter(({ field }) => field !== around.back && dice.chance(0.4))
  return Object.fromEntries(some.map((relation) => [relation.field, changedLink(dice, model, relation, around)]))
}

function changedLink(dice: Dice, model: Model, relation: Relation, around: Around): Data {
  if (dice.chance(0.3)) return newLink(dice, relation, around)
  return relation.list ? changedList(dice, relation, around) : changedOne(dice, model, relation, around)
}

function changedList(dice: Dice, relation: Relation, outer: Around): Data {
  const { target, around } = inside(outer, relation)
  const { schema } = around
  const unique = () => randomUnique(dice, schema, target)
  const where = () => randomWhere(dice, schema, target, 1)
  const update = () => changedRecord(dice, target, around)
  const orMany = (make: () => unknown) => (dice.chance(0.3) ? dice.list(1, 2, make) : make())
  return dice.weighted<Data>([
    [2, () => ({ update: orMany(() => ({ where: unique(), data: update() })) })],
    [2, () => ({ updateMany: orMany(() => ({ where: where(), data: flatChanges(dice, target) })) })],
    [
      2,
      () => ({
        upsert: orMany(() => ({ where: unique(), create: newRecord(dice, target, around), update: update() })),
      }),
    ],
    [1, () => ({ set: dice.list(0, 2, unique) })],
    [1, () => ({ disconnect: orMany(unique) })],
    [1, () => ({ delete: orMany(unique) })],
    [2, () => ({ deleteMany: orMany(where) })],
  ])
}

function changedOne(dice: Dice, _model: Model, relation: Relation, outer: Around): Data {
  const { target, around } = inside(outer, relation)
  const where = () => randomWhere(dice, around.schema, target, 1)
  const update = () => changedRecord(dice, target, around)
  const back = relationOf(target, relation.inverse)!
  const loose = relation.from.length > 0 ? relation.optional : back.optional
  return dice.weighted<Data>([
    [3, () => ({ update: dice.chance(0.5) ? update() : { where: where(), data: update() } })],
    [
      2,
      () => ({
        upsert: {
          create: newRecord(dice, target, around),
          update: update(),
          ...(dice.chance(0.3) && { where: where() }),
        },
      }),
    ],
    [loose ? 2 : 0, () => ({ disconnect: dice.chance(0.6) ? true : where() })],
    [relation.optional ? 1 : 0, () => ({ delete: dice.chance(0.6) ? true : where() })],
  ])
}
