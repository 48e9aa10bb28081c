import type { EntityManager, ObjectLiteral } from 'typeorm'
import { select, targetOf, write } from './builders.js'
import { findObject, rowObject, setAt, whereObject } from './objects.js'
import { relationsOf, type Schema } from './schema.js'
import { rawStatement } from './sql.js'
import type { Action } from './step.js'
import type { Side } from './twins.js'
import { made } from './values.js'

/** Does an action with a manager of a data source. */
export async function perform(side: Side, manager: EntityManager, schema: Schema, action: Action): Promise<unknown> {
  switch (action.do) {
    case 'select':
      return select(side, manager, action.builder)
    case 'raw':
      return manager.query(...(rawStatement(side, action) as [string, unknown[]]))
    case 'insertBuilder':
    case 'updateBuilder':
    case 'deleteBuilder':
    case 'softDeleteBuilder':
    case 'restoreBuilder':
      return write(side, manager, schema, action)
    case 'relation':
      return relate(side, manager, action)
    case 'tree':
      return grow(side, manager, action)
    case 'save':
    case 'insert':
    case 'upsert':
    case 'preload':
      return store(side, manager, schema, action)
    default:
      return 'where' in action ? onRows(side, manager, schema, action) : find(side, manager, schema, action)
  }
}

function store(
  side: Side,
  manager: EntityManager,
  schema: Schema,
  action: Extract<Action, { do: 'save' | 'insert' | 'upsert' | 'preload' }>,
): Promise<unknown> {
  const target = targetOf(side, action.entity)
  const objects = action.rows.map((row) => rowObject(schema, action.entity, row)) as ObjectLiteral[]
  switch (action.do) {
    case 'save':
      return manager.save(objects.map((object) => manager.create(target, object as never)))
    case 'insert':
      return manager.insert(target, objects as never)
    case 'upsert':
      return manager.upsert(target, objects as never, [action.conflict])
    default:
      return manager.preload(target, objects[0] as never)
  }
}

type OnRows = Extract<Action, { where: unknown; entity: string }>

async function onRows(
  side: Side,
  manager: EntityManager,
  schema: Schema,
  action: Exclude<OnRows, { do: `${string}Builder` }>,
): Promise<unknown> {
  const target = targetOf(side, action.entity)
  const where = whereObject(action.where) as never
  const found = () =>
    manager.find(target, { where, order: { id: 'ASC' } as never, withDeleted: action.do === 'recover' })
  switch (action.do) {
    case 'update':
      return manager.update(target, where, rowObject(schema, action.entity, action.set) as never)
    case 'change': {
      const rows = await found()
      for (const row of rows)
        for (const [path, value] of Object.entries(action.set.values)) setAt(row, path, made(value))
      return manager.save(rows)
    }
    case 'remove':
      return manager.remove(await found())
    case 'softRemove':
      return manager.softRemove(await found())
    case 'recover':
      return manager.recover(await found())
    case 'delete':
    case 'softDelete':
    case 'restore':
      return manager[action.do](target, where)
    case 'increment':
    case 'decrement':
      return manager[action.do](target, where, action.path, 1)
    default:
      return manager[action.do](target, action.path as never, where)
  }
}

async function find(
  side: Side,
  manager: EntityManager,
  schema: Schema,
  { do: way, entity, options }: Extract<Action, { options: unknown }>,
): Promise<unknown> {
  const target = targetOf(side, entity)
  if (way !== 'lazy') return manager[way](target, findObject(options))
  const found: ObjectLiteral[] = await manager.find(target, findObject(options))
  const lazy = relationsOf(schema, entity).filter((relation) => relation.lazy)
  return Promise.all(
    found.map(async (row) => ({
      row,
      related: Object.fromEntries(await Promise.all(lazy.map(async ({ field }) => [field, await row[field]]))),
    })),
  )
}

async function relate(
  side: Side,
  manager: EntityManager,
  { way, entity, field, of, ids }: Extract<Action, { do: 'relation' }>,
): Promise<unknown> {
  const query = manager
    .createQueryBuilder()
    .relation(targetOf(side, entity) as never, field)
    .of(of)
  if (way === 'loadMany') return query.loadMany()
  return way === 'set' ? query.set(ids[0]) : query[way]([...ids])
}

function grow(
  side: Side,
  manager: EntityManager,
  { way, entity, id }: Extract<Action, { do: 'tree' }>,
): Promise<unknown> {
  const target = targetOf(side, entity)
  const repository = manager.getTreeRepository(target)
  if (way === 'findTrees' || way === 'findRoots') return repository[way]()
  return repository[way](manager.create(target, { id } as never))
}
