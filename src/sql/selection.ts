import { isIndexColumn } from '../plan/columnIndex.js'
import type { IndexColumn } from './catalog.js'
import { unsupported } from './refusals.js'
import { type ColumnSource, isSameSource, type Origin, type Relation, type Scope } from './scope.js'
import { quoteName, type SqlText } from './sqlText.js'
import type { StatementPlan } from './statementPlan.js'

type IndexRead = StatementPlan['indexesRead'][number]

/** Where it is noted which indexes a statement reads. */
interface IndexReads {
  readonly indexesRead: IndexRead[]
}

/** A column of a result. */
export interface Output {
  /** `undefined` where PostgreSQL makes a name of its own. */
  readonly name: string | undefined
  readonly source: ColumnSource | undefined
}

/** Numbers the columns that a statement has to give beside what it was asked for. */
export interface Hidden {
  readonly names: string[]
}

/** Where columns can be added to a list of results. */
export interface OutputList {
  readonly text: SqlText
  readonly hidden: Hidden
  /** The first token of the list; `undefined` where nothing can be added. */
  readonly first: number | undefined
  readonly scope: Scope
  /** Results are meant by `*`, so that their numbers are not known. */
  readonly hasStar: boolean
  readonly known: Relation['known']
}

/** What a SELECT or a RETURNING gives. */
export class Selection {
  readonly outputs: readonly Output[]
  readonly #list: OutputList | undefined
  readonly #added = new Map<string, ColumnSource>()

  constructor(outputs: readonly Output[], list?: OutputList) {
    this.outputs = outputs
    this.#list = list
  }

  /** By name. Of several results of one name the last is what rows hold. */
  get byName(): ReadonlyMap<string, ColumnSource | undefined> {
    const named = this.outputs.flatMap(({ name, source }): [string, ColumnSource | undefined][] =>
      name === undefined ? [] : [[name, source]],
    )
    return new Map([...named, ...this.#added])
  }

  get hasStar(): boolean {
    return this.#list?.hasStar ?? false
  }

  /** Whether all names are known. */
  get known(): Relation['known'] {
    return this.#list?.known ?? (this.outputs.every(({ name }) => name !== undefined) ? 'all' : 'declared')
  }

  get encrypted(): readonly (ColumnSource & { readonly kind: 'encrypted' })[] {
    return this.outputs.flatMap(({ source }) => (source?.kind === 'encrypted' ? source : []))
  }

  /** The name under which a column is among the results, which is added if it is not. */
  expose(wanted: ColumnSource): string | undefined {
    const there = [...this.byName].find(([, source]) => source && isSameSource(source, wanted))
    if (there) return there[0]
    const { first, scope, text, hidden } = this.#list ?? {}
    if (first === undefined || !scope || !text || !hidden) return undefined
    for (const relation of scope.relations) {
      const name = relation.expose(wanted)
      if (name === undefined) continue
      const added = `fieldseal ${hidden.names.length + 1}`
      hidden.names.push(added)
      text.insertBefore(first, `${quoteName(relation.alias)}.${quoteName(name)} AS ${quoteName(added)}, `)
      this.#added.set(added, wanted)
      return added
    }
    return undefined
  }
}

/** A subquery as something that columns can be taken of: each mention has rows of its own. */
export function derivedRelation(alias: string, selection: Selection): Relation {
  requireOwnNames(alias, selection)
  const origins = new Map<Origin, Origin>()
  const originals = new Map<Origin, Origin>()
  const mentioned = (origin: Origin): Origin => {
    const known = origins.get(origin)
    if (known) return known
    const own: Origin = { table: origin.table, facts: new Map(origin.facts) }
    origins.set(origin, own)
    originals.set(own, origin)
    return own
  }
  const columns = new Map(
    [...selection.byName].map(([name, source]) => [name, source && { ...source, origin: mentioned(source.origin) }]),
  )
  return {
    alias,
    columns,
    known: selection.known,
    expose: (wanted) => {
      const original = originals.get(wanted.origin)
      return original && selection.expose({ ...wanted, origin: original })
    },
  }
}

/** Of columns of one name one alone would be known, though rows hold them all, and a search would choose for PostgreSQL. */
function requireOwnNames(alias: string, { outputs }: Selection): void {
  for (const { name, source } of outputs) {
    if (source?.kind !== 'encrypted' || outputs.filter((output) => output.name === name).length < 2) continue
    throw unsupported(
      `"${alias}" gives ${source.field.name}, which is encrypted, and another column under the same name: name each of them`,
    )
  }
}

/**
 * Looks at results that are compared, computed with or stored. Those that are indexes tell of their values then.
 *
 * @param instead what to do about it
 * @throws FieldsealError `QUERY_UNSUPPORTED` for results that are encrypted
 */
export function requirePlain({ indexesRead }: IndexReads, selection: Selection, what: string, instead: string): void {
  const [first] = selection.encrypted
  if (first)
    throw unsupported(
      `${what} cannot give ${first.field.name}, which is encrypted: equal values have different ciphertexts; ${instead}`,
    )
  for (const { source } of selection.outputs) if (isIndexColumn(source)) indexesRead.push(readIndex(source))
}

export function readIndex({ origin, index }: ColumnSource & IndexColumn): IndexRead {
  return { model: origin.table.plan.name, index }
}
