import type { Action, Expression, Ref } from './step.js'
import type { Side } from './twins.js'
import { made } from './values.js'

/** How a condition is written where it stands. */
export interface Writing {
  readonly side: Side
  /** A column of an alias of the query builder, or of SQL. */
  ref(ref: Ref): string
  /** A parameter; `many` are written beside each other. */
  param(value: unknown, many?: boolean): string
}

/** A column as SQL names it. */
export function columnName({ metadata }: Side, { alias, entity, path }: Ref): string {
  const name = metadata(entity).findColumnWithPropertyPath(path)!.databaseName
  return alias === '' ? `"${name}"` : `"${alias}"."${name}"`
}

export function tableName({ metadata }: Side, entity: string): string {
  return `"${metadata(entity).tableName}"`
}

export function written(w: Writing, expression: Expression): string {
  switch (expression.is) {
    case 'and':
    case 'or':
      return `(${expression.all.map((each) => written(w, each)).join(` ${expression.is.toUpperCase()} `)})`
    case 'not':
      return `NOT (${written(w, expression.of)})`
    case 'null':
      return `${w.ref(expression.column)} IS ${expression.not ? 'NOT ' : ''}NULL`
    case 'columns':
      return `${w.ref(expression.left)} = ${w.ref(expression.right)}`
    case 'compare':
      return compared(w, expression)
    default:
      return subquery(w, expression)
  }
}

function compared(w: Writing, { column, operator, values }: Extract<Expression, { is: 'compare' }>): string {
  const name = w.ref(column)
  const [first] = values
  if (operator === 'literal') return `${name} = '${String(first).replaceAll("'", "''")}'`
  if (operator === 'function') return `lower(${name}) = ${w.param(made(first))}`
  if (operator === 'IN' || operator === 'NOT IN') return `${name} ${operator} (${w.param(made(values), true)})`
  if (operator === '= ANY' || operator === '<> ALL') return `${name} ${operator}(${w.param(made(values))})`
  return `${name} ${operator} ${w.param(made(first))}`
}

/** In SQL of its own, whatever is around it. */
function subquery(w: Writing, { is, column, entity, where }: Extract<Expression, { is: 'in' | 'exists' }>): string {
  const alias = aliasIn(where) ?? 'sub'
  const inner = written({ ...w, ref: (ref) => columnName(w.side, ref) }, where)
  const id = columnName(w.side, { alias, entity, path: 'id' })
  const from = `FROM ${tableName(w.side, entity)} "${alias}" WHERE`
  if (is === 'in') return `${w.ref(column)} IN (SELECT ${id} ${from} ${inner})`
  return `EXISTS (SELECT 1 ${from} ${id} = ${w.ref(column)} AND ${inner})`
}

/** Every condition of a subquery is on its one table. */
function aliasIn(expression: Expression): string | undefined {
  switch (expression.is) {
    case 'and':
    case 'or':
      return aliasIn(expression.all[0]!)
    case 'not':
      return aliasIn(expression.of)
    case 'columns':
      return expression.left.alias
    default:
      return expression.column.alias
  }
}

/** A whole statement of SQL, with its values. */
export function rawStatement(side: Side, action: Extract<Action, { do: 'raw' }>): readonly [string, unknown[]] {
  const values: unknown[] = []
  const param = (value: unknown, many?: boolean): string => {
    if (many) return (value as unknown[]).map((each) => param(each)).join(', ')
    values.push(value)
    return `$${values.length}`
  }
  const w: Writing = { side, ref: (ref) => columnName(side, ref), param }
  return [statement(w, action), values]
}

function statement(w: Writing, { form, columns, where, set }: Extract<Action, { do: 'raw' }>): string {
  const { side } = w
  const { entity } = columns[0]!
  const table = `${tableName(side, entity)} "t"`
  const names = columns.map((column) => columnName(side, column)).join(', ')
  const select = (more = '') => `SELECT ${names} FROM ${table} WHERE ${more}(${written(w, where)})`
  const id = (alias: string) => columnName(side, { alias, entity, path: 'id' })
  switch (form) {
    case 'SELECT':
      return select()
    case 'WITH':
      return `WITH w AS (${select()}) SELECT * FROM w`
    case 'subquery':
      return `SELECT x.* FROM (${select()}) x`
    case 'LATERAL':
      return `SELECT l.*, o.id AS other FROM ${tableName(side, entity)} o CROSS JOIN LATERAL (${select(`${id('t')} = o.id AND `)}) l`
    case 'DELETE':
      return `DELETE FROM ${table} WHERE ${written(w, where)} RETURNING ${names}`
    default: {
      const sets = Object.entries(set!.values).map(
        ([path, value]) => `${columnName(side, { alias: '', entity, path })} = ${w.param(made(value))}`,
      )
      return `UPDATE ${table} SET ${sets.join(', ')} WHERE ${written(w, where)} RETURNING ${names}`
    }
  }
}
