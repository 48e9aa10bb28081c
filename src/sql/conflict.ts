import type { Node, OnConflictClause } from 'libpg-query'
import { type ColumnIndex, indexesOf, isIndexColumn } from '../plan/columnIndex.js'
import { isExact } from '../plan/exactIndex.js'
import type { Analysis } from './analysis.js'
import { type Assignment, assignmentsOf } from './assignments.js'
import { type CatalogTable, columnOfIndex, isEncrypted, isFixed } from './catalog.js'
import { namesOf, nodeOf, nodesOf } from './nodes.js'
import { guardOwner } from './ownerGuard.js'
import { partialIndex, refusedIndexWrite, refusedUse, unsupported } from './refusals.js'
import { type Relation, type Scope, tableRelation, unknownRelation } from './scope.js'
import { quoteName } from './sqlText.js'

/** Analyses what an INSERT does with a row that is there already. */
export function walkConflict(
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
  const assignments = assignmentsOf(analysis.text, clause.targetList)
  for (const assignment of assignments) {
    const { name, value, isPart } = assignment
    const column = encrypted?.columns.get(name)
    if (isIndexColumn(column)) throw refusedIndexWrite(column.index)
    if (column?.kind === 'plain' && isFixed(encrypted!, column.field)) {
      requireExcluded(encrypted!, name, value)
      if (column.field === encrypted!.plan.tenant && !names.includes(name)) keepOwner(analysis, scope, assignment)
    }
    if (column?.kind !== 'encrypted') {
      analysis.expression(value, both)
      continue
    }
    const { field } = column
    if (isPart || !isExcluded(value, name)) {
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
    addExcludedIndexes(analysis, encrypted!, indexesOf(field), assignments, assignment)
  }
  analysis.expression([clause.whereClause, clause.infer?.whereClause], both)
}

function isPlainColumn({ columns }: CatalogTable, name: string | undefined, field: string): boolean {
  const column = columns.get(name ?? '')
  return column?.kind === 'plain' && column.field === field
}

function requireExcluded({ name: table }: CatalogTable, name: string, value: Node | undefined): void {
  if (!isExcluded(value, name))
    throw unsupported(
      `"${table}"."${name}" tells whose or which row it is: in ON CONFLICT write = EXCLUDED.${quoteName(name)}, or leave it out`,
    )
}

/** The row that is there keeps its tenant, which nothing but PostgreSQL knows. */
function keepOwner(analysis: Analysis, { relations }: Scope, { name, value }: Assignment): void {
  const first = analysis.text.tokenAt(nodeOf(value, 'ColumnRef')!.location)
  const row = { alias: relations[0]!.alias, column: name }
  guardOwner(analysis, row, { first, last: first + 2 }, `EXCLUDED.${quoteName(name)}`)
}

function isExcluded(value: Node | undefined, name: string): boolean {
  const names = namesOf(nodeOf(value, 'ColumnRef')?.fields)
  return names.length === 2 && names[0] === 'excluded' && names[1] === name
}

/** Has the indexes of a column follow it, by the first of their sources that is set. */
function addExcludedIndexes(
  { text }: Analysis,
  table: CatalogTable,
  indexes: readonly ColumnIndex[],
  assignments: readonly Assignment[],
  assignment: Assignment,
): void {
  for (const index of indexes) {
    const missing = index.sources.filter((source) => !assignments.some(({ name }) => sourceOf(table, name) === source))
    if (missing.length > 0) throw partialIndex(index, missing)
    const first = assignments.find(({ name }) => index.sources.some((source) => sourceOf(table, name) === source))
    if (first !== assignment) continue
    const column = quoteName(columnOfIndex(table, index))
    text.insertBefore(assignment.start, `${column} = EXCLUDED.${column}, `)
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
