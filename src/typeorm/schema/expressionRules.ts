import type { ColumnRef } from 'libpg-query'
import type { EntityMetadata } from 'typeorm'
import { guardName } from '../../maintenance/postgres/guards.js'
import type { ReportAt } from '../../schema/problem.js'
import { columnNameOf } from '../../sql/nodes.js'
import { parseSql } from '../../sql/parser.js'
import { annotationsOf, isIndex } from './annotation.js'
import { type ColumnMetadata, columnsOf } from './metadata.js'

/** An expression of SQL that the database computes for each row. */
interface Expression {
  /** As messages call it. */
  readonly what: string
  /** A statement that holds it. */
  readonly sql: string
  /** Columns that it may mention. */
  readonly allowed: (column: ColumnMetadata) => boolean
}

/**
 * Reports the encrypted columns that the database would compute with: in constraints, conditions of indexes and generated
 * columns. Whether they are NULL it may ask. The parser must have been loaded.
 *
 * @param first the entity that stands for the table
 */
export function checkExpressions(first: EntityMetadata, others: readonly EntityMetadata[], reportAt: ReportAt): void {
  const marked = new Map(
    columnsOf(first).flatMap((column) => (isMarked(column) ? [[column.databaseName, column]] : [])),
  )
  if (marked.size === 0) return
  const seen = new Set<string>()
  for (const entity of [first, ...others]) {
    for (const expression of expressionsOf(entity)) {
      for (const { place, text } of problemsOf(first, marked, expression)) {
        if (!seen.has(place + text)) reportAt(place, text)
        seen.add(place + text)
      }
    }
  }
}

function expressionsOf(entity: EntityMetadata): Expression[] {
  const { checks, exclusions, indices, tableName } = entity
  const isIndex = (column: ColumnMetadata) => !isEncrypted(column)
  return [
    ...checks.map(({ name, expression }) => ({
      what: `the \`@Check\` "${name}"`,
      sql: `SELECT (${expression})`,
      allowed: (column: ColumnMetadata) => isIndex(column) || name === guardName(tableName, column.databaseName),
    })),
    ...exclusions.map(({ name, expression }) => ({
      what: `the \`@Exclusion\` "${name}"`,
      sql: `ALTER TABLE t ADD CONSTRAINT c EXCLUDE ${expression}`,
      allowed: isIndex,
    })),
    ...indices.flatMap(({ name, where }) =>
      where ? [{ what: `the condition of the \`@Index\` "${name}"`, sql: `SELECT (${where})`, allowed: isIndex }] : [],
    ),
    ...columnsOf(entity).flatMap(({ asExpression, propertyPath }) => {
      if (!asExpression) return []
      return [
        { what: `the generated column \`${propertyPath}\``, sql: `SELECT (${asExpression})`, allowed: () => false },
      ]
    }),
  ]
}

function problemsOf(
  { name: entity, tableName }: EntityMetadata,
  marked: ReadonlyMap<string, ColumnMetadata>,
  { what, sql, allowed }: Expression,
): { readonly place: string; readonly text: string }[] {
  const names = namesIn(sql)
  if (names === undefined) return [{ place: entity, text: `has ${what}, which cannot be read as PostgreSQL's SQL` }]
  if (names.some((name) => name === undefined || name === tableName)) {
    const text = `has ${what}, which takes the whole row, with encrypted columns in it; name the columns that it needs`
    return [{ place: entity, text }]
  }
  return names.flatMap((name) => {
    const column = marked.get(name!)
    if (column === undefined || allowed(column)) return []
    const why = isEncrypted(column)
      ? 'in which the database would take ciphertext for a value'
      : 'which results would show'
    const instead = isEncrypted(column) ? 'leave it out, or ask only whether it IS NULL' : 'leave it out'
    return [{ place: `${entity}.${column.propertyPath}`, text: `is in ${what}, ${why}; ${instead}` }]
  })
}

/** The columns that SQL mentions, `undefined` for all; nothing for what is no SQL. */
function namesIn(sql: string): (string | undefined)[] | undefined {
  try {
    return columnsIn(parseSql(sql))
  } catch {
    return undefined
  }
}

/** Without those of which it is only asked whether they are NULL. */
function columnsIn(tree: unknown): (string | undefined)[] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([kind, content]) => {
    if (kind === 'ColumnRef') return [columnNameOf(content as ColumnRef).name]
    if (kind === 'NullTest' && (content as { readonly arg?: object }).arg && 'ColumnRef' in content.arg) return []
    const element = kind === 'IndexElem' ? (content as { readonly name?: string }).name : undefined
    return [...(element === undefined ? [] : [element]), ...columnsIn(content)]
  })
}

function isMarked(column: ColumnMetadata): boolean {
  return annotationsOf(column.transformer).some((each) => each.kind === 'encrypted' || isIndex(each))
}

function isEncrypted({ transformer }: ColumnMetadata): boolean {
  return annotationsOf(transformer).some(({ kind }) => kind === 'encrypted')
}
