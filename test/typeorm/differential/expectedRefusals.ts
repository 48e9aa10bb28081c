import {
  type Column,
  columnOf,
  columnsOf,
  columnsOfTable,
  groupsOf,
  isExact,
  relationOf,
  type Schema,
  type Secret,
} from './schema.js'
import type { Action, Builder, Condition, Expression, FindOptions, Ref, Row, Where } from './step.js'
import { OTHER_TENANT } from './values.js'

/*
 * What the documentation refuses (docs/typeorm.md, docs/queries.md, docs/annotations.md), written from it and not from
 * the code. An action may be refused only for a reason found here.
 */

interface Finding {
  readonly schema: Schema
  readonly reasons: string[]
}

/** Whether rows that an index of few bits finds by mistake may be taken out of the result. */
type Lossy = 'filtered' | 'refused'

/** The reasons for which an action may be refused; none when it must be answered. */
export function expectedRefusals(schema: Schema, action: Action): string[] {
  const finding: Finding = { schema, reasons: [] }
  look(finding, action)
  if (JSON.stringify(action).includes(OTHER_TENANT)) finding.reasons.push('another tenant')
  return [...new Set(finding.reasons)]
}

function look(finding: Finding, action: Action): void {
  switch (action.do) {
    case 'save':
    case 'preload':
      for (const row of action.rows) saved(finding, action.entity, row)
      return
    case 'insert':
    case 'insertBuilder':
    case 'relation':
    case 'tree':
      return
    case 'upsert':
      upserted(finding, action)
      return
    case 'select':
      builder(finding, action.builder)
      return
    case 'raw':
      expression(finding, action.where)
      if (action.set) changed(finding, action.columns[0]!.entity, action.set, namesOneRow(action.where))
      return
    case 'updateBuilder':
      expression(finding, action.where)
      changed(finding, action.entity, action.set, namesOneRow(action.where))
      return
    case 'deleteBuilder':
    case 'softDeleteBuilder':
    case 'restoreBuilder':
      expression(finding, action.where)
      return
    default:
      if ('options' in action) options(finding, action.entity, action.options, action.do)
      else onRows(finding, action)
  }
}

function onRows(finding: Finding, action: Exclude<Extract<Action, { where: Where }>, { do: never }>): void {
  const isFound = ['change', 'remove', 'softRemove', 'recover'].includes(action.do)
  where(finding, action.entity, action.where, isFound ? 'filtered' : 'refused')
  if ('path' in action && columnOf(finding.schema, action.entity, action.path)?.secret) finding.reasons.push('computed')
  if (action.do === 'change') saved(finding, action.entity, action.set)
  if (action.do !== 'update') return
  const id = action.where.columns.id
  changed(finding, action.entity, action.set, id?.is === 'value' || id?.is === 'Equal')
}

/** What did not change is not written, so that one of the columns of an index may be alone. */
function saved(finding: Finding, entity: string, { values, relations }: Row): void {
  const { schema, reasons } = finding
  if (groupsOf(schema, entity).length > 0 && Object.keys(values).length > 0) reasons.push('part of a combined index')
  for (const [field, related] of Object.entries(relations)) {
    if (field === 'parent') continue
    for (const row of [related ?? []].flat()) saved(finding, relationOf(schema, entity, field).entity, row as Row)
  }
}

function upserted(finding: Finding, { entity, rows, conflict }: Extract<Action, { do: 'upsert' }>): void {
  const { schema, reasons } = finding
  const column = columnOf(schema, entity, conflict)!
  if (column.secret && !column.secret.indexes.some((index) => index.unique)) reasons.push('conflict')
  if (conflict !== 'id' && columnsOf(schema, entity).some(isBound))
    reasons.push('bound columns are not those of the conflict')
  for (const { sources } of groupsOf(schema, entity))
    if (!rows.every(({ values }) => sources.every((source) => source in values)))
      reasons.push('part of a combined index')
}

function isBound({ secret }: Column): boolean {
  return (secret?.bind.length ?? 0) > 0
}

function changed(finding: Finding, entity: string, { values }: Row, isOneRow: boolean): void {
  const { schema, reasons } = finding
  const written = Object.entries(values).map(([path, value]) => ({ column: columnOf(schema, entity, path)!, value }))
  if (!isOneRow && written.some(({ column, value }) => isBound(column) && value !== null))
    reasons.push('bound value missing')
  if ('id' in values && columnsOfTable(schema, entity).some(isBound)) reasons.push('bound column changed')
  for (const { sources } of groupsOf(schema, entity)) {
    const given = sources.filter((source) => source in values)
    const isCleared = given.some((source) => values[source] === null)
    if (given.length > 0 && given.length < sources.length && !isCleared) reasons.push('part of a combined index')
  }
}

/** Whether a condition says by `=` which row is meant. */
function namesOneRow(condition: Expression): boolean {
  if (condition.is === 'and') return condition.all.some(namesOneRow)
  return condition.is === 'compare' && condition.column.path === 'id' && condition.operator === '='
}

function options(finding: Finding, entity: string, options: FindOptions, way: string): void {
  const { take, skip, order, select } = options
  const isList = (way === 'find' || way === 'lazy') && take === undefined && skip === undefined
  for (const each of options.where)
    where(finding, entity, each, isList && options.where.length < 2 ? 'filtered' : 'refused')
  // TypeORM counts the different values of what is selected.
  const counted = (way === 'count' || way === 'findAndCount') && !select?.includes('id') ? (select ?? []) : []
  if (counted.some((path) => columnOf(finding.schema, entity, path)?.secret)) finding.reasons.push('distinct')
  // TypeORM pages joined rows in the order of columns that its subquery does not give, which PostgreSQL fails too.
  const isThere = (path: string) => select?.includes(path) ?? !columnOf(finding.schema, entity, path)?.hidden
  if (!Object.keys(order).every(isThere)) finding.reasons.push('a column that is not there')
  for (const path of Object.keys(order))
    if (columnOf(finding.schema, entity, path)?.secret) finding.reasons.push('order')
}

function where(finding: Finding, entity: string, { columns, relations }: Where, lossy: Lossy): void {
  const { schema } = finding
  const together = groupsOf(schema, entity)
    .filter(({ sources }) => sources.every((source) => isValue(columns[source])))
    .flatMap(({ sources }) => sources)
  if (together.some((source) => columnOf(schema, entity, source)?.secret?.state))
    finding.reasons.push('together while a column is under way')
  for (const [path, condition] of Object.entries(columns)) {
    const { secret } = columnOf(schema, entity, path)!
    if (secret && !(together.includes(path) && secret.indexes.length === 0)) compared(finding, secret, condition, lossy)
  }
  for (const [field, inner] of Object.entries(relations))
    where(finding, relationOf(schema, entity, field).entity, inner, lossy)
}

function isValue(condition: Condition | undefined): boolean {
  return condition?.is === 'value' || condition?.is === 'Equal'
}

function compared(finding: Finding, secret: Secret, condition: Condition, lossy: Lossy): void {
  switch (condition.is) {
    case 'IsNull':
      return
    case 'value':
    case 'Equal':
    case 'In':
    case 'Any':
      equality(finding, secret, lossy)
      return
    case 'Not':
      compared(finding, secret, condition.of, 'refused')
      return
    case 'And':
    case 'Or':
      for (const each of condition.all) compared(finding, secret, each, condition.is === 'And' ? lossy : 'refused')
      return
    case 'Raw':
      if (condition.operator === '=' || condition.operator === '<>') equality(finding, secret, 'refused')
      else finding.reasons.push(`operator Raw ${condition.operator}`)
      return
    case 'Like':
      pattern(finding, secret, condition.is, condition.value, lossy)
      return
    case 'MoreThan':
    case 'MoreThanOrEqual':
    case 'LessThan':
    case 'LessThanOrEqual':
    case 'Between':
      range(finding, secret, condition.is, lossy)
      return
    default:
      finding.reasons.push(`operator ${condition.is}`)
  }
}

/** Of a column under way the rows that are plaintext are looked at after decryption. */
function range({ reasons }: Finding, { tokens, state }: Secret, operator: string, lossy: Lossy): void {
  if (tokens?.kind !== 'range') reasons.push(`operator ${operator}`)
  else if ((!tokens.isFine || state) && lossy === 'refused') reasons.push('tokens find others')
}

const PATTERN = /^(?<open>%?)(?<text>(?:[^%_\\]|\\.)*)(?<end>%?)$/su

function pattern({ reasons }: Finding, secret: Secret, operator: string, value: unknown, lossy: Lossy): void {
  const { tokens } = secret
  if (tokens?.kind !== 'text') {
    reasons.push(`operator ${operator}`)
    return
  }
  const { open, text = '', end } = PATTERN.exec(String(value))?.groups ?? {}
  const length = Array.from(text.replace(/\\(.)/gsu, '$1')).length
  const isPart = open === '%' && end === '%'
  const { prefix, suffix = [1, 1], grams = Number.POSITIVE_INFINITY } = tokens.options
  const isAnswered = isPart ? length >= grams : length > 0 && (open === '%' || end === '%')
  if (!isAnswered) reasons.push('such a pattern')
  const isExact = !isPart && length <= (open === '%' ? suffix : prefix)[1]
  if (!isExact && (lossy === 'refused' || operator === 'NOT LIKE')) reasons.push('tokens find others')
}

function equality({ reasons }: Finding, { indexes }: Secret, lossy: Lossy): void {
  if (indexes.length === 0) reasons.push('no index')
  else if (!indexes.some(isExact) && lossy === 'refused') reasons.push('few bits')
}

const EQUALITY: ReadonlySet<string> = new Set(['=', '<>', '!=', 'IN', 'NOT IN', '= ANY', '<> ALL'])

function expression(finding: Finding, condition: Expression): void {
  switch (condition.is) {
    case 'and':
    case 'or':
      for (const each of condition.all) expression(finding, each)
      return
    case 'not':
      expression(finding, condition.of)
      return
    case 'null':
      return
    case 'columns':
      if ([condition.left, condition.right].some((ref) => isSecret(finding, ref)))
        finding.reasons.push('another column')
      return
    case 'compare': {
      const { secret } = columnOf(finding.schema, condition.column.entity, condition.column.path)!
      if (!secret) return
      if (EQUALITY.has(condition.operator)) equality(finding, secret, 'refused')
      else if (/^[<>]=?$/.test(condition.operator)) range(finding, secret, condition.operator, 'refused')
      else if (condition.operator.endsWith('LIKE'))
        pattern(finding, secret, condition.operator, condition.values[0], 'refused')
      else finding.reasons.push(`operator ${condition.operator}`)
      return
    }
    default:
      expression(finding, condition.where)
  }
}

function isSecret({ schema }: Finding, { entity, path }: Ref): boolean {
  return columnOf(schema, entity, path)?.secret !== undefined
}

function builder(finding: Finding, { joins, where: condition, select, groupBy, order, distinct }: Builder): void {
  const { reasons } = finding
  for (const { on } of joins) if (on) expression(finding, on)
  if (condition) expression(finding, condition)
  if (groupBy && isSecret(finding, groupBy)) reasons.push('group')
  if (order.some((ref) => isSecret(finding, ref))) reasons.push('order')
  for (const { computes, column } of select ?? []) {
    if (!isSecret(finding, column)) continue
    if (distinct) reasons.push('distinct')
    if (computes !== undefined && computes !== 'count') reasons.push('aggregate')
  }
}
