import {
  And,
  Any,
  ArrayContains,
  Between,
  Equal,
  type FindManyOptions,
  type FindOperator,
  ILike,
  In,
  IsNull,
  LessThan,
  LessThanOrEqual,
  Like,
  MoreThan,
  MoreThanOrEqual,
  Not,
  Or,
  Raw,
} from 'typeorm'
import { relationOf, type Schema } from './schema.js'
import type { Condition, FindOptions, Row, Shape, Where } from './step.js'
import { made } from './values.js'

type Tree = { [key: string]: unknown }

/** Sets what is at the end of a path of properties. */
export function setAt(target: Tree, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop()!
  let inner = target
  for (const name of names) {
    inner[name] ??= {}
    inner = inner[name] as Tree
  }
  inner[last] = value
}

export function rowObject(schema: Schema, entity: string, { values, relations }: Row): Tree {
  const object: Tree = {}
  for (const [path, value] of Object.entries(values)) setAt(object, path, made(value))
  for (const [field, related] of Object.entries(relations)) {
    const relation = field === 'parent' ? { entity, lazy: false } : relationOf(schema, entity, field)
    const one = (row: Row) => rowObject(schema, relation.entity, row)
    const value = related === null ? null : Array.isArray(related) ? related.map(one) : one(related as Row)
    object[field] = relation.lazy ? Promise.resolve(value) : value
  }
  return object
}

export function whereObject({ columns, relations }: Where): Tree {
  const object: Tree = {}
  for (const [path, condition] of Object.entries(columns)) setAt(object, path, operator(condition))
  for (const [field, where] of Object.entries(relations)) object[field] = whereObject(where)
  return object
}

export function findObject(options: FindOptions): FindManyOptions {
  const { where, relations, select, order, take, skip, withDeleted, byQueries } = options
  const ordered: Tree = {}
  for (const [path, direction] of Object.entries(order)) setAt(ordered, path, direction)
  const selected: Tree = {}
  for (const path of select ?? []) setAt(selected, path, true)
  return {
    ...(where.length > 0 && { where: where.length === 1 ? whereObject(where[0]!) : where.map(whereObject) }),
    relations: shapeObject(relations),
    ...(select && { select: selected }),
    order: ordered,
    ...(take !== undefined && { take }),
    ...(skip !== undefined && { skip }),
    ...(withDeleted && { withDeleted }),
    ...(byQueries && { relationLoadStrategy: 'query' }),
  } as FindManyOptions
}

function shapeObject(shape: Shape): Tree {
  return Object.fromEntries(
    Object.entries(shape).map(([field, inner]) => [field, Object.keys(inner).length === 0 ? true : shapeObject(inner)]),
  )
}

let parameters = 0

function operator(condition: Condition): unknown {
  switch (condition.is) {
    case 'value':
      return made(condition.value)
    case 'IsNull':
      return IsNull()
    case 'Not':
      return Not(operator(condition.of) as FindOperator<unknown>)
    case 'And':
      return And(...condition.all.map((each) => asOperator(each)))
    case 'Or':
      return Or(...condition.all.map((each) => asOperator(each)))
    case 'Raw':
      return raw(condition)
    case 'Between':
      return Between(...(made(condition.values) as [unknown, unknown]))
    case 'In':
    case 'Any':
    case 'ArrayContains':
      return { In, Any, ArrayContains }[condition.is](made(condition.values) as never)
    default:
      return { Equal, Like, ILike, MoreThan, MoreThanOrEqual, LessThan, LessThanOrEqual }[condition.is](
        made(condition.value) as never,
      )
  }
}

function asOperator(condition: Condition): FindOperator<unknown> {
  return (condition.is === 'value' ? Equal(made(condition.value)) : operator(condition)) as FindOperator<unknown>
}

function raw({ operator: word, value }: Extract<Condition, { is: 'Raw' }>): FindOperator<unknown> {
  parameters += 1
  const name = `raw${parameters}`
  return Raw((column) => (word === 'function' ? `lower(${column}) = :${name}` : `${column} ${word} :${name}`), {
    [name]: made(value),
  })
}
