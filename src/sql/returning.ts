import type { ReturningClause } from 'libpg-query'
import type { Analysis } from './analysis.js'
import { nodesOf } from './nodes.js'
import type { Relation, Scope } from './scope.js'
import { walkTargets } from './select.js'
import { derivedRelation, Selection } from './selection.js'

/** The results of a statement that writes. Its first relation is the one that is written. */
export function walkReturning(analysis: Analysis, clause: ReturningClause | undefined, scope: Scope): Selection {
  if (!clause) return new Selection([])
  const [target] = scope.relations
  const versions = target ? rowVersions(target, clause, scope) : []
  return walkTargets(analysis, clause.exprs, { ...scope, relations: [...scope.relations, ...versions] }, true)
}

/** `old` and `new`, or what `WITH (OLD AS …)` calls them: the row as it was, and as it is. */
function rowVersions(target: Relation, { options }: ReturningClause, scope: Scope): Relation[] {
  const given = new Map(nodesOf(options, 'ReturningOption').map(({ option, value }) => [option, value]))
  const names = [given.get('RETURNING_OPTION_OLD') ?? 'old', given.get('RETURNING_OPTION_NEW') ?? 'new']
  return names
    .filter((name) => !scope.relations.some(({ alias }) => alias === name))
    .map((alias) => ({ ...versionOf(target, alias), qualifiedOnly: true }))
}

/** A row of its own, with the same columns. */
function versionOf(target: Relation, alias: string): Relation {
  const outputs = [...target.columns].map(([name, source]) => ({ name, source }))
  return derivedRelation(alias, new Selection(outputs))
}
