import type { JoinExpr, Node, RangeSubselect, RangeVar } from 'libpg-query'
import type { Analysis } from './analysis.js'
import { takeFacts } from './facts.js'
import { kindOf, namesOf, nodeOf } from './nodes.js'
import { unsupported } from './refusals.js'
import {
  findCte,
  holdsEncrypted,
  type Relation,
  type Scope,
  secretIn,
  sourceName,
  tableRelation,
  unknownRelation,
} from './scope.js'
import { derivedRelation } from './selection.js'

/** Adds what a FROM clause names to a scope. */
export function walkFrom(analysis: Analysis, items: readonly Node[] = [], scope: Scope): void {
  for (const item of items) walkItem(analysis, item, scope)
}

function walkItem(analysis: Analysis, item: Node, scope: Scope): void {
  const table = nodeOf(item, 'RangeVar')
  if (table) {
    addTable(analysis, table, scope)
    return
  }
  const join = nodeOf(item, 'JoinExpr')
  if (join) {
    walkJoin(analysis, join, scope)
    return
  }
  const subquery = nodeOf(item, 'RangeSubselect')
  if (subquery) {
    addSubquery(analysis, subquery, scope)
    return
  }
  const sample = nodeOf(item, 'RangeTableSample')
  if (sample) {
    walkFrom(analysis, sample.relation && [sample.relation], scope)
    analysis.expression([sample.args, sample.repeatable], scope)
    return
  }
  analysis.expression(Object.values(item), scope)
  scope.relations.push(unknownRelation(aliasOf(item) ?? functionName(item) ?? ''))
}

/** Functions, XMLTABLE and JSON_TABLE. */
function aliasOf(item: Node): string | undefined {
  const content = (item as { readonly [kind: string]: { readonly alias?: { readonly aliasname?: string } } })[
    kindOf(item)
  ]
  return content?.alias?.aliasname
}

function functionName(item: Node): string | undefined {
  const [first] = nodeOf(nodeOf(item, 'RangeFunction')?.functions?.[0], 'List')?.items ?? []
  return namesOf(nodeOf(first, 'FuncCall')?.funcname).at(-1)
}

function addTable(analysis: Analysis, { schemaname, relname = '', alias }: RangeVar, scope: Scope): void {
  const relation = analysis.relation(schemaname, relname, alias?.aliasname, scope)
  refuseRenamed(relation, alias?.colnames)
  scope.relations.push(relation)
}

/** The relation that a name means: a WITH query, a declared table, or something unknown. */
export function relationOf(
  { catalog }: Pick<Analysis, 'catalog'>,
  schema: string | undefined,
  name: string,
  alias: string | undefined,
  scope: Scope,
): Relation {
  const cte = schema === undefined ? findCte(scope, name) : undefined
  if (cte) return cte.mention(alias ?? name)
  const table = catalog.find(schema, name)
  return table ? tableRelation(table, alias ?? name) : unknownRelation(alias ?? name)
}

function refuseRenamed(relation: Relation, names: readonly Node[] | undefined): void {
  if (names && holdsEncrypted(relation))
    throw unsupported(
      `"${relation.alias}" gives ${secretIn(relation)}, which is encrypted, under another name: name it in the SELECT`,
    )
}

function addSubquery(analysis: Analysis, { lateral, subquery, alias }: RangeSubselect, scope: Scope): void {
  const statement = nodeOf(subquery, 'SelectStmt')
  if (!statement) throw unsupported('this subquery is not understood')
  const around = lateral ? scope : { ...scope, relations: [] }
  const relation = derivedRelation(alias?.aliasname ?? '', analysis.select(statement, around))
  refuseRenamed(relation, alias?.colnames)
  scope.relations.push(relation)
}

function walkJoin(analysis: Analysis, join: JoinExpr, scope: Scope): void {
  const before = scope.relations.length
  walkFrom(
    analysis,
    [join.larg, join.rarg].flatMap((side) => side ?? []),
    scope,
  )
  const joined = scope.relations.slice(before)
  const common = namesOf(join.usingClause)
  const encrypted = joined.find(holdsEncrypted)
  if (encrypted && (join.isNatural || join.alias))
    throw unsupported(
      `a join with "${encrypted.alias}", which gives ${secretIn(encrypted)}, is to say ON which columns, as that is encrypted, and to have no name of its own`,
    )
  for (const { columns, alias } of joined)
    for (const name of common) {
      const source = columns.get(name)
      if (source && source.kind !== 'plain')
        throw unsupported(`${sourceName(source)} is encrypted, so "${alias}"."${name}" cannot be joined by USING`)
    }
  if (join.jointype === 'JOIN_INNER') takeFacts(join.quals, scope)
  analysis.expression(join.quals, scope, 'positive')
}
