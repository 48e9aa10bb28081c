import type { Node, SelectStmt } from 'libpg-query'
import type { Catalog } from './catalog.js'
import type { ColumnSource, Relation, Scope } from './scope.js'
import type { Hidden, Selection } from './selection.js'
import type { SqlText } from './sqlText.js'
import type { OutputCheck, StatementPlan, StatementRow, TokenSearch, UnchangedColumn } from './statementPlan.js'

/** A search by a short index, whose sources must be among the results. */
export interface PendingCheck extends Omit<OutputCheck, 'names'> {
  readonly sources: readonly ColumnSource[]
}

/** A search by tokens that may find other values too, whose source must be among the results to take them out. */
export interface PendingTokenCheck {
  readonly search: TokenSearch
  readonly source: ColumnSource
}

/** Where a condition stands, and what follows from that. */
export type Standing =
  /** All rows of the statement's result fulfil it. */
  | 'of all results'
  /** Under AND and OR alone: what is neither true nor false counts as false. */
  | 'positive'
  /** Under an odd number of NOTs besides: what is neither true nor false counts as true. */
  | 'negative'
  | 'anywhere'

/**
 * What the parts of an analysis share. Statements are nested in expressions, and expressions in statements, so they reach
 * each other through it.
 */
export interface Analysis {
  readonly catalog: Catalog
  readonly text: SqlText
  readonly hidden: Hidden
  readonly rows: StatementRow[]
  readonly checks: PendingCheck[]
  readonly tokenChecks: PendingTokenCheck[]
  readonly unchanged: UnchangedColumn[]
  keepsOwners: string | undefined
  /** Parameters that are compared with no column. */
  readonly lookedAt: Set<number>
  readonly indexesRead: StatementPlan['indexesRead'][number][]
  /** Why what an index finds by mistake cannot be taken out again; `undefined` where it can. */
  inexact: string | undefined
  select(statement: SelectStmt, outer: Scope | undefined): Selection
  /** A statement with results in a WITH clause. */
  nested(statement: Node, outer: Scope | undefined): Selection
  expression(node: unknown, scope: Scope, standing?: Standing): void
  from(items: readonly Node[] | undefined, scope: Scope): void
  relation(schema: string | undefined, name: string, alias: string | undefined, scope: Scope): Relation
}
