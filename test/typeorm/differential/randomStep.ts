import type { Dice } from '../../differential/dice.js'
import { randomBuilder } from './randomBuilder.js'
import { allColumns, randomExpression, randomWhere } from './randomWhere.js'
import {
  type Column,
  columnsOf,
  type Entity,
  entityOf,
  groupsOf,
  isMany,
  relationOf,
  relationsOf,
  rootOf,
  type Schema,
  statedColumns,
} from './schema.js'
import type { Action, Case, Finding, FindOptions, RawForm, Row, Shape, Step, TreeWay } from './step.js'
import { keyValues, someValue, valueAt, wrongValue } from './values.js'

/** Some rows to begin with, and some actions on them. */
export function randomCase(dice: Dice, schema: Schema): Case {
  const rows = schema.entities.flatMap(({ name }) => planted(dice, schema, name))
  const stated = schema.entities.filter(({ name }) => statedColumns(schema, name).length > 0)
  const plain = (): Step => ({ kind: 'plaintext', entity: dice.of(stated).name, actions: [] })
  const steps = dice.list(3, 8, () => (stated.length > 0 && dice.chance(0.2) ? plain() : randomStep(dice, schema)))
  return [...rows, ...(stated.length > 0 ? [plain()] : []), ...steps]
}

function planted(dice: Dice, schema: Schema, entity: string): Step[] {
  const ids = dice.shuffled(keyValues(rootOf(schema, entity).id)).slice(0, dice.int(1, 3))
  return ids.map((id, position) => {
    const cells = columnsOf(schema, entity).map((column) => [column.path, plantedCell(dice, column, position)])
    const row = { values: { ...Object.fromEntries(cells), id }, relations: {} }
    return { kind: 'alone', actions: [{ do: 'save', entity, rows: [row] }] }
  })
}

/** Of the tenant whose rows they are, and in no conflict with others. */
function plantedCell(dice: Dice, column: Column, position: number): unknown {
  if (column.tenant) return 'acme'
  if (column.unique) return valueAt(column, position)
  return column.nullable && dice.chance(0.2) ? null : someValue(dice, column)
}

function randomStep(dice: Dice, schema: Schema): Step {
  const action = () => randomAction(dice, schema)
  if (dice.chance(0.85)) return { kind: 'alone', actions: [action()] }
  const [actions, rollback] = [dice.list(1, 3, action), dice.chance(0.3)]
  return { kind: 'transaction', actions, rollback, ...(actions.length > 1 && dice.chance(0.4) && { savepoint: true }) }
}

function randomAction(dice: Dice, schema: Schema): Action {
  const entity = dice.of(schema.entities)
  const { name } = entity
  const where = () => randomWhere(dice, schema, name, 0)
  const ints = columnsOf(schema, name).filter(({ kind, list }) => kind === 'Int' && !list)
  const path = () => dice.of(ints).path
  const isTree = entity.tree !== undefined
  const soft = rootOf(schema, name).isSoft ? 2 : 0
  return dice.weighted<Action>([
    [5, () => ({ do: 'save', entity: name, rows: dice.list(1, 2, () => randomRow(dice, schema, name, 1)) })],
    [isTree ? 0 : 3, () => ({ do: 'insert', entity: name, rows: dice.list(1, 3, () => flatRow(dice, schema, name)) })],
    [isTree ? 0 : 3, () => upsert(dice, schema, name)],
    [1, () => ({ do: 'preload', entity: name, rows: [randomRow(dice, schema, name, 0)] })],
    [
      isTree ? 0 : 4,
      () => ({ do: 'update', entity: name, where: keyOr(dice, schema, name), set: change(dice, schema, name) }),
    ],
    [
      3,
      () => ({
        do: 'change',
        entity: name,
        where: randomWhere(dice, schema, name, 1),
        set: change(dice, schema, name),
      }),
    ],
    [isTree ? 0 : 2, () => ({ do: 'remove', entity: name, where: where() })],
    [soft, () => ({ do: dice.of(['softRemove', 'recover'] as const), entity: name, where: where() })],
    [isTree ? 0 : 2, () => ({ do: 'delete', entity: name, where: where() })],
    [soft, () => ({ do: dice.of(['softDelete', 'restore'] as const), entity: name, where: where() })],
    [2, () => ({ do: dice.of(['increment', 'decrement'] as const), entity: name, where: where(), path: path() })],
    [
      1,
      () => ({
        do: dice.of(['sum', 'average', 'minimum', 'maximum'] as const),
        entity: name,
        where: where(),
        path: path(),
      }),
    ],
    [12, () => find(dice, schema, name)],
    [12, () => ({ do: 'select', builder: randomBuilder(dice, schema, name) })],
    [isTree ? 0 : 5, () => writingBuilder(dice, schema, name)],
    [relationsOf(schema, name).length > 0 ? 3 : 0, () => relationBuilder(dice, schema, name)],
    [isTree ? 6 : 0, () => tree(dice, entity)],
    [6, () => raw(dice, schema, name, isTree)],
  ])
}

function keyOr(dice: Dice, schema: Schema, entity: string) {
  if (dice.chance(0.5)) return randomWhere(dice, schema, entity, 0)
  return {
    columns: { id: { is: 'value', value: dice.of(keyValues(rootOf(schema, entity).id)) } as const },
    relations: {},
  }
}

function cellOf(dice: Dice, column: Column): unknown {
  if (column.nullable && dice.chance(0.2)) return null
  return dice.chance(0.01) ? (wrongValue(column) ?? someValue(dice, column)) : someValue(dice, column)
}

function flatRow(dice: Dice, schema: Schema, entity: string): Row {
  const columns = columnsOf(schema, entity).filter(({ nullable }) => !nullable || dice.chance(0.7))
  return {
    values: {
      id: dice.of(keyValues(rootOf(schema, entity).id)),
      ...Object.fromEntries(columns.map((column) => [column.path, cellOf(dice, column)])),
    },
    relations: {},
  }
}

/** With rows that it is related to: whole ones where it cascades, else keys. */
function randomRow(dice: Dice, schema: Schema, entity: string, depth: number): Row {
  const row = flatRow(dice, schema, entity)
  const related = relationsOf(schema, entity).filter(() => dice.chance(depth > 0 ? 0.35 : 0))
  const relations = Object.fromEntries(
    related.map((relation): [string, Row['relations'][string]] => {
      const one = () =>
        relation.cascade ? randomRow(dice, schema, relation.entity, depth - 1) : keyRow(dice, schema, relation.entity)
      if (isMany(relation)) return [relation.field, dice.list(0, 2, one)]
      return [relation.field, dice.chance(0.15) ? null : one()]
    }),
  )
  const { tree } = entityOf(schema, entity)
  const parent = tree && dice.chance(0.6) ? { parent: keyRow(dice, schema, entity) } : {}
  return { ...row, relations: { ...relations, ...parent } }
}

function keyRow(dice: Dice, schema: Schema, entity: string): Row {
  return { values: { id: dice.of(keyValues(rootOf(schema, entity).id)) }, relations: {} }
}

function change(dice: Dice, schema: Schema, entity: string): Row {
  const columns = columnsOf(schema, entity)
  const group = groupsOf(schema, entity)[0]
  const chosen = new Set(dice.list(1, 2, () => dice.of(columns)))
  if (group && dice.chance(0.5))
    for (const column of columns) if (group.sources.includes(column.path)) chosen.add(column)
  const id = dice.chance(0.03) ? { id: dice.of(keyValues(rootOf(schema, entity).id)) } : {}
  return {
    values: { ...Object.fromEntries([...chosen].map((column) => [column.path, cellOf(dice, column)])), ...id },
    relations: {},
  }
}

function upsert(dice: Dice, schema: Schema, entity: string): Action {
  const uniques = columnsOf(schema, entity).filter(({ unique }) => unique)
  const conflict = uniques.length > 0 && dice.chance(0.5) ? dice.of(uniques).path : 'id'
  const rows = dice.list(1, 2, () => flatRow(dice, schema, entity))
  return { do: 'upsert', entity, rows, conflict }
}

function find(dice: Dice, schema: Schema, entity: string): Action {
  const way = dice.weighted<Finding>([
    [5, () => 'find'],
    [1, () => dice.of(['findOne', 'findOneOrFail'] as const)],
    [1, () => 'findAndCount'],
    [2, () => dice.of(['count', 'exists'] as const)],
    [1, () => 'lazy'],
  ])
  return { do: way, entity, options: findOptions(dice, schema, entity, way) }
}

function findOptions(dice: Dice, schema: Schema, entity: string, way: Finding): FindOptions {
  const columns = allColumns(schema, entity)
  const isPaged = way.startsWith('findOne') || dice.chance(0.15)
  const orders = dice.some(columns, 0.08).filter(({ kind, list }) => kind !== 'Json' && !list)
  const order = Object.fromEntries(orders.map(({ path }) => [path, dice.of(['ASC', 'DESC'] as const)]))
  const byId = isPaged || orders.length > 0 ? { id: 'ASC' as const } : {}
  return {
    where: dice.list(0, dice.of([1, 1, 2]), () => randomWhere(dice, schema, entity, 1)),
    relations: way === 'lazy' ? {} : randomShape(dice, schema, entity, 2),
    ...(dice.chance(0.15) && { select: [...new Set(['id', ...dice.some(columns, 0.4).map(({ path }) => path)])] }),
    order: { ...order, ...byId },
    ...(isPaged && !way.startsWith('findOne') && { take: dice.int(0, 2), skip: dice.int(0, 2) }),
    ...(dice.chance(0.2) && { withDeleted: true }),
    ...(dice.chance(0.15) && { byQueries: true }),
  }
}

function randomShape(dice: Dice, schema: Schema, entity: string, depth: number): Shape {
  if (depth === 0) return {}
  const related = relationsOf(schema, entity).filter(() => dice.chance(0.25))
  return Object.fromEntries(
    related.map((relation) => [relation.field, randomShape(dice, schema, relation.entity, depth - 1)]),
  )
}

function writingBuilder(dice: Dice, schema: Schema, entity: string): Action {
  const returning = dice.chance(0.5) ? ['id', ...dice.some(columnsOf(schema, entity), 0.5).map(({ path }) => path)] : []
  const where = randomExpression(dice, schema, [{ alias: '', entity }], 1)
  const isSoft = rootOf(schema, entity).isSoft ? 1 : 0
  return dice.weighted<Action>([
    [
      2,
      () => ({
        do: 'insertBuilder',
        entity,
        rows: dice.list(1, 2, () => flatRow(dice, schema, entity)),
        orIgnore: dice.chance(0.3),
        returning,
      }),
    ],
    [3, () => ({ do: 'updateBuilder', entity, where, set: change(dice, schema, entity), returning })],
    [2, () => ({ do: 'deleteBuilder', entity, where })],
    [isSoft, () => ({ do: dice.of(['softDeleteBuilder', 'restoreBuilder'] as const), entity, where })],
  ])
}

function relationBuilder(dice: Dice, schema: Schema, entity: string): Action {
  const relation = relationOf(schema, entity, dice.of(relationsOf(schema, entity)).field)
  const of = dice.of(keyValues(rootOf(schema, entity).id))
  const ids = dice.list(1, isMany(relation) ? 2 : 1, () => dice.of(keyValues(rootOf(schema, relation.entity).id)))
  const way = dice.of(['loadMany', isMany(relation) ? dice.of(['add', 'remove'] as const) : 'set'] as const)
  return { do: 'relation', way, entity, field: relation.field, of, ids }
}

const TREE_WAYS: readonly TreeWay[] = [
  'findTrees',
  'findRoots',
  'findDescendants',
  'findAncestors',
  'countDescendants',
  'findAncestorsTree',
  'findDescendantsTree',
]

function tree(dice: Dice, { name, tree: type }: Entity): Action {
  const ways = type === 'adjacency-list' ? TREE_WAYS.slice(1, 2) : TREE_WAYS
  return { do: 'tree', way: dice.of(ways), entity: name, id: dice.of(keyValues('Int')) }
}

function raw(dice: Dice, schema: Schema, entity: string, isTree: boolean): Action {
  const form = dice.of<RawForm>([
    'SELECT',
    'WITH',
    'subquery',
    'LATERAL',
    ...(isTree ? [] : (['UPDATE', 'DELETE'] as const)),
  ])
  const columns = dice.some(allColumns(schema, entity), 0.5).map(({ path }) => ({ alias: 't', entity, path }))
  const where = randomExpression(dice, schema, [{ alias: 't', entity }], 1)
  const id = { alias: 't', entity, path: 'id' }
  return {
    do: 'raw',
    form,
    columns: [id, ...columns.filter(({ path }) => path !== 'id')],
    where,
    ...(form === 'UPDATE' && { set: rawChange(dice, schema, entity) }),
  }
}

/** What the driver itself sends as it is meant. */
function rawChange(dice: Dice, schema: Schema, entity: string): Row {
  const { values } = change(dice, schema, entity)
  const kinds = new Map(columnsOf(schema, entity).map(({ path, kind }) => [path, kind]))
  const sendable = Object.entries(values).filter(([path]) => kinds.get(path) !== 'Json')
  return { values: { plain: dice.int(0, 9), ...Object.fromEntries(sendable) }, relations: {} }
}

/** Variants to try when a case fails: without a step, then with less in one. */
export function* smallerCases(steps: Case, from: number): Iterable<readonly [Case, number]> {
  for (let at = from; at < steps.length; at += 1) yield [steps.filter((_, position) => position !== at), at]
  for (const [at, step] of steps.entries()) {
    if (step.actions.length < 2) continue
    for (const position of step.actions.keys())
      yield [
        steps.map((one, place) =>
          place === at ? { ...one, actions: one.actions.filter((_, n) => n !== position) } : one,
        ),
        steps.length,
      ]
  }
}
