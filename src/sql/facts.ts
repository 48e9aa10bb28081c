import type { A_Expr, Node } from 'libpg-query'
import { columnNameOf, isBuiltIn, nodeOf } from './nodes.js'
import { resolve, type Scope } from './scope.js'
import { valueSource } from './values.js'

/** Notes what a condition that all rows fulfil says of plain columns: `id = $1`, also `id IN ($1)`, joined by AND. */
export function takeFacts(condition: Node | undefined, scope: Scope): void {
  const both = nodeOf(condition, 'BoolExpr')
  if (both?.boolop === 'AND_EXPR') for (const part of both.args ?? []) takeFacts(part, scope)
  const equality = nodeOf(condition, 'A_Expr')
  if (equality && isBuiltIn(equality.name, '=')) takeFact(equality, scope)
}

function takeFact({ kind, lexpr, rexpr }: A_Expr, scope: Scope): void {
  const items = nodeOf(rexpr, 'List')?.items ?? []
  if (kind === 'AEXPR_IN' && items.length === 1) noteFact(lexpr, items[0], scope)
  if (kind !== 'AEXPR_OP') return
  noteFact(lexpr, rexpr, scope)
  noteFact(rexpr, lexpr, scope)
}

function noteFact(column: Node | undefined, value: Node | undefined, scope: Scope): void {
  const ref = nodeOf(column, 'ColumnRef')
  if (!ref) return
  const name = columnNameOf(ref)
  if (name.name === undefined) return
  const found = resolve(scope, name)
  // A name without its table may be that of another one, of which nothing is declared.
  const isCertain = name.qualifier !== undefined || scope.relations.length === 1
  if (!isCertain || found?.source?.kind !== 'plain' || !scope.relations.includes(found.relation)) return
  const { field, origin } = found.source
  const known = valueSource(value, origin.table.plan.bound.get(field)?.type)
  if (known) origin.facts.set(field, known)
}
