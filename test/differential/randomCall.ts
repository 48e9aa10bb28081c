import type { Dice } from './dice.js'
import type { Call } from './randomCase.js'
import { changedRecord, createMany, flatChanges, newRecord } from './randomData.js'
import { randomOrder, randomQuery, randomShape } from './randomShape.js'
import { randomUnique, randomWhere } from './randomWhere.js'
import { type Model, modelOf, type Schema, searchIndex } from './schema.js'
import { keyValues } from './values.js'

type Args = { [argument: string]: unknown }

/** Any operation of the client. */
export function randomCall(dice: Dice, schema: Schema, model: Model): Call {
  const operation = dice.of(Object.keys(OPERATIONS))
  const args = OPERATIONS[operation]!(dice, schema, model)
  const call = { model: model.name, operation, args }
  const chains = CHAINED.has(operation) && dice.chance(0.2) && !('select' in args) && !('include' in args)
  return chains && model.relations.length > 0 ? { ...call, fluent: randomChain(dice, schema, model) } : call
}

type Making = (dice: Dice, schema: Schema, model: Model) => Args

const unique = (dice: Dice, schema: Schema, model: Model): Args => ({ where: randomUnique(dice, schema, model) })
const where = (dice: Dice, schema: Schema, model: Model): Args =>
  dice.chance(0.9) ? { where: randomWhere(dice, schema, model) } : {}
const around = (schema: Schema) => ({ schema, depth: 2 })

/** First rows need an order, or nobody knows which they are. */
const first: Making = (dice, schema, model) => ({
  ...randomShape(dice, schema, model),
  ...randomQuery(dice, schema, model),
  orderBy: randomOrder(dice, schema, model),
  ...(dice.chance(0.85) ? {} : { take: dice.of([1, -1]) }),
})

const OPERATIONS: { readonly [operation: string]: Making } = {
  findUnique: (dice, schema, model) => ({ ...unique(dice, schema, model), ...randomShape(dice, schema, model) }),
  findUniqueOrThrow: (dice, schema, model) => ({ ...unique(dice, schema, model), ...randomShape(dice, schema, model) }),
  findFirst: first,
  findFirstOrThrow: first,
  findMany: (dice, schema, model) => ({ ...randomQuery(dice, schema, model), ...randomShape(dice, schema, model) }),
  create: (dice, schema, model) => ({
    data: newRecord(dice, model, around(schema)),
    ...randomShape(dice, schema, model),
  }),
  createMany: (dice, schema, model) => createMany(dice, model, around(schema)),
  createManyAndReturn: (dice, schema, model) => ({
    ...createMany(dice, model, around(schema)),
    ...flatShape(dice, schema, model),
  }),
  update: (dice, schema, model) => ({
    ...unique(dice, schema, model),
    data: changedRecord(dice, model, around(schema)),
    ...randomShape(dice, schema, model),
  }),
  updateMany: (dice, schema, model) => ({
    ...where(dice, schema, model),
    data: flatChanges(dice, model),
    ...limit(dice, model),
  }),
  updateManyAndReturn: (dice, schema, model) => ({
    ...where(dice, schema, model),
    data: flatChanges(dice, model),
    ...flatShape(dice, schema, model),
    ...limit(dice, model),
  }),
  upsert: (dice, schema, model) => ({ ...randomUpsert(dice, schema, model), ...randomShape(dice, schema, model) }),
  delete: (dice, schema, model) => ({ ...unique(dice, schema, model), ...randomShape(dice, schema, model) }),
  deleteMany: (dice, schema, model) => ({ ...where(dice, schema, model), ...limit(dice, model) }),
  count: (dice, schema, model) => randomCount(dice, schema, model),
  aggregate: (dice, schema, model) => randomAggregate(dice, schema, model),
  groupBy: (dice, schema, model) => randomGroups(dice, schema, model),
}

const CHAINED = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'create',
  'update',
  'upsert',
  'delete',
])

function randomChain(dice: Dice, schema: Schema, model: Model): NonNullable<Call['fluent']> {
  const relation = dice.of(model.relations)
  const target = modelOf(schema, relation.model)
  const query = relation.list ? randomQuery(dice, schema, target, 1) : {}
  const isLast = relation.list || dice.chance(0.6) || target.relations.length === 0
  const args = { ...query, ...(isLast ? randomShape(dice, schema, target, 1) : {}) }
  return [{ field: relation.field, args }, ...(isLast ? [] : randomChain(dice, schema, target))]
}

/** Often written for the value that it looks for. */
function randomUpsert(dice: Dice, schema: Schema, model: Model): Args {
  const selector = randomUnique(dice, schema, model)
  const create = newRecord(dice, model, around(schema))
  const named = Object.entries(selector).find(([, value]) => value !== null && typeof value !== 'object')
  if (named && dice.chance(0.6)) create[named[0]] = named[1]
  return { where: selector, create, update: dice.chance(0.15) ? {} : changedRecord(dice, model, around(schema)) }
}

/** Results of many writes have columns, and relations to one. */
function flatShape(dice: Dice, schema: Schema, model: Model): Args {
  const shape = randomShape(dice, schema, model, 0)
  const ones = model.relations.filter(({ from }) => from.length > 0)
  if ('select' in shape || ones.length === 0 || dice.chance(0.7)) return shape
  return { ...shape, include: { [dice.of(ones).field]: true } }
}

/** Which rows are changed must not depend on the database's choice: none, all, or one named by its id. */
function limit(dice: Dice, model: Model): Args {
  if (dice.chance(0.8)) return {}
  if (dice.chance(0.6)) return { limit: dice.of([0, 100]) }
  const named = model.id.map((field) => [
    field,
    dice.of(keyValues(model.columns.find(({ name }) => name === field)!.kind)),
  ])
  return { limit: 1, where: Object.fromEntries(named) }
}

function randomCount(dice: Dice, schema: Schema, model: Model): Args {
  const select = {
    select: Object.fromEntries([['_all', true], ...dice.some(model.columns, 0.3).map(({ name }) => [name, true])]),
  }
  return { ...countable(dice, schema, model), ...(dice.chance(0.4) && select) }
}

/** `distinct` is no argument of aggregates. */
function countable(dice: Dice, schema: Schema, model: Model): Args {
  const { distinct: _, ...query } = randomQuery(dice, schema, model)
  return query
}

function randomAggregate(dice: Dice, schema: Schema, model: Model): Args {
  return { ...countable(dice, schema, model), ...aggregates(dice, model) }
}

function aggregates(dice: Dice, model: Model): Args {
  const isNumber = (kind: string) => ['Int', 'BigInt', 'Float', 'Decimal'].includes(kind)
  const plain = model.columns.filter(
    ({ encrypted, kind }) =>
      kind !== 'Json' && kind !== 'Bytes' && kind !== 'Boolean' && (!encrypted || dice.chance(0.03)),
  )
  const numbers = plain.filter(({ kind, unique }) => isNumber(kind) && !unique)
  const chosen = (columns: Model['columns']) => Object.fromEntries(columns.map(({ name }) => [name, true]))
  return {
    _count: dice.chance(0.3) ? true : { _all: true, ...chosen(dice.some(model.columns, 0.3)) },
    ...(dice.chance(0.3) && plain.length > 0 && { [dice.of(['_min', '_max'])]: chosen([dice.of(plain)]) }),
    ...(dice.chance(0.3) && numbers.length > 0 && { _sum: chosen([dice.of(numbers)]) }),
  }
}

function randomGroups(dice: Dice, schema: Schema, model: Model): Args {
  const grouped = model.columns.filter(
    (column) => column.kind !== 'Json' && (!column.encrypted || (searchIndex(column) && dice.chance(0.05))),
  )
  const by = [...new Set(dice.list(1, 2, () => dice.of(grouped).name))]
  const paged = {
    orderBy: by.map((name) => ({ [name]: dice.of(['asc', 'desc']) })),
    ...(dice.chance(0.5) && { take: 2, skip: dice.int(0, 1) }),
  }
  return {
    by: by.length === 1 && dice.chance(0.3) ? by[0] : by,
    ...where(dice, schema, model),
    ...aggregates(dice, model),
    ...(dice.chance(0.3) && { having: { rank: { _avg: { gt: 1 } } } }),
    ...(dice.chance(0.4) && paged),
  }
}
