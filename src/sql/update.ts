import type { UpdateStmt } from 'libpg-query'
import { type ColumnIndex, indexesOf, isIndexColumn } from '../plan/columnIndex.js'
import type { FieldPlan } from '../plan/plan.js'
import type { Analysis } from './analysis.js'
import { type Assignment, assignmentsOf } from './assignments.js'
import { type CatalogTable, columnOfIndex, isEncrypted, isFixed, requireWritable } from './catalog.js'
import { takeFacts } from './facts.js'
import { nodeOf } from './nodes.js'
import { guardOwner } from './ownerGuard.js'
import { refusedIndexWrite, refusedTenant, refusedValue } from './refusals.js'
import { walkReturning } from './returning.js'
import { innerScope, type Origin, type Relation, type Scope } from './scope.js'
import type { Selection } from './selection.js'
import { quoteName } from './sqlText.js'
import { indexUse, type Piece, type StatementRow, type ValueSource } from './statementPlan.js'
import { castOfParameter, isNull, parameterOf, valueSource } from './values.js'
import { walkWith } from './with.js'

/** Analyses an UPDATE, and says what its RETURNING gives. */
export function walkUpdate(analysis: Analysis, statement: UpdateStmt, outer: Scope | undefined): Selection {
  const scope = innerScope(outer)
  walkWith(analysis, statement.withClause, scope)
  const { schemaname, relname = '', alias } = statement.relation ?? {}
  const target = analysis.relation(schemaname, relname, alias?.aliasname, innerScope(undefined))
  scope.relations.push(target)
  analysis.from(statement.fromClause, scope)
  takeFacts(statement.whereClause, scope)
  const table = analysis.catalog.find(schemaname, relname)
  const assignments = assignmentsOf(analysis.text, statement.targetList)
  if (table && isEncrypted(table)) new Update(analysis, table, target, assignments).walk(scope)
  else for (const { value } of assignments) analysis.expression(value, scope)
  analysis.expression(statement.whereClause, scope, 'of all results')
  return walkReturning(analysis, statement.returningClause, scope)
}

class Update {
  readonly #analysis: Analysis
  readonly #table: CatalogTable
  readonly #assignments: readonly Assignment[]
  readonly #row: StatementRow
  readonly #alias: string

  constructor(analysis: Analysis, table: CatalogTable, target: Relation, assignments: readonly Assignment[]) {
    this.#analysis = analysis
    this.#table = table
    this.#alias = target.alias
    this.#assignments = assignments
    this.#row = { plan: table.plan, written: this.#written(), stored: originOf(target)?.facts ?? new Map() }
  }

  walk(scope: Scope): void {
    const { rows } = this.#analysis
    requireWritable(this.#table)
    rows.push(this.#row)
    const indexes = new Set<ColumnIndex>()
    for (const assignment of this.#assignments) {
      const column = this.#table.columns.get(assignment.name)
      if (isIndexColumn(column)) throw refusedIndexWrite(column.index)
      if (column?.kind === 'encrypted') this.#walkValue(column.field, assignment, indexes)
      else this.#analysis.expression(assignment.value, scope)
      if (column?.kind === 'plain' && isFixed(this.#table, column.field)) this.#walkFixed(column.field, assignment)
    }
  }

  #walkValue(field: FieldPlan, { value: given, start, isPart }: Assignment, done: Set<ColumnIndex>): void {
    const { text } = this.#analysis
    const parameter = parameterOf(text, given)
    if (isPart || (!parameter && !isNull(given) && !nodeOf(given, 'SetToDefault')))
      throw refusedValue(field, castOfParameter(given))
    const before = indexesOf(field).flatMap((index): Piece[] => {
      if (done.has(index)) return []
      done.add(index)
      return [`${quoteName(columnOfIndex(this.#table, index))} = `, this.#indexPiece(index), ', ']
    })
    if (before.length > 0) text.insertBefore(start, ...before)
    if (!parameter) return
    const token = text.tokenAt(parameter.ref.location)
    const value = { param: parameter.ref.number ?? 0 }
    text.replace({ first: token, last: parameter.last }, { kind: 'value', field, value, row: this.#row })
  }

  #indexPiece(index: ColumnIndex): Piece {
    const values = index.sources.map((source) => {
      const found = this.#assignments.find(({ name }) => this.#fieldOf(name) === source)
      return found && (nodeOf(found.value, 'SetToDefault') ? { constant: null } : valueSource(found.value))
    })
    const isCleared = values.some((value) => value !== undefined && 'constant' in value && value.constant === null)
    return isCleared ? 'NULL' : indexUse(index, values, this.#row, true)
  }

  #fieldOf(name: string): FieldPlan | undefined {
    const column = this.#table.columns.get(name)
    return column?.kind === 'encrypted' ? column.field : undefined
  }

  /** The tenant's column, and those that ciphertexts are bound to. */
  #walkFixed(column: string, { name, value }: Assignment): void {
    const { plan } = this.#table
    const written = valueSource(value, plan.bound.get(column)?.type)
    if (column === plan.tenant && written === undefined) throw refusedTenant(this.#table.name, name)
    if (column === plan.tenant && !this.#row.stored.has(column) && this.#guardOwner(name, value)) return
    this.#analysis.unchanged.push({ plan, column, written, stored: this.#row.stored.get(column) })
  }

  /** Where no condition says whose the row is that is given to a tenant, PostgreSQL has to look. */
  #guardOwner(column: string, value: Assignment['value']): boolean {
    const { text } = this.#analysis
    const parameter = parameterOf(text, value)
    if (!parameter) return false
    const { location, number: param = 0 } = parameter.ref
    const range = { first: text.tokenAt(location), last: parameter.last }
    guardOwner(this.#analysis, { alias: this.#alias, column }, range, { kind: 'plain', param })
    return true
  }

  #written(): ReadonlyMap<string, ValueSource> {
    const written = new Map<string, ValueSource>()
    for (const { name, value } of this.#assignments) {
      const column = this.#table.columns.get(name)
      if (column?.kind !== 'plain') continue
      const source = valueSource(value, this.#table.plan.bound.get(column.field)?.type)
      if (source) written.set(column.field, source)
    }
    return written
  }
}

function originOf({ columns }: Relation): Origin | undefined {
  return [...columns.values()].find((source) => source !== undefined)?.origin
}
