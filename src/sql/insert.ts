import type { InsertStmt, Node, OnConflictClause } from 'libpg-query'
import { isExact } from '../plan/exactIndex.js'
import type { IndexPlan } from '../plan/plan.js'
import type { Analysis } from './analysis.js'
import type { CatalogColumn, CatalogTable } from './catalog.js'
import { isEncrypted } from './catalog.js'
import { namesOf, nodeOf, nodesOf } from './nodes.js'
import { partialIndex, refusedIndexWrite, refusedTenant, refusedUse, refusedValue, unsupported } from './refusals.js'
import { walkReturning } from './returning.js'
import { innerScope, type Relation, type Scope, secretIn, tableRelation, unknownRelation } from './scope.js'
import { requirePlain, type Selection } from './selection.js'
import { quoteName } from './sqlText.js'
import type { Piece, StatementRow, ValueSource } from './statementPlan.js'
import { isNull, parameterOf, valueSource } from './values.js'
import { walkWith } from './with.js'

/** Analyses an INSERT, and says what its RETURNING gives. */
export function walkInsert(analysis: Analysis, statement: InsertStmt, outer: Scope | undefined): Selection {
  const scope = innerScope(outer)
  walkWith(analysis, statement.withClause, scope)
  const { schemaname, relname = '', alias } = statement.relation ?? {}
  const target = analysis.relation(schemaname, relname, alias?.aliasname, innerScope(undefined))
  const table = analysis.catalog.find(schemaname, relname)
  if (table && isEncrypted(table)) new Insert(analysis, statement, table).walk(scope)
  else walkPlainInsert(analysis, statement, scope)
  const written: Scope = { ...scope, relations: [target] }
  walkConflict(analysis, statement.onConflictClause, table, written)
  return walkReturning(analysis, statement.returningClause, written)
}

function walkPlainInsert(analysis: Analysis, { selectStmt }: InsertStmt, scope: Scope): void {
  const source = nodeOf(selectStmt, 'SelectStmt')
  if (source) requirePlain(analysis, analysis.select(source, scope), 'INSERT … SELECT')
}

/** What a column of an INSERT is given in one row. */
type Given = { readonly column: CatalogColumn | undefined; readonly name: string; readonly item: Node }

class Insert {
  readonly #analysis: Analysis
  readonly #statement: InsertStmt
  readonly #table: CatalogTable
  readonly #names: readonly string[]
  /** The indexes that are filled by the columns that are named. */
  readonly #indexes: readonly IndexPlan[]

  constructor(analysis: Analysis, statement: InsertStmt, table: CatalogTable) {
    this.#analysis = analysis
    this.#statement = statement
    this.#table = table
    this.#names = nodesOf(statement.cols, 'ResTarget').map(({ name = '' }) => name)
    const columns = this.#names.map((name) => table.columns.get(name))
    const fields = new Set(columns.flatMap((column) => (column?.kind === 'encrypted' ? column.field : [])))
    this.#indexes = [...new Set([...fields].flatMap(({ indexes }) => indexes))]
  }

  walk(scope: Scope): void {
    const source = nodeOf(this.#statement.selectStmt, 'SelectStmt')
    if (this.#table.isView)
      throw unsupported(
        `"${this.#table.name}" is a view of ${this.#secret()}, which is encrypted: write to the table behind it`,
      )
    if (!source) return
    if (this.#names.length === 0)
      throw unsupported(`INSERT INTO "${this.#table.name}" must name its columns, as ${this.#secret()} is encrypted`)
    for (const name of this.#names) {
      const column = this.#table.columns.get(name)
      if (column?.kind === 'index') throw refusedIndexWrite(column.index)
    }
    if (!source.valuesLists) {
      this.#walkSelect(scope)
      return
    }
    if (nodesOf(this.#statement.cols, 'ResTarget').some(({ indirection }) => indirection))
      throw unsupported(`INSERT INTO "${this.#table.name}" cannot write a part of a column`)
    if (source.withClause) throw unsupported(`in INSERT INTO "${this.#table.name}" WITH is to stand before INSERT`)
    this.#addIndexColumns()
    const rows = nodesOf(source.valuesLists, 'List').map(({ items = [] }) => items)
    const starts = this.#markedRows(rows.length)
    for (const [position, items] of rows.entries()) this.#walkRow(items, starts[position]!, scope)
  }

  #walkSelect(scope: Scope): void {
    const column = this.#names.map((name) => this.#table.columns.get(name)).find((one) => one?.kind === 'encrypted')
    if (column?.kind === 'encrypted') throw refusedValue(column.field)
    walkPlainInsert(this.#analysis, this.#statement, scope)
  }

  #secret(): string {
    return String(secretIn(tableRelation(this.#table, '')))
  }

  #addIndexColumns(): void {
    const [first] = nodesOf(this.#statement.cols, 'ResTarget')
    if (this.#indexes.length === 0) return
    const { text } = this.#analysis
    text.insertBefore(text.tokenAt(first!.location), ...this.#indexes.map((index) => `${this.#columnOf(index)}, `))
  }

  #columnOf(index: IndexPlan): string {
    return quoteName(columnOfIndex(this.#table, index))
  }

  /** Marks where the rows of VALUES begin and end, and gives the tokens that open them. */
  #markedRows(count: number): number[] {
    const { text } = this.#analysis
    const columns = nodesOf(this.#statement.cols, 'ResTarget')
    let at = text.tokenAt(columns.at(-1)!.location)
    while (text.tokens[at]!.text.toUpperCase() !== 'VALUES') at += 1
    const starts: number[] = []
    for (let depth = 0; depth > 0 || starts.length < count; ) {
      at += 1
      const { text: token } = text.tokens[at]!
      if (token === '(' && depth === 0) starts.push(at)
      if (token === '(') depth += 1
      if (token === ')') depth -= 1
    }
    for (const start of starts) text.insertBefore(start, { kind: 'row begins' })
    text.insertAfter(at, { kind: 'rows end' })
    return starts
  }

  #walkRow(items: readonly Node[], start: number, scope: Scope): void {
    const { text, rows } = this.#analysis
    const given = items.map((item, position): Given => {
      const name = this.#names[position] ?? ''
      return { item, name, column: this.#table.columns.get(name) }
    })
    const row = writtenRow(this.#table, given)
    rows.push(row)
    const indexes = this.#indexes.flatMap((index): Piece[] => [indexPiece(index, given, row), ', '])
    if (indexes.length > 0) text.insertAfter(start, ...indexes)
    for (const { item, column, name } of given) {
      if (column?.kind === 'encrypted') this.#walkValue(column, item, row)
      else this.#analysis.expression(item, scope)
      if (column?.kind === 'plain' && column.field === row.plan.tenant) this.#checkTenant(name, item, row)
    }
  }

  /** What is encrypted would be under another tenant's key than the row names. */
  #checkTenant(name: string, item: Node, { plan, written }: StatementRow): void {
    if (!written.has(plan.tenant!) && !nodeOf(item, 'SetToDefault')) throw refusedTenant(this.#table.name, name)
  }

  #walkValue({ field }: CatalogColumn & { kind: 'encrypted' }, item: Node, row: StatementRow): void {
    const { text } = this.#analysis
    if (isNull(item) || nodeOf(item, 'SetToDefault')) return
    const parameter = parameterOf(text, item)
    if (!parameter) throw refusedValue(field)
    const token = text.tokenAt(parameter.ref.location)
    text.replace(
      { first: token, last: parameter.last },
      {
        kind: 'value',
        field,
        value: { param: parameter.ref.number ?? 0 },
        row,
      },
    )
  }
}

/** What is known of a row that is inserted. */
function writtenRow({ plan }: CatalogTable, given: readonly Given[]): StatementRow {
  const written = new Map<string, ValueSource>()
  for (const { column, item } of given) {
    if (column?.kind !== 'plain') continue
    const source = valueSource(item, plan.bound.get(column.field)?.type)
    if (source) written.set(column.field, source)
  }
  return { plan, written, stored: new Map() }
}

function indexPiece(index: IndexPlan, given: readonly Given[], row: StatementRow): Piece {
  const values = index.sources.map((source) => {
    const found = given.find(({ column }) => column?.kind === 'encrypted' && column.field === source)
    return found && valueSource(found.item)
  })
  const isNever = values.some((value) => value === undefined || ('constant' in value && value.constant === null))
  return isNever ? 'NULL' : { kind: 'index', index, values, row, isUpdate: false }
}

export function columnOfIndex({ columns, name }: CatalogTable, index: IndexPlan): string {
  for (const [column, content] of columns) if (content.kind === 'index' && content.index === index) return column
  throw unsupported(`"${name}" has no column for ${index.name}`)
}

function walkConflict(
  analysis: Analysis,
  clause: OnConflictClause | undefined,
  table: CatalogTable | undefined,
  scope: Scope,
): void {
  if (!clause) return
  const encrypted = table && isEncrypted(table) ? table : undefined
  const names = nodesOf(clause.infer?.indexElems, 'IndexElem').map(({ name }) => name)
  if (encrypted) walkConflictTarget(analysis, clause, encrypted)
  const excluded: Relation = {
    ...(table ? tableRelation(table, 'excluded') : unknownRelation('excluded')),
    qualifiedOnly: true,
  }
  const both: Scope = { ...scope, relations: [...scope.relations, excluded] }
  const targets = nodesOf(clause.targetList, 'ResTarget')
  for (const { name = '', val, location, indirection } of targets) {
    const column = encrypted?.columns.get(name)
    if (column?.kind === 'index') throw refusedIndexWrite(column.index)
    if (column?.kind === 'plain' && isFixed(encrypted!, column.field)) requireExcluded(encrypted!, name, val)
    if (column?.kind !== 'encrypted') {
      analysis.expression(val, both)
      continue
    }
    const { field } = column
    if (indirection || !isExcluded(val, name)) {
      throw refusedUse(
        field,
        'another value than EXCLUDED of the same column in ON CONFLICT',
        `write = EXCLUDED.${quoteName(name)}`,
      )
    }
    const unknown = field.bind.find((bound) => !names.some((other) => isPlainColumn(encrypted!, other, bound)))
    if (unknown !== undefined)
      throw unsupported(
        `${field.name} is bound to ${unknown}, which the row that is there already may have another of: insert and update apart, or ` +
          `name ${unknown} in ON CONFLICT (…)`,
      )
    addExcludedIndexes(analysis, encrypted!, field.indexes, targets, location)
  }
  analysis.expression([clause.whereClause, clause.infer?.whereClause], both)
}

function isPlainColumn({ columns }: CatalogTable, name: string | undefined, field: string): boolean {
  const column = columns.get(name ?? '')
  return column?.kind === 'plain' && column.field === field
}

/** Whether a column is the tenant's, or one that ciphertexts are bound to. */
export function isFixed({ plan }: CatalogTable, field: string): boolean {
  return field === plan.tenant || plan.bound.has(field)
}

function requireExcluded({ name: table }: CatalogTable, name: string, value: Node | undefined): void {
  if (!isExcluded(value, name))
    throw unsupported(
      `"${table}"."${name}" tells whose or which row it is: in ON CONFLICT write = EXCLUDED.${quoteName(name)}, or leave it out`,
    )
}

function isExcluded(value: Node | undefined, name: string): boolean {
  const names = namesOf(nodeOf(value, 'ColumnRef')?.fields)
  return names.length === 2 && names[0] === 'excluded' && names[1] === name
}

/** Has the indexes of a column follow it, by the first of their sources that is set. */
function addExcludedIndexes(
  { text }: Analysis,
  table: CatalogTable,
  indexes: readonly IndexPlan[],
  targets: readonly { readonly name?: string; readonly location?: number }[],
  location: number | undefined,
): void {
  for (const index of indexes) {
    const missing = index.sources.filter((source) => !targets.some(({ name }) => sourceOf(table, name) === source))
    if (missing.length > 0) throw partialIndex(index, missing)
    const first = targets.find(({ name }) => index.sources.some((source) => sourceOf(table, name) === source))
    if (first?.location !== location) continue
    const column = quoteName(columnOfIndex(table, index))
    text.insertBefore(text.tokenAt(location), `${column} = EXCLUDED.${column}, `)
  }
}

function sourceOf({ columns }: CatalogTable, name: string | undefined): object | undefined {
  const column = columns.get(name ?? '')
  return column?.kind === 'encrypted' ? column.field : undefined
}

/** `ON CONFLICT (email)` means the unique index of its blind index. */
function walkConflictTarget({ text }: Analysis, { infer }: OnConflictClause, table: CatalogTable): void {
  const elements = nodesOf(infer?.indexElems, 'IndexElem')
  const encrypted = elements.filter(({ name }) => sourceOf(table, name) !== undefined)
  if (encrypted.length === 0) return
  let at = text.tokenAt(infer!.location)
  for (const { name, collation, opclass } of elements) {
    at += 1
    const column = table.columns.get(name ?? '')
    if (column?.kind === 'encrypted') {
      const index = column.field.indexes.find((one) => one.sources.length === 1 && isExact(one))
      if (!index || column.field.state || collation || opclass)
        throw refusedUse(column.field, 'ON CONFLICT', 'give it a unique blind index of 128 bits or more, and no state')
      text.replace({ first: at, last: at }, quoteName(columnOfIndex(table, index)))
    }
    for (let depth = 0; depth > 0 || ![',', ')'].includes(text.tokens[at]!.text); at += 1) {
      if (text.tokens[at]!.text === '(') depth += 1
      if (text.tokens[at]!.text === ')') depth -= 1
    }
  }
}
