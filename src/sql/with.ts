import type { CommonTableExpr, Node, WithClause } from 'libpg-query'
import type { Analysis } from './analysis.js'
import { nodesOf } from './nodes.js'
import { unsupported } from './refusals.js'
import { type Scope, unknownRelation } from './scope.js'
import { derivedRelation, requirePlain } from './selection.js'

/** Adds the queries of a WITH clause to a scope: each sees those before it, and of those around it what that level sees. */
export function walkWith(analysis: Analysis, clause: WithClause | undefined, scope: Scope): void {
  for (const cte of nodesOf(clause?.ctes, 'CommonTableExpr')) {
    if (clause?.recursive) addRecursive(analysis, cte, scope)
    else addCte(analysis, cte, scope)
  }
}

function addCte(analysis: Analysis, { ctename = '', ctequery, aliascolnames }: CommonTableExpr, scope: Scope): void {
  const selection = analysis.nested(required(ctequery), scope)
  if (aliascolnames && selection.outputs.some(({ source }) => source && source.kind !== 'plain'))
    throw unsupported(
      `the WITH query "${ctename}" gives encrypted columns, which a list of other names hides: name them in its SELECT`,
    )
  if (aliascolnames) scope.ctes.set(ctename, { mention: unknownRelation })
  else scope.ctes.set(ctename, { mention: (alias) => derivedRelation(alias, selection) })
}

/** It reads itself, so that what it gives is not known before. */
function addRecursive(analysis: Analysis, { ctename = '', ctequery }: CommonTableExpr, scope: Scope): void {
  scope.ctes.set(ctename, { mention: unknownRelation })
  requirePlain(
    analysis,
    analysis.nested(required(ctequery), scope),
    `WITH RECURSIVE "${ctename}"`,
    'have it give the keys of the rows, and join the table to it',
  )
}

function required(query: Node | undefined): Node {
  if (!query) throw unsupported('this WITH query is not understood')
  return query
}
