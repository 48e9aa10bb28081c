import type { Node, SelectStmt } from 'libpg-query'
import { isIndexColumn } from '../plan/columnIndex.js'
import type { Analysis, PendingCheck, PendingTokenCheck, Standing } from './analysis.js'
import type { Catalog } from './catalog.js'
import { walkDelete } from './delete.js'
import { walkExpression } from './expressions.js'
import { relationOf, walkFrom } from './from.js'
import { walkInsert } from './insert.js'
import { kindOf, nodeOf, someNode } from './nodes.js'
import { parseSql } from './parser.js'
import { unsupported } from './refusals.js'
import { type ColumnSource, type Origin, type Scope, secretIn, tableRelation } from './scope.js'
import { walkSelect } from './select.js'
import type { Selection } from './selection.js'
import { SqlText } from './sqlText.js'
import {
  isSecret,
  type OutputCheck,
  type OutputRow,
  type Piece,
  paramsOfUse,
  type StatementKind,
  type StatementPlan,
  type StatementRow,
  type TokenCheck,
} from './statementPlan.js'
import { walkUpdate } from './update.js'

/** What an analysis goes by. */
export interface AnalysisOptions {
  readonly catalog: Catalog
  /** Rows of all tenants may be read, so that each row must tell whose it is. */
  readonly across: boolean
}

const KINDS: { readonly [kind: string]: StatementKind } = {
  SelectStmt: 'SELECT',
  InsertStmt: 'INSERT',
  UpdateStmt: 'UPDATE',
  DeleteStmt: 'DELETE',
}

/** Statements that may name tables with encrypted columns, as they neither read nor write values. */
const HARMLESS = new Set([
  'TransactionStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'CreateStmt',
  'AlterTableStmt',
  'IndexStmt',
  'RefreshMatViewStmt',
  'DropStmt',
  'RenameStmt',
  'CommentStmt',
  'CreateEnumStmt',
  'AlterEnumStmt',
  'CreateSchemaStmt',
  'CreateExtensionStmt',
  'LockStmt',
  'TruncateStmt',
  'VacuumStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'GrantStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'AlterObjectSchemaStmt',
  'AlterOwnerStmt',
  'CreatePolicyStmt',
  'AlterPolicyStmt',
  'CreateStatsStmt',
  'ReindexStmt',
  'ConstraintsSetStmt',
  'CreateTrigStmt',
  'CreateFunctionStmt',
  'CheckPointStmt',
  'DiscardStmt',
  'CreateDomainStmt',
  'CompositeTypeStmt',
  'CreatePublicationStmt',
  'AlterPublicationStmt',
])

/**
 * Finds out what a statement means for encrypted columns.
 *
 * @returns `undefined` for one that touches none, which is sent as it is
 * @throws FieldsealError `QUERY_UNSUPPORTED` for one that has no right answer, or that is not understood
 */
export function analyse(text: string, options: AnalysisOptions): StatementPlan | undefined {
  const statements = parsed(text)
  const secret = statements.map((statement) => secretMentioned(statement, options.catalog)).find(Boolean)
  if (secret === undefined) return undefined
  const [statement] = statements
  if (statements.length > 1 || !statement)
    throw unsupported(
      `several statements in one query, of which one is on the table of ${secret}, which is encrypted: send them one by one`,
    )
  const kind = KINDS[kindOf(statement)]
  if (kind) return new StatementAnalysis(text, options).plan(kind, statement)
  const view = queryOfView(statement)
  if (view) new StatementAnalysis(text, options).nested(view, undefined)
  else if (!HARMLESS.has(kindOf(statement))) throw refusedKind(statement, secret)
  return undefined
}

/**
 * What the columns of a view are, by their names; none are known of one that touches nothing encrypted.
 *
 * @param definition its SELECT, as PostgreSQL tells it
 * @throws FieldsealError `QUERY_UNSUPPORTED` for one that makes something of an encrypted column
 */
export function viewColumns(definition: string, catalog: Catalog): Selection['byName'] {
  const [statement] = parsed(definition)
  if (!statement || secretMentioned(statement, catalog) === undefined) return new Map()
  return new StatementAnalysis(definition, { catalog, across: false }).nested(statement, undefined).byName
}

function parsed(text: string): Node[] {
  try {
    return parseSql(text)
  } catch (error) {
    // What it was near may be part of a value.
    const what = (error as Error).message.replace(/ at or near .*$/su, '')
    throw unsupported(`the statement cannot be read as PostgreSQL's SQL: ${what}`)
  }
}

/** The name of an encrypted column, or an index, of a table that is named anywhere in a statement. */
function secretMentioned(statement: Node, catalog: Catalog): string | undefined {
  let secret: string | undefined
  someNode(statement, (_, content) => {
    const { relname, schemaname } = content as { readonly relname?: unknown; readonly schemaname?: string }
    const table = typeof relname === 'string' ? catalog.find(schemaname, relname) : undefined
    secret = table && secretIn(tableRelation(table, ''))
    return secret !== undefined
  })
  return secret
}

/** A view may show an encrypted column as it is, and may not compute with it. */
function queryOfView(statement: Node): Node | undefined {
  const table = nodeOf(statement, 'CreateTableAsStmt')
  return nodeOf(statement, 'ViewStmt')?.query ?? (table?.objtype === 'OBJECT_MATVIEW' ? table.query : undefined)
}

function refusedKind(statement: Node, secret: string): Error {
  const kind = kindOf(statement).replace(/Stmt$/, '')
  return unsupported(
    `${kind} on the table of ${secret}, which is encrypted, is not supported: use SELECT, INSERT, UPDATE or DELETE`,
  )
}

class StatementAnalysis implements Analysis {
  readonly catalog: Catalog
  readonly text: SqlText
  readonly hidden = { names: [] as string[] }
  readonly rows: StatementRow[] = []
  readonly checks: PendingCheck[] = []
  readonly tokenChecks: PendingTokenCheck[] = []
  readonly unchanged: Analysis['unchanged'] = []
  keepsOwners: string | undefined
  readonly lookedAt = new Set<number>()
  readonly indexesRead: Analysis['indexesRead'] = []
  inexact: string | undefined = 'statements that write'
  readonly #across: boolean

  constructor(text: string, { catalog, across }: AnalysisOptions) {
    this.catalog = catalog
    this.text = new SqlText(text)
    this.#across = across
  }

  select(statement: SelectStmt, outer: Scope | undefined): Selection {
    return walkSelect(this, statement, outer)
  }

  nested(statement: Node, outer: Scope | undefined): Selection {
    const select = nodeOf(statement, 'SelectStmt')
    if (select) return walkSelect(this, select, outer)
    const insert = nodeOf(statement, 'InsertStmt')
    if (insert) return walkInsert(this, insert, outer)
    const update = nodeOf(statement, 'UpdateStmt')
    if (update) return walkUpdate(this, update, outer)
    const removal = nodeOf(statement, 'DeleteStmt')
    if (removal) return walkDelete(this, removal, outer)
    throw unsupported(`${kindOf(statement)} in a WITH query beside encrypted columns is not supported`)
  }

  expression(node: unknown, scope: Scope, standing?: Standing): void {
    walkExpression(this, node, scope, standing)
  }

  from(items: readonly Node[] | undefined, scope: Scope): void {
    walkFrom(this, items, scope)
  }

  relation(schema: string | undefined, name: string, alias: string | undefined, scope: Scope) {
    return relationOf(this, schema, name, alias, scope)
  }

  plan(kind: StatementKind, statement: Node): StatementPlan {
    const selection = this.nested(statement, undefined)
    const checks = this.checks.map((check) => outputCheck(selection, check))
    const tokenChecks = this.tokenChecks.flatMap((check) => outputTokenCheck(selection, check))
    const outputs = this.#outputs(selection)
    const { hidden, rows, unchanged, indexesRead } = this
    const pieces = this.text.pieces()
    checkParameters(pieces, this.lookedAt)
    const { keepsOwners } = this
    return {
      kind,
      pieces,
      outputs,
      hidden: hidden.names,
      checks,
      tokenChecks,
      rows,
      unchanged,
      keepsOwners,
      indexesRead,
    }
  }

  /** The results by the rows that they come from, with what decrypting them takes. */
  #outputs(selection: Selection): OutputRow[] {
    const origins = new Map<
      Origin,
      { fields: OutputRow['fields'][number][]; indexes: OutputRow['indexes'][number][] }
    >()
    for (const [name, source] of selection.byName) {
      if (source?.kind !== 'encrypted' && !isIndexColumn(source)) continue
      const row = origins.get(source.origin) ?? { fields: [], indexes: [] }
      origins.set(source.origin, row)
      if (isIndexColumn(source)) row.indexes.push({ name, index: source.index })
      else row.fields.push({ name, field: source.field })
    }
    return [...origins].map(([origin, row]) => ({
      plan: origin.table.plan,
      ...row,
      known: row.fields.length > 0 ? this.#known(selection, origin, row.fields) : [],
    }))
  }

  #known(selection: Selection, origin: Origin, fields: OutputRow['fields']): OutputRow['known'] {
    const { tenant } = origin.table.plan
    const bound = fields.flatMap(({ field }) => field.bind)
    const names = new Set(this.#across && tenant !== undefined ? [...bound, tenant] : bound)
    return [...names].map((field) => {
      const name = selection.expose({ kind: 'plain', field, origin })
      if (name === undefined) throw notKnown(fields[0]!.field.name, field, origin)
      return { name, field }
    })
  }
}

/** A value of an encrypted column would be sent as it is, only to be looked at: `$1 = '' OR email = $1`. */
function checkParameters(pieces: readonly Piece[], lookedAt: ReadonlySet<number>): void {
  const both = pieces
    .filter(isSecret)
    .flatMap(paramsOfUse)
    .find((param) => lookedAt.has(param))
  if (both !== undefined)
    throw unsupported(
      `$${both} is a value of an encrypted column, and the statement looks at it besides, for which it would be sent in plaintext: ` +
        `look at it in your code and leave that out, or give it another parameter ($${both} IS NULL is answered here)`,
    )
}

function notKnown(name: string, column: string, { table }: Origin): Error {
  const what = column === table.plan.tenant ? 'tells whose the row is' : 'it is bound to'
  return unsupported(
    `${name} can only be read together with ${column}, which ${what}: select that of "${table.name}" too`,
  )
}

function outputCheck(selection: Selection, { sources, ...check }: PendingCheck): OutputCheck {
  const names = sources.map((source: ColumnSource) => selection.expose(source))
  if (names.some((name) => name === undefined))
    throw unsupported(`${check.index.name} is searched, so select its columns too`)
  return { ...check, names: names as string[] }
}

/** Where the value cannot be among the results, the statement is refused as soon as it finds others. */
function outputTokenCheck(selection: Selection, { search, source }: PendingTokenCheck): TokenCheck[] {
  const name = selection.expose(source)
  return name === undefined ? [] : [{ search, name }]
}
