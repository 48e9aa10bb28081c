import type { EntityManager, EntityTarget, ObjectLiteral, SelectQueryBuilder } from 'typeorm'
import { rowObject } from './objects.js'
import type { Schema } from './schema.js'
import { columnName, type Writing, written } from './sql.js'
import type { Action, Builder, Expression, Ref, Selected } from './step.js'
import type { Side } from './twins.js'

type Query = SelectQueryBuilder<ObjectLiteral>

/** Names parameters as query builders do, from 1 in each. */
function named(side: Side, ref: (ref: Ref) => string): Writing & { readonly parameters: ObjectLiteral } {
  const parameters: ObjectLiteral = {}
  const param = (value: unknown, many?: boolean) => {
    const name = `p${Object.keys(parameters).length}`
    parameters[name] = value
    return many ? `:...${name}` : `:${name}`
  }
  return { side, ref, param, parameters }
}

const byProperty = ({ alias, path }: Ref) => `${alias}.${path}`

/** Runs a SELECT as its builder ends. */
export async function select(side: Side, manager: EntityManager, builder: Builder): Promise<unknown> {
  const query = selectQuery(side, manager, builder)
  if (builder.around) return around(manager, query, builder.around)
  if (builder.end !== 'stream') return query[builder.end]()
  const rows: unknown[] = []
  for await (const row of await query.stream()) rows.push(row)
  return rows
}

function around(manager: EntityManager, query: Query, way: 'cte' | 'subquery'): Promise<unknown> {
  const outer = manager.createQueryBuilder()
  if (way === 'cte') return outer.addCommonTableExpression(query, 'k').select('*').from('k', 'k').getRawMany()
  return outer.select('k.*').from(`(${query.getQuery()})`, 'k').setParameters(query.getParameters()).getRawMany()
}

function selectQuery(side: Side, manager: EntityManager, builder: Builder): Query {
  const w = named(side, byProperty)
  const query = manager.createQueryBuilder(targetOf(side, builder.entity), 'e')
  for (const { way, from, field, alias, on } of builder.joins)
    query[way](`${from}.${field}`, alias, on && written(w, on))
  if (builder.where) query.where(written(w, builder.where))
  if (builder.select) addSelected(query, builder.select)
  if (builder.groupBy) query.groupBy(byProperty(builder.groupBy))
  if (builder.having !== undefined) query.having('count(*) >= :least', { least: builder.having })
  for (const ref of builder.order) query.addOrderBy(byProperty(ref))
  if (builder.take !== undefined) query.take(builder.take).skip(builder.skip)
  if (builder.distinct) query.distinct(true)
  if (builder.withDeleted) query.withDeleted()
  return query.setParameters(w.parameters)
}

function addSelected(query: Query, selected: readonly Selected[]): void {
  query.select([])
  for (const { computes, column, as } of selected)
    query.addSelect(computes ? `${computes}(${byProperty(column)})` : byProperty(column), as)
}

export function targetOf({ metadata }: Side, entity: string): EntityTarget<ObjectLiteral> {
  return metadata(entity).target as EntityTarget<ObjectLiteral>
}

type Written = Extract<Action, { do: `${string}Builder` }>

/** Runs an INSERT, UPDATE or DELETE. */
export function write(side: Side, manager: EntityManager, schema: Schema, action: Written): Promise<unknown> {
  const target = targetOf(side, action.entity)
  const query = manager.createQueryBuilder()
  const w = named(side, (ref) => columnName(side, ref))
  const where = (expression: Expression) => [written(w, expression), w.parameters] as const
  const object = (row: Parameters<typeof rowObject>[2]) => rowObject(schema, action.entity, row)
  switch (action.do) {
    case 'insertBuilder': {
      const insert = query.insert().into(target).values(action.rows.map(object))
      if (action.orIgnore) insert.orIgnore()
      return returning(insert, action.returning).execute()
    }
    case 'updateBuilder':
      return returning(
        query
          .update(target)
          .set(object(action.set))
          .where(...where(action.where)),
        action.returning,
      ).execute()
    case 'deleteBuilder':
      return query
        .delete()
        .from(target)
        .where(...where(action.where))
        .execute()
    default: {
      const from = manager.createQueryBuilder(target, 'e')
      const soft = action.do === 'softDeleteBuilder' ? from.softDelete() : from.restore()
      return soft.where(...where(action.where)).execute()
    }
  }
}

function returning<Query extends { returning(paths: string[]): Query }>(query: Query, paths: readonly string[]): Query {
  return paths.length > 0 ? query.returning([...paths]) : query
}
