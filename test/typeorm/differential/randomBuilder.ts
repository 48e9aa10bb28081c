import type { Dice } from '../../differential/dice.js'
import { type Alias, allColumns, randomExpression } from './randomWhere.js'
import { relationsOf, type Schema } from './schema.js'
import type { Builder, BuilderEnd, Join, Ref, Selected } from './step.js'

/** A SELECT as query builders make them. */
export function randomBuilder(dice: Dice, schema: Schema, entity: string): Builder {
  const aliases: Alias[] = [{ alias: 'e', entity }]
  const joins: Join[] = []
  while (joins.length < 2 && dice.chance(0.35)) {
    const join = randomJoin(dice, schema, aliases, `j${joins.length}`)
    if (!join) break
    joins.push(join)
    aliases.push(join)
  }
  const shared = {
    entity,
    joins,
    ...(dice.chance(0.8) && { where: randomExpression(dice, schema, aliases, 2) }),
    ...(dice.chance(0.2) && { withDeleted: true }),
  }
  if (dice.chance(0.15)) return { ...shared, ...grouped(dice, schema, aliases) }
  return { ...shared, ...ungrouped(dice, schema, aliases, joins.length > 0) }
}

function randomJoin(dice: Dice, schema: Schema, aliases: readonly Alias[], alias: string): Join | undefined {
  const from = dice.of(aliases)
  const relations = relationsOf(schema, from.entity)
  if (relations.length === 0) return undefined
  const { field, entity } = dice.of(relations)
  const on = dice.chance(0.3) ? randomExpression(dice, schema, [{ alias, entity }], 1) : undefined
  const way = dice.of(['leftJoin', 'innerJoin', 'leftJoinAndSelect', 'innerJoinAndSelect'] as const)
  return { way, from: from.alias, field, alias, entity, ...(on && { on }) }
}

function ungrouped(
  dice: Dice,
  schema: Schema,
  aliases: readonly Alias[],
  isJoined: boolean,
): Omit<Builder, 'entity' | 'joins'> {
  const end = dice.of<BuilderEnd>([
    'getMany',
    'getMany',
    'getOne',
    'getRawMany',
    'getRawAndEntities',
    'getCount',
    'getManyAndCount',
    'getExists',
    'stream',
  ])
  const order = dice.chance(0.15) ? [someRef(dice, schema, aliases)].filter(({ path }) => path !== 'id') : []
  const isPaged = !isJoined && dice.chance(0.2)
  const id: Ref = { alias: 'e', entity: aliases[0]!.entity, path: 'id' }
  const select =
    dice.chance(0.3) && end.startsWith('getRawMany') ? { select: selectedColumns(dice, schema, aliases) } : {}
  return {
    ...select,
    order: isPaged || end === 'getOne' || order.length > 0 ? [...order, id] : [],
    ...(isPaged && { take: dice.int(0, 2), skip: dice.int(0, 2) }),
    ...(select.select && !isPaged && order.length === 0 && dice.chance(0.1) && { distinct: true }),
    ...(select.select &&
      !isPaged &&
      order.length === 0 &&
      dice.chance(0.4) && { around: dice.of(['cte', 'subquery'] as const) }),
    end,
  }
}

function selectedColumns(dice: Dice, schema: Schema, aliases: readonly Alias[]): Selected[] {
  return dice.list(1, 3, (position) => ({ column: someRef(dice, schema, aliases), as: `s${position}` }))
}

function someRef(dice: Dice, schema: Schema, aliases: readonly Alias[]): Ref {
  const { alias, entity } = dice.of(aliases)
  const sortable = allColumns(schema, entity).filter(({ kind }) => kind !== 'Json')
  return { alias, entity, path: dice.of(sortable).path }
}

function grouped(dice: Dice, schema: Schema, aliases: readonly Alias[]): Omit<Builder, 'entity' | 'joins'> {
  const groupBy = someRef(dice, schema, aliases)
  const { alias, entity } = dice.of(aliases)
  const numbers = allColumns(schema, entity).filter(({ kind, list }) => kind === 'Int' && !list)
  const number = numbers.length > 0 ? dice.of(numbers).path : 'plain'
  const computes = dice.of(['count', 'count', 'max', 'sum'] as const)
  const column = computes === 'count' ? someRef(dice, schema, aliases) : { alias, entity, path: number }
  return {
    groupBy,
    select: [
      { column: groupBy, as: 's0' },
      { column, computes, as: 's1' },
    ],
    order: [],
    ...(dice.chance(0.3) && { having: dice.int(1, 2) }),
    end: 'getRawMany',
  }
}
