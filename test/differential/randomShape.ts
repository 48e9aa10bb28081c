import type { Dice } from './dice.js'
import { randomUnique, randomWhere } from './randomWhere.js'
import { type Column, type Model, modelOf, type Relation, type Schema, searchIndex } from './schema.js'

type Args = { [key: string]: unknown }

/** `select`, `include` or `omit`, nested. */
export function randomShape(dice: Dice, schema: Schema, model: Model, depth = 2): Args {
  return dice.weighted<Args>([
    [3, () => ({})],
    [3, () => ({ select: randomSelect(dice, schema, model, depth) })],
    [depth > 0 ? 3 : 0, () => ({ include: nonEmpty(relationShapes(dice, schema, model, depth - 1)) })],
    [1, () => ({ omit: chosen(dice.some(names(model), 0.3)) })],
    [
      depth > 0 ? 1 : 0,
      () => ({ include: relationShapes(dice, schema, model, depth - 1), omit: chosen(dice.some(names(model), 0.3)) }),
    ],
  ])
}

function nonEmpty(include: Args): unknown {
  return Object.keys(include).length > 0 ? include : null
}

function randomSelect(dice: Dice, schema: Schema, model: Model, depth: number): Args {
  const columns = chosen(dice.some(names(model), 0.4))
  const relations = depth > 0 ? relationShapes(dice, schema, model, depth - 1) : {}
  const select = { ...columns, ...relations }
  return Object.keys(select).length > 0 ? select : { [model.id[0]!]: true }
}

function names({ columns }: Model): string[] {
  return columns.map(({ name }) => name)
}

function chosen(fields: readonly string[]): Args {
  return Object.fromEntries(fields.map((field) => [field, true]))
}

function relationShapes(dice: Dice, schema: Schema, model: Model, depth: number): Args {
  const shapes = dice
    .some(model.relations, 0.4)
    .map((relation) => [relation.field, relationShape(dice, schema, relation, depth)])
  const lists = model.relations.filter(({ list }) => list)
  const counts = lists.length > 0 && dice.chance(0.2) ? { _count: countShape(dice, schema, lists) } : {}
  return { ...Object.fromEntries(shapes), ...counts }
}

function countShape(dice: Dice, schema: Schema, lists: readonly Relation[]): unknown {
  if (dice.chance(0.2)) return true
  const one = ({ model }: Relation) =>
    dice.chance(0.7) ? { where: randomWhere(dice, schema, modelOf(schema, model), 1) } : true
  const some = dice.some(lists, 0.7)
  return {
    select: Object.fromEntries((some.length > 0 ? some : lists).map((relation) => [relation.field, one(relation)])),
  }
}

function relationShape(dice: Dice, schema: Schema, relation: Relation, depth: number): unknown {
  if (dice.chance(0.4)) return true
  const model = modelOf(schema, relation.model)
  const shape = randomShape(dice, schema, model, depth)
  if (relation.list) return { ...shape, ...randomQuery(dice, schema, model, 1) }
  const filtered = relation.optional && relation.from.length > 0 && dice.chance(0.3)
  return filtered ? { ...shape, where: randomWhere(dice, schema, model, 1) } : shape
}

/** `where`, `orderBy` and paging; whatever pages has a total order. */
export function randomQuery(dice: Dice, schema: Schema, model: Model, depth = 2): Args {
  const where = dice.chance(0.8) ? { where: randomWhere(dice, schema, model, depth) } : {}
  return { ...where, ...randomPaging(dice, schema, model) }
}

function randomPaging(dice: Dice, schema: Schema, model: Model): Args {
  if (dice.chance(0.55)) return {}
  const distinct = dice.chance(0.25) ? { distinct: randomDistinct(dice, model) } : {}
  return {
    orderBy: randomOrder(dice, schema, model),
    ...(dice.chance(0.4) && { take: dice.of([0, 1, 2, 3, -2]) }),
    ...(dice.chance(0.25) && { skip: dice.int(0, 2) }),
    ...(dice.chance(0.25) && randomCursor(dice, schema, model, 'distinct' in distinct)),
    ...distinct,
  }
}

/** Beside `distinct`, Prisma pages in memory and loses a cursor whose value is an object, as a Decimal is. */
function randomCursor(dice: Dice, schema: Schema, model: Model, inMemory: boolean): Args {
  const cursor = randomUnique(dice, schema, model)
  return inMemory && JSON.stringify(cursor).includes('"$') ? {} : { cursor }
}

function randomDistinct(dice: Dice, model: Model): unknown {
  const answerable = model.columns.filter((column) => isDistinct(column) || dice.chance(0.03))
  const some = dice.list(1, 2, () => dice.of(answerable).name)
  return some.length === 1 && dice.chance(0.3) ? some[0] : [...new Set(some)]
}

function isDistinct(column: Column): boolean {
  return (!column.encrypted || searchIndex(column) !== undefined) && column.kind !== 'Json'
}

/** By plain columns and counts, and the id last. */
export function randomOrder(dice: Dice, schema: Schema, model: Model): unknown {
  const direction = () => dice.of(['asc', 'desc'])
  const columns = model.columns.filter(({ encrypted, kind }) => (!encrypted || dice.chance(0.02)) && kind !== 'Json')
  const first = dice.list(0, 1, () => {
    const { name, optional } = dice.of(columns)
    return {
      [name]: optional && dice.chance(0.3) ? { sort: direction(), nulls: dice.of(['first', 'last']) } : direction(),
    }
  })
  const relations =
    dice.chance(0.15) && model.relations.length > 0 ? [relationOrder(dice, schema, dice.of(model.relations))] : []
  return [...first, ...relations, ...totalOrder(dice, model)]
}

function relationOrder(dice: Dice, schema: Schema, { field, list, model }: Relation): object {
  if (list) return { [field]: { _count: dice.of(['asc', 'desc']) } }
  const columns = modelOf(schema, model).columns.filter(({ encrypted, kind }) => !encrypted && kind !== 'Json')
  return { [field]: { [dice.of(columns).name]: dice.of(['asc', 'desc']) } }
}

export function totalOrder(dice: Dice, model: Model): object[] {
  return model.id.map((field) => ({ [field]: dice.of(['asc', 'desc']) }))
}
