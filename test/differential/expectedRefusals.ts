import type { Call } from './randomCase.js'
import {
  type Column,
  columnOf,
  isExact,
  type Model,
  modelOf,
  type Relation,
  relationOf,
  type Schema,
  searchIndex,
  selectorOf,
  TEXT_PARTS,
} from './schema.js'
import { isAbsent, isNull, isRecord, isToken, OTHER_TENANT } from './values.js'

/*
 * What the documentation refuses (docs/queries.md, docs/annotations.md), written from it and not from the code. An
 * operation may be refused only for a reason found here.
 */

type Args = { readonly [key: string]: unknown }

/**
 * Whether rows that an index of few bits finds by mistake may be taken out of the result; `negated`: not, and what is
 * not true is asked for, where an index over several fields does not tell false from unknown.
 */
type Lossy = 'filtered' | 'refused' | 'negated'

interface Finding {
  readonly schema: Schema
  readonly reasons: string[]
}

const UNIQUE = new Set(['findUnique', 'findUniqueOrThrow', 'update', 'delete', 'upsert'])

/** The reasons for which a call may be refused; none when it must be answered. */
export function expectedRefusals(schema: Schema, call: Call): string[] {
  const finding: Finding = { schema, reasons: [] }
  const model = modelOf(schema, call.model)
  const { args, operation } = call
  query(finding, model, args, lossyIn(operation === 'findMany', args))
  if (UNIQUE.has(operation)) where(finding, model, args.where, 'refused')
  aggregates(finding, model, args)
  written(finding, model, call)
  chain(finding, model, call.fluent ?? [])
  if (JSON.stringify(call).includes(OTHER_TENANT)) finding.reasons.push('another tenant')
  return [...new Set(finding.reasons)]
}

function chain(finding: Finding, model: Model, [link, ...rest]: NonNullable<Call['fluent']>): void {
  if (!link) return
  const { model: target, list } = relationOf(model, link.field)!
  query(finding, modelOf(finding.schema, target), link.args, lossyIn(list, link.args))
  chain(finding, modelOf(finding.schema, target), rest)
}

function lossyIn(list: boolean, args: Args): Lossy {
  return list && ['take', 'skip', 'cursor', 'distinct'].every((name) => isAbsent(args[name])) ? 'filtered' : 'refused'
}

function query(finding: Finding, model: Model, args: Args, lossy: Lossy): void {
  where(finding, model, args.where, lossy)
  cursor(finding, model, args.cursor)
  order(finding, model, args.orderBy)
  for (const name of listOf(args.distinct)) distinct(finding, columnOf(model, String(name)))
  shape(finding, model, args.select)
  shape(finding, model, args.include)
}

/** An encrypted field may name the row, but not be a condition beside that. */
function cursor(finding: Finding, model: Model, selector: unknown): void {
  where(finding, model, selector, 'refused')
  if (!isRecord(selector)) return
  const isCondition = (name: string) => columnOf(model, name)?.encrypted && !columnOf(model, name)?.unique
  if (
    Object.entries(selector).some(
      ([name, value]) => isCondition(name) || (columnOf(model, name)?.encrypted && isRecord(value)),
    )
  )
    finding.reasons.push('cursor')
}

function distinct(finding: Finding, column: Column | undefined): void {
  if (!column?.encrypted) return
  const index = searchIndex(column)
  if (!index || !isExact(index) || column.encrypted.migrating) finding.reasons.push('distinct')
}

function shape(finding: Finding, model: Model, selection: unknown): void {
  if (!isRecord(selection)) return
  for (const [key, value] of Object.entries(selection)) {
    if (key === '_count' && isRecord(value)) counts(finding, model, value.select)
    const relation = relationOf(model, key)
    if (relation && isRecord(value))
      query(finding, modelOf(finding.schema, relation.model), value, lossyIn(relation.list, value))
  }
}

function counts(finding: Finding, model: Model, select: unknown): void {
  if (!isRecord(select)) return
  for (const [key, value] of Object.entries(select)) {
    const relation = relationOf(model, key)
    if (relation && isRecord(value)) where(finding, modelOf(finding.schema, relation.model), value.where, 'refused')
  }
}

function where(finding: Finding, model: Model, filter: unknown, lossy: Lossy): void {
  for (const element of listOf(filter)) {
    if (!isRecord(element)) continue
    const grouped = groupedFields(model, element, lossy)
    for (const [key, condition] of Object.entries(element)) {
      if (grouped.has(key) && !hasManyForms(columnOf(model, key)!)) continue
      const column = columnOf(model, key)
      const relation = relationOf(model, key)
      if (isAbsent(condition)) continue
      if (column) field(finding, column, condition, lossy)
      else if (relation) relationFilter(finding, relation, condition, lossy)
      else if (key === 'AND') where(finding, model, condition, lossy)
      else if (key === 'NOT') where(finding, model, condition, 'negated')
      else where(finding, model, condition, lossy === 'negated' ? lossy : 'refused')
    }
  }
}

/** The fields that an index over several answers: each by one value. */
function groupedFields(model: Model, element: Args, lossy: Lossy): Set<string> {
  const isTold = (name: string) => lossy !== 'negated' || !columnOf(model, name)!.optional
  const asked = (name: string) => {
    const condition = element[name]
    const value = isRecord(condition) && Object.keys(condition).length === 1 ? condition.equals : condition
    return !isAbsent(value) && !isNull(value) && !isRecord(value) && !Array.isArray(value)
  }
  return new Set(
    model.groups
      .filter(({ sources }) => sources.every(asked) && sources.every(isTold))
      .flatMap(({ sources }) => sources),
  )
}

function relationFilter(finding: Finding, { model, list }: Relation, condition: unknown, around: Lossy): void {
  if (!isRecord(condition)) return
  const target = modelOf(finding.schema, model)
  const same = around === 'negated' ? around : 'refused'
  for (const filter of ['some', 'none']) where(finding, target, condition[filter], 'refused')
  for (const filter of ['every', 'isNot']) where(finding, target, condition[filter], 'negated')
  where(finding, target, condition.is, same)
  if (!list) where(finding, target, condition, same)
}

function field(finding: Finding, column: Column, condition: unknown, lossy: Lossy): void {
  if (!column.encrypted) {
    if (refersToEncrypted(finding, condition)) finding.reasons.push('reference')
    return
  }
  if (isNullOnly(condition)) return
  const others = withoutTokens(finding, column, condition, lossy)
  if (others === undefined || isNullOnly(others)) return
  equality(finding, column, others, lossy)
}

function equality(finding: Finding, column: Column, condition: unknown, lossy: Lossy): void {
  const index = searchIndex(column)
  if (hasManyForms(column)) finding.reasons.push('plaintext in several forms')
  if (!index) finding.reasons.push('no index')
  else if (!isRecord(condition)) operator(finding, index, 'equals', condition, lossy)
  else for (const [name, operand] of Object.entries(condition)) operator(finding, index, name, operand, lossy)
}

const BOUNDS = new Set(['gt', 'gte', 'lt', 'lte'])
const TEXTS = new Set(['startsWith', 'endsWith', 'contains'])

/** What is left of a condition for other indexes, when its token index has answered. */
function withoutTokens(finding: Finding, column: Column, condition: unknown, lossy: Lossy, isNegated = false): unknown {
  if (!column.encrypted?.tokens || !isRecord(condition)) return condition
  const operators = column.kind === 'String' ? TEXTS : BOUNDS
  const left = Object.entries(condition).flatMap(([name, operand]): [string, unknown][] => {
    if (name === 'not' && isRecord(operand)) {
      const inner = withoutTokens(finding, column, operand, lossy, !isNegated)
      return inner === undefined ? [] : [[name, inner]]
    }
    if (!operators.has(name) || (isToken(operand) && operand.$reference)) return [[name, operand]]
    if (!isAbsent(operand)) tokens(finding, column, { name, operand, isNegated }, lossy)
    return []
  })
  return left.length === 0 && Object.keys(condition).length > 0 ? undefined : Object.fromEntries(left)
}

interface Comparison {
  readonly name: string
  readonly operand: unknown
  readonly isNegated: boolean
}

/** By docs/queries.md: a bound between two steps and a text longer than the index has are filtered after decryption. */
function tokens(finding: Finding, column: Column, { name, operand, isNegated }: Comparison, lossy: Lossy): void {
  const { storage, migrating } = column.encrypted!
  const isText = column.kind === 'String'
  const length = isText ? Array.from(String(operand)).length : 0
  if (isText && length < fewest(name)) finding.reasons.push('too short for tokens')
  const isExact = isText ? name !== 'contains' && length <= most(name) : column.kind === 'Int'
  const asksPlaintext = isText && storage === 'String'
  const isFiltered = !isExact || (migrating && !asksPlaintext)
  if (isFiltered && (lossy !== 'filtered' || (isText && isNegated))) finding.reasons.push('tokens find others')
}

function fewest(name: string): number {
  return name === 'contains' ? TEXT_PARTS.grams : TEXT_PARTS[name === 'startsWith' ? 'prefix' : 'suffix'][0]
}

function most(name: string): number {
  return TEXT_PARTS[name === 'startsWith' ? 'prefix' : 'suffix'][1]
}

/** Of these one value may stand in a text column in several forms, as 1.5 and 1.50. */
function hasManyForms({ kind, encrypted }: Column): boolean {
  return encrypted?.migrating === true && ['Float', 'Decimal', 'DateTime'].includes(kind)
}

function operator(
  finding: Finding,
  index: Parameters<typeof isExact>[0],
  name: string,
  operand: unknown,
  lossy: Lossy,
): void {
  if (isAbsent(operand)) return
  if (isToken(operand) && operand.$reference) finding.reasons.push('reference')
  else if (name === 'not' && isRecord(operand))
    for (const [inner, value] of Object.entries(operand)) operator(finding, index, inner, value, 'refused')
  else if (!['equals', 'in', 'notIn', 'not'].includes(name)) finding.reasons.push(`operator ${name}`)
  else if (
    !isExact(index) &&
    (!isNull(operand) || name !== 'equals') &&
    (lossy !== 'filtered' || name === 'not' || name === 'notIn')
  )
    finding.reasons.push('few bits')
}

/** `{ in: null }` is left to the implementation. */
function isNullOnly(condition: unknown): boolean {
  if (isAbsent(condition) || isNull(condition)) return true
  return (
    isRecord(condition) &&
    Object.entries(condition).every(
      ([name, operand]) => isAbsent(operand) || ((name === 'equals' || name === 'not') && isNullOnly(operand)),
    )
  )
}

function refersToEncrypted({ schema }: Finding, condition: unknown): boolean {
  if (isToken(condition) && typeof condition.$reference === 'string') {
    const [model = '', name = ''] = condition.$reference.split('.')
    return columnOf(modelOf(schema, model), name)?.encrypted !== undefined
  }
  return (
    isRecord(condition) &&
    Object.values(condition).some((operand) => refersToEncrypted({ schema, reasons: [] }, operand))
  )
}

function order(finding: Finding, model: Model, orderBy: unknown): void {
  for (const element of listOf(orderBy)) {
    if (!isRecord(element)) continue
    for (const [key, value] of Object.entries(element)) {
      const relation = relationOf(model, key)
      if (columnOf(model, key)?.encrypted) finding.reasons.push('orderBy')
      else if (relation) order(finding, modelOf(finding.schema, relation.model), value)
    }
  }
}

function aggregates(finding: Finding, model: Model, args: Args): void {
  for (const name of ['_min', '_max', '_sum', '_avg']) {
    const fields = args[name]
    if (isRecord(fields) && Object.keys(fields).some((key) => columnOf(model, key)?.encrypted))
      finding.reasons.push(name)
  }
  if (listOf(args.by).some((name) => columnOf(model, String(name))?.encrypted)) finding.reasons.push('groupBy')
  if (isRecord(args.having) && Object.keys(args.having).some((key) => columnOf(model, key)?.encrypted))
    finding.reasons.push('having')
}

function written(finding: Finding, model: Model, { operation, args }: Call): void {
  if (operation === 'upsert') {
    created(finding, model, args.create)
    updated(finding, model, args.where, args.update)
  } else if (operation.startsWith('create')) created(finding, model, args.data)
  else if (operation === 'update') updated(finding, model, args.where, args.data)
  else if (operation.startsWith('updateMany')) updatedMany(finding, model, args.data)
}

function created(finding: Finding, model: Model, data: unknown): void {
  for (const record of listOf(data)) {
    if (!isRecord(record)) continue
    for (const { name, encrypted } of model.columns) {
      const missing = encrypted?.bind.some((column) => isNone(record[column]))
      if (missing && writes(record[name])) finding.reasons.push('bound value missing')
    }
    nested(finding, model, record)
  }
}

function updated(finding: Finding, model: Model, selector: unknown, data: unknown): void {
  if (!isRecord(data)) return
  const fixed = fixedBy(model, selector)
  for (const { name, encrypted } of model.columns) {
    if (encrypted?.bind.some((column) => isNone(fixed[column])) && writes(data[name]))
      finding.reasons.push('bound value missing')
  }
  frozen(finding, model, data, fixed)
  changes(finding, model, data)
  nested(finding, model, data)
}

function updatedMany(finding: Finding, model: Model, data: unknown): void {
  if (!isRecord(data)) return
  for (const { name, encrypted } of model.columns)
    if (encrypted && encrypted.bind.length > 0 && writes(data[name])) finding.reasons.push('bound value shared')
  frozen(finding, model, data, {})
  changes(finding, model, data)
}

/** What the database would compute from the value, and half of what an index over several fields is made of. */
function changes(finding: Finding, { columns, groups }: Model, data: Args): void {
  for (const { name, encrypted } of columns) {
    const value = data[name]
    if (encrypted && isRecord(value) && ('push' in value || 'increment' in value))
      finding.reasons.push('computed change')
  }
  for (const { sources } of groups) {
    const given = sources.filter((name) => !isAbsent(data[name])).length
    if (given > 0 && given < sources.length) finding.reasons.push('part of a combined index')
  }
}

function frozen(finding: Finding, { columns }: Model, data: Args, fixed: Args): void {
  const bound = new Set(columns.flatMap(({ encrypted }) => encrypted?.bind ?? []))
  for (const name of bound) {
    const value = isRecord(data[name]) ? data[name].set : data[name]
    if (!isAbsent(value) && value !== fixed[name]) finding.reasons.push('bound column changed')
  }
}

function fixedBy(model: Model, selector: unknown): Args {
  if (!isRecord(selector)) return {}
  const compound = selector[selectorOf({ fields: model.id })]
  const all = isRecord(compound) ? { ...selector, ...compound } : selector
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, isRecord(value) ? value.equals : value]))
}

function writes(value: unknown): boolean {
  return !isNone(isRecord(value) && 'set' in value ? value.set : value)
}

/** Prisma would refuse `null` for a column that others are bound to; the binding is asked first. */
function isNone(value: unknown): boolean {
  return isAbsent(value) || isNull(value)
}

function nested(finding: Finding, model: Model, data: Args): void {
  for (const relation of model.relations) {
    const operations = data[relation.field]
    if (!isRecord(operations)) continue
    const target = modelOf(finding.schema, relation.model)
    for (const [operation, value] of Object.entries(operations)) {
      for (const part of listOf(value)) nestedOperation(finding, target, { operation, part, list: relation.list })
    }
  }
}

interface Nested {
  readonly operation: string
  readonly part: unknown
  readonly list: boolean
}

function nestedOperation(finding: Finding, target: Model, { operation, part, list }: Nested): void {
  if (!isRecord(part)) return
  if (operation === 'create') created(finding, target, part)
  else if (operation === 'createMany') created(finding, target, part.data)
  else if (operation === 'update') nestedUpdate(finding, target, part, list)
  else if ('create' in part || 'update' in part || 'data' in part) {
    where(finding, target, part.where, 'refused')
    created(finding, target, part.create)
    if (operation === 'updateMany') updatedMany(finding, target, part.data)
    else updated(finding, target, part.where, part.update)
  } else where(finding, target, part, 'refused')
}

/** To one row, `update` takes the data itself, or `{ where, data }`. */
function nestedUpdate(finding: Finding, target: Model, part: Args, list: boolean): void {
  const wrapped = list || 'data' in part
  where(finding, target, wrapped ? part.where : undefined, 'refused')
  updated(finding, target, wrapped ? part.where : undefined, wrapped ? part.data : part)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
