import type { FieldPlan, IndexPlan, TokenIndexPlan } from '../plan/plan.js'
import { type CatalogTable, contentName } from './catalog.js'
import type { ColumnName } from './nodes.js'
import { refusedRow, unsupported } from './refusals.js'
import type { ValueSource } from './statementPlan.js'

/** One mention of a table: rows of the same table that are mentioned twice are different rows. */
export interface Origin {
  readonly table: CatalogTable
  /** What conditions that all rows of the result fulfil say of its columns, by their names in the model. */
  readonly facts: Map<string, ValueSource>
}

/** What a column holds. */
export type ColumnSource =
  | { readonly kind: 'encrypted'; readonly field: FieldPlan; readonly origin: Origin }
  | { readonly kind: 'index'; readonly index: IndexPlan; readonly origin: Origin }
  | { readonly kind: 'tokens'; readonly index: TokenIndexPlan; readonly origin: Origin }
  | { readonly kind: 'plain'; readonly field: string; readonly origin: Origin }
  | { readonly kind: 'undeclared'; readonly of: string; readonly refusal: string; readonly origin: Origin }

export type EncryptedSource = ColumnSource & { readonly kind: 'encrypted' }

/** Something that columns can be taken of: a table, a subquery, a function. */
export interface Relation {
  readonly alias: string
  /** The columns that are known; `undefined` for those that come from nowhere that is declared. */
  readonly columns: ReadonlyMap<string, ColumnSource | undefined>
  /** Which of its columns are known: a table may have more than are declared. */
  readonly known: 'all' | 'declared' | 'none'
  /** An unqualified name or a star does not mean it. */
  readonly qualifiedOnly?: boolean
  /** The name under which it gives a column, which it may have to add; `undefined` where it cannot. */
  expose(wanted: ColumnSource): string | undefined
}

/** A query of a WITH clause: each mention has rows of its own. */
export interface Cte {
  mention(alias: string): Relation
}

/** The relations that names mean at one place of a statement, and those around them. */
export interface Scope {
  readonly relations: Relation[]
  readonly ctes: Map<string, Cte>
  readonly outer: Scope | undefined
}

export function innerScope(outer: Scope | undefined): Scope {
  return { relations: [], ctes: new Map(), outer }
}

export function isSameSource(a: ColumnSource, b: ColumnSource): boolean {
  if (a.origin !== b.origin || a.kind !== b.kind) return false
  switch (a.kind) {
    case 'index':
    case 'tokens':
      return a.index === (b as typeof a).index
    case 'undeclared':
      return false
    default:
      return a.field === (b as typeof a).field
  }
}

/** A table of the database that is named in a statement. */
export function tableRelation(table: CatalogTable, alias: string): Relation {
  const origin: Origin = { table, facts: new Map() }
  const columns = new Map(
    [...table.columns].map(([name, column]): [string, ColumnSource] => [name, { ...column, origin }]),
  )
  return {
    alias,
    columns,
    known: 'declared',
    expose: (wanted) => [...columns].find(([, source]) => isSameSource(source, wanted))?.[0],
  }
}

/** Something of which nothing is known. */
export function unknownRelation(alias: string): Relation {
  return { alias, columns: new Map(), known: 'none', expose: () => undefined }
}

/** Whether any of its columns is encrypted, or an index. */
export function holdsEncrypted(relation: Relation): boolean {
  return secretIn(relation) !== undefined
}

/** The name of an encrypted column of a relation, or of an index. */
export function secretIn({ columns }: Relation): string | undefined {
  const sources = [...columns.values()]
  const kinds = ['encrypted', 'index', 'tokens', 'undeclared'] as const
  const [first] = kinds.flatMap((kind) => sources.filter((source) => source?.kind === kind))
  return first && sourceName(first)
}

/** `Model.field`. */
export function sourceName(source: ColumnSource): string {
  return source.kind === 'plain' ? `${source.origin.table.plan.name}.${source.field}` : contentName(source)
}

/** What a name means. */
export interface Resolved {
  readonly relation: Relation
  readonly source: ColumnSource | undefined
}

/** Columns that PostgreSQL gives every table. */
const SYSTEM_COLUMNS = new Set(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])

/**
 * What a reference to a column means, from the inside out; `undefined` for what is nobody's that is known. A name that
 * may be an encrypted column counts as it.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` for the whole row of a table with encrypted columns, for what may be a
 * function of it (`u.row_to_json`), and for what shows an encrypted column undeclared
 */
export function resolve(scope: Scope, { qualifier, name }: ColumnName): Resolved | undefined {
  if (name === undefined) return resolveStar(scope, qualifier)
  const found = qualifier === undefined ? resolveName(scope, name) : resolveQualified(scope, qualifier, name)
  requireDeclared(found?.source)
  return found
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` */
export function requireDeclared(source: ColumnSource | undefined): void {
  if (source?.kind === 'undeclared') throw unsupported(source.refusal)
}

function resolveName(scope: Scope, name: string): Resolved | undefined {
  let isHidden = false
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const named = at.relations.filter((relation) => !relation.qualifiedOnly && relation.columns.has(name))
    const found = named.find((relation) => isOfInterest(relation.columns.get(name))) ?? named[0]
    const source = found?.columns.get(name)
    if (isHidden && isOfInterest(source)) throw maybeHidden(found!.alias, name)
    if (isOfInterest(source) && isAmbiguous(at, named)) throw ambiguous(source!, found!.alias, name)
    if (found) return { relation: found, source }
    isHidden ||= at.relations.some(({ known }) => known !== 'all')
    const row = at.relations.find((relation) => relation.alias === name && holdsEncrypted(relation))
    if (row) throw refusedRow(name, secretIn(row))
  }
  return undefined
}

/** PostgreSQL refuses a name that several tables of one FROM have; that of the index would be only one's. */
function isAmbiguous({ relations }: Scope, named: readonly Relation[]): boolean {
  return named.length > 1 || relations.some((relation) => !relation.qualifiedOnly && relation.known === 'none')
}

function ambiguous(source: ColumnSource, alias: string, name: string): Error {
  return unsupported(
    `${sourceName(source)} is encrypted, and "${name}" may be a column of another table of the statement too: write "${alias}"."${name}"`,
  )
}

/** A table of the subquery may have a column of this name, which then is meant. */
function maybeHidden(alias: string, name: string): Error {
  return unsupported(
    `"${name}" may be the encrypted column of "${alias}" around the subquery: write "${alias}"."${name}"`,
  )
}

function isOfInterest(source: ColumnSource | undefined): boolean {
  return source !== undefined && source.kind !== 'plain'
}

function resolveQualified(scope: Scope, qualifier: string, name: string): Resolved | undefined {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const relation = at.relations.find(({ alias }) => alias === qualifier)
    if (!relation) continue
    if (relation.columns.has(name)) return { relation, source: ownColumn(relation, name) }
    if (holdsEncrypted(relation) && !SYSTEM_COLUMNS.has(name)) throw undeclared(relation, name)
    return { relation, source: undefined }
  }
  if (relationsOf(scope).some(({ columns }) => isOfInterest(columns.get(name)))) {
    throw unsupported(
      `"${qualifier}"."${name}" may be an encrypted column, and nothing in the statement is named "${qualifier}"`,
    )
  }
  return undefined
}

/** What a star gives of a table that nobody declared may have the same name. */
function ownColumn({ columns, known, alias }: Relation, name: string): ColumnSource | undefined {
  const source = columns.get(name)
  if (known !== 'none' || !isOfInterest(source)) return source
  throw unsupported(
    `${sourceName(source!)} is encrypted, and "${alias}" gives besides it all columns of a table of which nothing is declared: name the columns that "${alias}" gives`,
  )
}

/** `u.f` means `f(u)` where there is no column `f`. */
function undeclared(relation: Relation, name: string): Error {
  const { alias } = relation
  return unsupported(
    `"${alias}"."${name}" may be a function of the whole row, as no column "${name}" is declared, and the row holds ` +
      `${secretIn(relation)}, which is encrypted: declare the column in the entity`,
  )
}

function resolveStar(scope: Scope, qualifier: string | undefined): undefined {
  const row = relationsOf(scope).find((one) => (qualifier ?? one.alias) === one.alias && holdsEncrypted(one))
  if (row) throw refusedRow(row.alias, secretIn(row))
}

/** All relations that are visible. */
export function relationsOf(scope: Scope): Relation[] {
  const relations: Relation[] = []
  for (let at: Scope | undefined = scope; at; at = at.outer) relations.push(...at.relations)
  return relations
}

export function findCte(scope: Scope, name: string): Cte | undefined {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const found = at.ctes.get(name)
    if (found) return found
  }
  return undefined
}
