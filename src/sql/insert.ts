import type { InsertStmt, Node } from 'libpg-query'
import { type ColumnIndex, indexesOf, isIndexColumn } from '../plan/columnIndex.js'
import type { Analysis } from './analysis.js'
import { type CatalogColumn, type CatalogTable, columnOfIndex, isEncrypted, requireWritable } from './catalog.js'
import { walkConflict } from './conflict.js'
import { nodeOf, nodesOf } from './nodes.js'
import { refusedIndexWrite, refusedTenant, refusedValue, unsupported } from './refusals.js'
import { walkReturning } from './returning.js'
import { innerScope, type Scope, secretIn, tableRelation } from './scope.js'
import { requirePlain, type Selection } from './selection.js'
import { quoteName } from './sqlText.js'
import { indexUse, type Piece, type StatementRow, type ValueSource } from './statementPlan.js'
import { castOfParameter, isNull, parameterOf, valueSource } from './values.js'
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
  if (source)
    requirePlain(
      analysis,
      analysis.select(source, scope),
      'INSERT … SELECT',
      'read the rows, and insert them with their values as parameters',
    )
}

/** What a column of an INSERT is given in one row. */
type Given = { readonly column: CatalogColumn | undefined; readonly name: string; readonly item: Node }

class Insert {
  readonly #analysis: Analysis
  readonly #statement: InsertStmt
  readonly #table: CatalogTable
  readonly #names: readonly string[]
  /** The indexes that are filled by the columns that are named. */
  readonly #indexes: readonly ColumnIndex[]

  constructor(analysis: Analysis, statement: InsertStmt, table: CatalogTable) {
    this.#analysis = analysis
    this.#statement = statement
    this.#table = table
    this.#names = nodesOf(statement.cols, 'ResTarget').map(({ name = '' }) => name)
    const columns = this.#names.map((name) => table.columns.get(name))
    const fields = new Set(columns.flatMap((column) => (column?.kind === 'encrypted' ? column.field : [])))
    this.#indexes = [...new Set([...fields].flatMap(indexesOf))]
  }

  walk(scope: Scope): void {
    const source = nodeOf(this.#statement.selectStmt, 'SelectStmt')
    requireWritable(this.#table)
    if (!source) return
    if (this.#names.length === 0)
      throw unsupported(`INSERT INTO "${this.#table.name}" must name its columns, as ${this.#secret()} is encrypted`)
    for (const name of this.#names) {
      const column = this.#table.columns.get(name)
      if (isIndexColumn(column)) throw refusedIndexWrite(column.index)
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

  #columnOf(index: ColumnIndex): string {
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
    if (!parameter) throw refusedValue(field, castOfParameter(item))
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

function indexPiece(index: ColumnIndex, given: readonly Given[], row: StatementRow): Piece {
  const values = index.sources.map((source) => {
    const found = given.find(({ column }) => column?.kind === 'encrypted' && column.field === source)
    return found && valueSource(found.item)
  })
  const isNever = values.some((value) => value === undefined || ('constant' in value && value.constant === null))
  return isNever ? 'NULL' : indexUse(index, values, row, false)
}
