import { FieldsealError, quoted } from '../errors.js'
import { isIndexColumn } from '../plan/columnIndex.js'
import { plainPlan } from '../plan/plainPlan.js'
import { viewColumns } from './analyse.js'
import { type Catalog, type CatalogColumn, type CatalogTable, contentName, isEncrypted } from './catalog.js'
import type { DatabaseRelation } from './databaseRelations.js'
import { type ColumnSource, secretIn, sourceName, tableRelation } from './scope.js'

/**
 * What nobody declares, or not all of, and shares rows with tables that have encrypted columns. Partitions and tables that
 * inherit from one have its rows, and are what it is. Of views, and of what a table itself inherits from, the columns are
 * marked that show something encrypted.
 *
 * @param catalog of what is declared
 * @returns what is to be known besides, or in the place of what is declared
 */
export function relativesOf(catalog: Catalog, relations: readonly DatabaseRelation[]): CatalogTable[] {
  const relatives = new Relatives(catalog, relations)
  for (const relation of relations) if (!relation.view) relatives.addTable(relation)
  for (const relation of relations) if (relation.view) relatives.addView(relation)
  return relatives.found
}

type Columns = CatalogTable['columns']

class Relatives {
  readonly found: CatalogTable[] = []
  readonly #catalog: Catalog
  readonly #byOid: ReadonlyMap<string, DatabaseRelation>
  readonly #children = new Map<string, DatabaseRelation[]>()
  /** What each is, which definitions of views are read by. */
  readonly #understood = new Map<string, CatalogTable>()
  readonly #seen = new Set<string>()

  constructor(catalog: Catalog, relations: readonly DatabaseRelation[]) {
    this.#catalog = catalog
    this.#byOid = new Map(relations.map((relation) => [relation.oid, relation]))
    for (const relation of relations)
      for (const parent of relation.parents)
        this.#children.set(parent, [...(this.#children.get(parent) ?? []), relation])
  }

  addTable(relation: DatabaseRelation): void {
    const declared = this.#declared(relation)
    if (this.#root(relation) && declared) {
      // PostgreSQL writes the schema of a table in a view's definition where the name alone would not lead to it.
      const place = relation.isVisible ? {} : placeOf(relation)
      this.#understood.set(relation.oid, { ...declared, ...place, columns: withAll(declared.columns, relation) })
      return
    }
    const sharing = this.#sharing(relation)
    const [root] = sharing
    if (!declared && sharing.length === 1 && this.#above(relation).some((one) => this.#root(one) === root)) {
      this.#find(relation, { ...root!, ...placeOf(relation), columns: withAll(root!.columns, relation) })
      return
    }
    const columns = sharing.flatMap((table) =>
      [...table.columns].flatMap(([name, column]): [string, CatalogColumn][] =>
        column.kind === 'plain' || !relation.columns.includes(name)
          ? []
          : [[name, sharedColumn(relation, name, column, table)]],
      ),
    )
    if (columns.length > 0) this.#find(relation, asDeclared(relation, declared, new Map(columns)))
  }

  addView(relation: DatabaseRelation): void {
    if (this.#seen.has(relation.oid)) return
    this.#seen.add(relation.oid)
    for (const oid of relation.view!.reads) {
      const read = this.#byOid.get(oid)
      if (read?.view) this.addView(read)
    }
    const declared = this.#declared(relation)
    try {
      this.#addShown(relation, declared, viewColumns(relation.view!.definition, this.#definitions()))
    } catch (error) {
      if (!FieldsealError.is(error, 'QUERY_UNSUPPORTED')) throw error
      // Who marks columns of it has said what all of them are.
      if (declared && isEncrypted(declared)) this.#understood.set(relation.oid, declared)
      else this.#addComputed(relation, declared, error)
    }
  }

  #addShown(
    relation: DatabaseRelation,
    declared: CatalogTable | undefined,
    sources: ReadonlyMap<string, ColumnSource | undefined>,
  ): void {
    const shown = [...sources].flatMap(([name, source]): [string, ColumnSource][] =>
      source && source.kind !== 'plain' ? [[name, source]] : [],
    )
    if (shown.length === 0) return
    const columns = new Map<string, CatalogColumn>(shown)
    this.#understood.set(relation.oid, asDeclared(relation, declared, columns))
    const isMarked = (name: string) => (declared?.columns.get(name)?.kind ?? 'plain') !== 'plain'
    const undeclared = shown.flatMap(([name, source]): [string, CatalogColumn][] =>
      isMarked(name) ? [] : [[name, shownColumn(relation, name, source)]],
    )
    if (undeclared.length > 0) this.found.push(asDeclared(relation, declared, new Map(undeclared)))
  }

  /** Of what a view computes, any column may be made of something encrypted. */
  #addComputed(relation: DatabaseRelation, declared: CatalogTable | undefined, error: Error): void {
    const tables = relation.view!.reads.flatMap((oid) => this.#understood.get(oid) ?? [])
    const of = tables.map((table) => secretIn(tableRelation(table, ''))).find(Boolean) ?? 'an encrypted column'
    const refusal = `${nameOf(relation)} is a view that makes something of ${of} which has no right answer: ${error.message}; leave that out of its definition, or query the table itself`
    const columns = relation.columns.map((name): [string, CatalogColumn] => [name, { kind: 'undeclared', of, refusal }])
    this.#find(relation, asDeclared(relation, declared, new Map(columns)))
  }

  #find(relation: DatabaseRelation, table: CatalogTable): void {
    this.found.push(table)
    this.#understood.set(relation.oid, table)
  }

  #definitions(): Catalog {
    return this.#catalog.with([...this.#understood.values()])
  }

  /** What is declared of it. A table without schema may be in any, as far as it is encrypted. */
  #declared({ schema, name, isVisible }: DatabaseRelation): CatalogTable | undefined {
    const named = this.#catalog.tables.filter((table) => table.name === name)
    const anywhere = named.filter((table) => table.schema === undefined && (isVisible || isEncrypted(table)))
    return named.find((table) => table.schema === schema) ?? anywhere[0]
  }

  #root(relation: DatabaseRelation): CatalogTable | undefined {
    const declared = this.#declared(relation)
    return declared && isEncrypted(declared) && !declared.isView ? declared : undefined
  }

  /** The tables with encrypted columns that share rows with it. */
  #sharing(relation: DatabaseRelation): CatalogTable[] {
    const all = this.#below(relation).flatMap((one) => this.#above(one))
    return [...new Set(all)]
      .flatMap((one) => this.#root(one) ?? [])
      .filter((one, at, tables) => tables.indexOf(one) === at)
  }

  /** It and all that it inherits from. */
  #above(relation: DatabaseRelation): DatabaseRelation[] {
    return [
      relation,
      ...relation.parents.flatMap((oid) => this.#byOid.get(oid) ?? []).flatMap((one) => this.#above(one)),
    ]
  }

  /** It and all that inherit from it. */
  #below(relation: DatabaseRelation): DatabaseRelation[] {
    return [relation, ...(this.#children.get(relation.oid) ?? []).flatMap((one) => this.#below(one))]
  }
}

function placeOf({ schema, name }: DatabaseRelation) {
  return { schema, name }
}

/** All columns that there are, so that none can be taken for a function of the row. */
function withAll(declared: Columns, relation: DatabaseRelation): Columns {
  return new Map(relation.columns.map((name) => [name, declared.get(name) ?? plain(relation, name)]))
}

function plain({ name: table }: DatabaseRelation, name: string): CatalogColumn {
  return { kind: 'plain', field: `${table}.${name}` }
}

/** A table or view with these columns in the place of its own. */
function asDeclared(relation: DatabaseRelation, declared: CatalogTable | undefined, columns: Columns): CatalogTable {
  const { name } = relation
  const own = declared?.columns ?? new Map(relation.columns.map((column) => [column, plain(relation, column)]))
  return {
    ...(declared ?? { ...placeOf(relation), plan: plainPlan(name, name), isView: true }),
    columns: new Map([...own, ...columns]),
  }
}

function sharedColumn(
  relation: DatabaseRelation,
  name: string,
  column: CatalogColumn,
  table: CatalogTable,
): CatalogColumn {
  const of = contentName(column)
  const refusal = `${nameOf(relation)}.${quoted(name)} has rows of ${quoted(table.name)} too, where ${of} is encrypted, and no entity declares that: use ${quoted(table.name)} instead`
  return { kind: 'undeclared', of, refusal }
}

function shownColumn(relation: DatabaseRelation, name: string, source: ColumnSource): CatalogColumn {
  const of = sourceName(source)
  const options = isIndexColumn(source) ? ', { select: false }' : ''
  const refusal = `${nameOf(relation)}.${quoted(name)} shows ${of}, which is encrypted, and no entity declares that: declare the view as an entity with @EncryptedView('${of}'${options}) on that column, or query ${quoted(source.origin.table.name)} instead`
  return { kind: 'undeclared', of, refusal }
}

function nameOf({ schema, name }: DatabaseRelation): string {
  return `${quoted(schema)}.${quoted(name)}`
}

/** A column that shows something encrypted and is not declared to. */
export interface UndeclaredColumn {
  /** Schema and name of the view or table. */
  readonly table: string
  readonly column: string
  /** `Model.field`. */
  readonly of: string
}

/** @param tables as `relativesOf` finds them */
export function undeclaredColumns(tables: readonly CatalogTable[]): UndeclaredColumn[] {
  return tables.flatMap(({ schema, name, columns }) =>
    [...columns].flatMap(([column, content]) =>
      content.kind === 'undeclared'
        ? [{ table: schema === undefined ? name : `${schema}.${name}`, column, of: content.of }]
        : [],
    ),
  )
}
