import { types } from 'node:util'
import { type DecryptSlot, transform } from '../cipher/cipher.js'
import { indexedText } from '../cipher/indexText.js'
import type { RowColumns } from '../cipher/rowColumns.js'
import type { Audited } from '../client/audit.js'
import type { ClientContext } from '../client/clientContext.js'
import { checkReadable, hideIndexes } from '../client/masking.js'
import type { OperationTenancy } from '../client/operationTenancy.js'
import { type CollectedRows, type RowReading, readRows } from '../client/rowReading.js'
import { collectStoredField } from '../client/storedField.js'
import { headOf, TEXT_HEAD } from '../crypto/ciphertext.js'
import { FieldsealError, quoted } from '../errors.js'
import type { FieldPlan, ModelPlan, Plans } from '../plan/plan.js'
import { knownValue } from './knownValues.js'
import { type LimitedOutput, type LimitedResults, limitedResults } from './limitedResults.js'
import type { OutputCheck, StatementPlan, TokenSearch } from './statementPlan.js'

type Row = Record<string, unknown>

/** A check, with the texts that its index makes of the values that were looked for. */
interface RowCheck extends Pick<OutputCheck, 'index' | 'names'> {
  readonly wanted: ReadonlySet<string>
}

/** The result that holds a value, and whether that is one that is looked for. */
interface RowFilter {
  readonly name: string
  readonly matches: (value: unknown) => boolean
}

/** What a statement looks for. */
export interface SearchedValues {
  /** The values that a check looks for. */
  valuesOf(check: OutputCheck): readonly unknown[]
  /** Whether a value is one that a search asks for; `undefined` where it finds no others. */
  matchesOf(search: TokenSearch): ((value: unknown) => boolean) | undefined
}

export interface ResultsOptions {
  readonly context: ClientContext
  readonly audited: Audited
  readonly tenancy: OperationTenancy
  readonly plans: Plans
  readonly plan: StatementPlan
  readonly parameters: SearchedValues
}

/** How the rows of a statement become values. */
export class Results {
  readonly #options: ResultsOptions
  readonly #limited: LimitedResults
  readonly #checks: readonly RowCheck[]
  readonly #filters: readonly RowFilter[]

  /** @throws FieldsealError `ACCESS_DENIED` for a column that the client may not read */
  constructor(options: ResultsOptions) {
    const { plan, plans, parameters } = options
    this.#options = options
    this.#limited = limitedResults(plan, plans)
    checkReadable(this.#limited.fields)
    this.#checks = plan.checks.map((check) => ({ ...check, wanted: wantedTexts(check, parameters.valuesOf(check)) }))
    this.#filters = plan.tokenChecks.flatMap(({ search, name }) => {
      const matches = parameters.matchesOf(search)
      return matches ? [{ name, matches }] : []
    })
  }

  /** The first encrypted field that is read. */
  get reads(): FieldPlan | undefined {
    return this.#limited.fields[0]
  }

  /**
   * @returns at once where nothing has to be waited for
   * @throws FieldsealError for the first value that cannot be decrypted exactly
   */
  read(rows: readonly object[]): object[] | Promise<object[]> {
    if (!this.reads) return this.#withoutHidden(rows.map((row) => this.#withoutIndexes(this.#copy(row))))
    const copies = readRows(this.#readingOf(rows))
    return copies instanceof Promise ? copies.then((all) => this.#finish(all)) : this.#finish(copies)
  }

  #finish(copies: Row[]): Row[] {
    asBuffers(this.#limited.bytes, copies)
    const isChecked = this.#checks.length + this.#filters.length > 0
    return this.#withoutHidden(isChecked ? copies.filter((row) => this.#passes(row)) : copies)
  }

  #readingOf(rows: readonly object[]): RowReading<Row> {
    const { context, audited, tenancy, plan } = this.#options
    return {
      context,
      tenancy,
      length: rows.length,
      collect: (from, to, columns) => this.#collect(rows.slice(from, to), columns),
      transform: (slots) => transform(slots, context.ring),
      audited,
      operation: plan.kind,
    }
  }

  #collect(stored: readonly object[], columns: RowColumns | undefined): CollectedRows<Row> {
    const { byColumn, others, outputs } = this.#limited
    const rows = stored.map((row) => this.#copy(row))
    const slots: DecryptSlot[] = []
    if (columns && byColumn.length > 0) for (const row of rows) columns.add(byColumn, row)
    const slotted = columns ? others : outputs
    for (const row of rows) {
      for (const output of slotted) this.#collectSlots(row, output, slots)
      this.#withoutIndexes(row)
    }
    return { rows, slots }
  }

  #collectSlots(holder: Row, { plan, fields, known, needsKnown }: LimitedOutput, slots: DecryptSlot[]): void {
    const { tenancy } = this.#options
    const stored = {
      plan,
      owner: tenancy.owner,
      holder,
      known: needsKnown ? knownIn(plan, holder, known) : NOTHING,
      asksTenant: tenancy.readsAcross,
      missing: 'select it too',
    }
    for (const { name, field } of fields) collectStoredField(slots, stored, field, name)
  }

  #withoutIndexes(row: Row): Row {
    const { hiddenIndexes } = this.#limited
    if (hiddenIndexes.length > 0) hideIndexes(hiddenIndexes, row)
    return row
  }

  /** A copy of a row, whose owner may be somebody who listens to queries. */
  #copy(row: object): Row {
    const copy: Row = { ...row }
    const { explained } = this.#limited
    for (const name in copy) {
      if (isCiphertext(copy[name]) && !explained.has(name)) throw unexplained(name)
    }
    return copy
  }

  #passes(row: Row): boolean {
    return this.#isWanted(row) && this.#filters.every(({ name, matches }) => row[name] !== null && matches(row[name]))
  }

  #isWanted(row: Row): boolean {
    return this.#checks.every(({ index, names, wanted }) => {
      const values = names.map((name) => row[name])
      return !values.includes(null) && wanted.has(indexedText(index, values, 'kept'))
    })
  }

  #withoutHidden(rows: Row[]): Row[] {
    const { hidden } = this.#options.plan
    if (hidden.length > 0) for (const row of rows) for (const name of hidden) delete row[name]
    return rows
  }
}

const NOTHING = {}

function knownIn({ bound }: ModelPlan, row: Row, known: LimitedOutput['known']): Row {
  return Object.fromEntries(known.map(({ name, field }) => [field, knownValue(bound.get(field)?.type, row[name])]))
}

function wantedTexts({ index }: OutputCheck, values: readonly unknown[]): ReadonlySet<string> {
  const isOne = index.sources.length === 1
  const searched = isOne ? values.map((value) => [value]) : [values]
  const whole = searched.filter((sources) => !sources.includes(null))
  return new Set(whole.map((sources) => indexedText(index, sources, 'searched for')))
}

/** Bytes as `pg` gives those of a plain column. */
function asBuffers(names: readonly string[], rows: readonly Row[]): void {
  for (const name of names) for (const row of rows) row[name] = asBuffer(row[name])
}

function asBuffer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asBuffer)
  return types.isUint8Array(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value
}

/** Whether a value of a result is a ciphertext, or a list of them. */
function isCiphertext(value: unknown): boolean {
  if (typeof value === 'string') return value.length > TEXT_HEAD && value.startsWith('fs1.')
  if (typeof value !== 'object' || value === null || value instanceof Date) return false
  if (Array.isArray(value)) return value.some(isCiphertext)
  return ArrayBuffer.isView(value) ? headOf(value) !== null : Object.values(value).some(isCiphertext)
}

function unexplained(name: string): FieldsealError {
  const message =
    `the result ${quoted(name)} is a ciphertext that the statement does not explain: it comes from a view or a function; declare the ` +
    'view as an entity whose encrypted columns are marked @EncryptedView, or select the table itself'
  return new FieldsealError('CIPHERTEXT_INVALID', message)
}

/** The rows of a statement that touches no encrypted column. */
export function readUntouched(rows: readonly object[]): object[] {
  for (const row of rows as readonly Row[]) for (const name in row) if (isCiphertext(row[name])) throw unexplained(name)
  return rows as object[]
}
