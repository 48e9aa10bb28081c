import type { DeleteStmt } from 'libpg-query'
import type { Analysis } from './analysis.js'
import { takeFacts } from './facts.js'
import { walkReturning } from './returning.js'
import { innerScope, type Scope } from './scope.js'
import type { Selection } from './selection.js'
import { walkWith } from './with.js'

/** Analyses a DELETE, and says what its RETURNING gives. */
export function walkDelete(analysis: Analysis, statement: DeleteStmt, outer: Scope | undefined): Selection {
  const scope = innerScope(outer)
  walkWith(analysis, statement.withClause, scope)
  const { schemaname, relname = '', alias } = statement.relation ?? {}
  scope.relations.push(analysis.relation(schemaname, relname, alias?.aliasname, innerScope(undefined)))
  analysis.from(statement.usingClause, scope)
  takeFacts(statement.whereClause, scope)
  analysis.expression(statement.whereClause, scope, 'of all results')
  return walkReturning(analysis, statement.returningClause, scope)
}
