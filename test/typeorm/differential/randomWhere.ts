import type { Dice } from '../../differential/dice.js'
import {
  type Column,
  columnsOf,
  type Group,
  groupsOf,
  type Kind,
  keyColumn,
  relationsOf,
  rootOf,
  type Schema,
} from './schema.js'
import type { Condition, Expression, Operator, Ref, Where } from './step.js'
import { someValue } from './values.js'

/** Conditions of find options. */
export function randomWhere(dice: Dice, schema: Schema, entity: string, depth: number): Where {
  const columns = allColumns(schema, entity)
  const group = groupsOf(schema, entity)[0]
  const chosen =
    group && dice.chance(0.3) ? together(group, columns) : dice.shuffled(columns).slice(0, dice.of([0, 1, 1, 1, 2]))
  const isWhole = group !== undefined && chosen.length === 2 && dice.chance(0.8)
  const relations = depth > 0 ? dice.some(relationsOf(schema, entity), 0.2).slice(0, 1) : []
  return {
    columns: Object.fromEntries(
      chosen.map((column) => [
        column.path,
        isWhole ? { is: 'value', value: someValue(dice, column) } : randomCondition(dice, column, 2),
      ]),
    ),
    relations: Object.fromEntries(
      relations.map((relation) => [relation.field, randomWhere(dice, schema, relation.entity, depth - 1)]),
    ),
  }
}

function together({ sources }: Group, columns: readonly Column[]): Column[] {
  return sources.map((source) => columns.find(({ path }) => path === source)!)
}

export function allColumns(schema: Schema, entity: string): Column[] {
  return [keyColumn(rootOf(schema, entity)), ...columnsOf(schema, entity)]
}

/** Where the whole of a list or a document is compared, TypeORM and PostgreSQL have views of their own. */
function isComparable({ kind, list }: Column): boolean {
  return kind !== 'Json' && !list
}

const ORDERED: ReadonlySet<Kind> = new Set<Kind>(['Int', 'BigInt', 'Decimal', 'DateTime'])
const COMPARISONS = ['MoreThan', 'MoreThanOrEqual', 'LessThan', 'LessThanOrEqual'] as const
/** Of beginnings, ends and parts; some are longer than what an index has of them. */
const PATTERNS = [
  'a%',
  'A%',
  '%a',
  '%b',
  ' %',
  "o'%",
  'fs1%',
  '[s%',
  '%é',
  'xxxxx%',
  '%xx%',
  '%har%',
  'a\\%%',
  '_%',
  'b',
]

function tokensWeight({ secret }: Column): number {
  return secret?.tokens ? 3 : 1
}

function randomCondition(dice: Dice, column: Column, depth: number): Condition {
  const value = () => someValue(dice, column)
  const values = (min: number) => dice.list(min, 3, value)
  const isText = column.kind === 'String'
  const isOrdered = isText || ORDERED.has(column.kind)
  const ordered = tokensWeight(column)
  const inner = () => randomCondition(dice, column, depth - 1)
  if (!isComparable(column)) return dice.of([{ is: 'IsNull' }, { is: 'Not', of: { is: 'IsNull' } }] as Condition[])
  return dice.weighted<Condition>([
    [5, () => ({ is: 'value', value: value() })],
    [1, () => ({ is: 'Equal', value: value() })],
    [3, () => ({ is: 'In', values: values(0) })],
    [1, () => ({ is: 'Any', values: values(0) })],
    [2, () => ({ is: 'IsNull' })],
    [depth > 0 ? 4 : 0, () => ({ is: 'Not', of: inner() })],
    [depth > 0 ? 1 : 0, () => ({ is: dice.of(['And', 'Or'] as const), all: [inner(), inner()] })],
    [1, () => ({ is: 'Raw', operator: dice.of(['=', '<>'] as const), value: value() })],
    [
      isText ? ordered : 0,
      () => ({ is: dice.of(['Like', 'Like', 'Like', 'ILike'] as const), value: dice.of(PATTERNS) }),
    ],
    [isOrdered ? ordered : 0, () => ({ is: dice.of(COMPARISONS), value: value() })],
    [isOrdered ? ordered : 0, () => ({ is: 'Between', values: [value(), value()] })],
    [isText ? 1 : 0, () => ({ is: 'Raw', operator: 'function', value: 'a' })],
  ])
}

/** Conditions as SQL writes them, on the columns of some aliases. */
export function randomExpression(dice: Dice, schema: Schema, aliases: readonly Alias[], depth: number): Expression {
  const inner = () => randomExpression(dice, schema, aliases, depth - 1)
  return dice.weighted<Expression>(
    [
      [6, () => comparison(dice, schema, aliases)],
      [depth > 0 ? 2 : 0, () => ({ is: dice.of(['and', 'or'] as const), all: [inner(), inner()] })],
      [depth > 0 ? 1 : 0, () => ({ is: 'not', of: inner() })],
      [depth > 0 ? 1 : 0, () => subquery(dice, schema, aliases, depth)],
      [0.5, () => twoColumns(dice, schema, aliases)],
    ].map(([weight, make]) => [(weight as number) * 2, make as () => Expression] as const),
  )
}

export interface Alias {
  readonly alias: string
  readonly entity: string
}

function subquery(dice: Dice, schema: Schema, aliases: readonly Alias[], depth: number): Expression {
  const { alias, entity } = dice.of(aliases)
  const own = `${alias}s${depth}`
  const where = randomExpression(dice, schema, [{ alias: own, entity }], depth - 1)
  return { is: dice.of(['in', 'exists'] as const), column: { alias, entity, path: 'id' }, entity, where }
}

function twoColumns(dice: Dice, schema: Schema, aliases: readonly Alias[]): Expression {
  const [left, right] = [dice.of(aliases), dice.of(aliases)].map(({ alias, entity }): Ref => {
    const texts = allColumns(schema, entity).filter(({ kind, list }) => kind === 'Int' && !list)
    return { alias, entity, path: texts.length > 0 ? dice.of(texts).path : 'plain' }
  }) as [Ref, Ref]
  return { is: 'columns', left, right }
}

function comparison(dice: Dice, schema: Schema, aliases: readonly Alias[]): Expression {
  const { alias, entity } = dice.of(aliases)
  const column = dice.of(allColumns(schema, entity))
  const ref = { alias, entity, path: column.path }
  if (!isComparable(column) || dice.chance(0.15)) return { is: 'null', column: ref, not: dice.chance(0.5) }
  const isText = column.kind === 'String' && !column.tenant
  const operator = dice.weighted<Operator>([
    [6, () => '='],
    [2, () => dice.of(['<>', '!='] as const)],
    [3, () => dice.of(['IN', 'NOT IN'] as const)],
    [2, () => dice.of(['= ANY', '<> ALL'] as const)],
    [1, () => 'IS DISTINCT FROM'],
    [isText ? 2 : 0, () => dice.of(['<', 'LIKE', 'literal', 'function'] as const)],
    [isText && column.secret?.tokens ? 5 : 0, () => dice.of(['LIKE', 'LIKE', 'NOT LIKE'] as const)],
    [ORDERED.has(column.kind) ? 2 * tokensWeight(column) : 0, () => dice.of(['<', '<=', '>', '>='] as const)],
  ])
  if (operator.endsWith('LIKE')) return { is: 'compare', column: ref, operator, values: [dice.of(PATTERNS)] }
  const isList = ['IN', 'NOT IN', '= ANY', '<> ALL'].includes(operator)
  const values = isList ? dice.list(1, 3, () => someValue(dice, column)) : [someValue(dice, column)]
  return { is: 'compare', column: ref, operator, values: operator === '=' && dice.chance(0.05) ? [null] : values }
}
