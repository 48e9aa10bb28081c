import { checkedValue, fieldError, type Slot, type TenantHolder } from '../cipher/cipher.js'
import { boundTexts, type KnownValues, sameBound } from '../client/boundColumns.js'
import type { ClientContext } from '../client/clientContext.js'
import { checkSearchable, checkUnmasked } from '../client/masking.js'
import type { OperationTenancy } from '../client/operationTenancy.js'
import { plaintextForms, refuseManyForms } from '../client/plaintextForms.js'
import { looksEncrypted } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import type { FieldPlan, IndexPlan, Plans } from '../plan/plan.js'
import { knownValue } from './knownValues.js'
import { partialIndex, unsupported } from './refusals.js'
import {
  isUse,
  type OutputCheck,
  type ParameterUse,
  type Piece,
  type StatementRow,
  type UnchangedColumn,
  type ValueSource,
} from './statementPlan.js'

/** How values of the ORM's are told from what they stand for. */
export interface Seals {
  /** The value in a seal of the ORM's, or what is given if it is none. */
  readonly open: (value: unknown) => unknown
  readonly isSealed: (value: unknown) => boolean
}

export interface ParametersOptions extends Seals {
  readonly context: ClientContext
  readonly tenancy: OperationTenancy
  /** Of what the client may read. */
  readonly plans: Plans
  /** What the statement was given. */
  readonly given: readonly unknown[]
}

/** Whoever reads it would take it for a ciphertext that nobody decrypted, and one such value would spoil every list. */
const LOOKS_ENCRYPTED =
  'cannot be written: the value begins as a ciphertext of this library does, and could not be told from one'

type UseOf<Kind extends ParameterUse['kind']> = Extract<ParameterUse, { readonly kind: Kind }>

/** The parameters of a statement on their way to the database: text and values grow part by part. */
export class Parameters {
  readonly #options: ParametersOptions
  readonly #owners = new Map<StatementRow, TenantHolder>()
  readonly #plain = new Map<number, number>()
  /** The numbers that the parameters of the row have which is being written, where its plan has others. */
  #translate = (param: number) => param
  readonly values: unknown[] = []
  readonly slots: Slot[] = []
  /** What the cipher makes. */
  readonly #made: Made[] = []
  /** Parameters of JSON columns, which take text. */
  readonly #json: number[] = []

  constructor(options: ParametersOptions) {
    this.#options = options
  }

  /** Whose the rows are that a statement names, before anything is made of its values. */
  claim(rows: readonly StatementRow[]): void {
    for (const row of rows) this.#ownerOf(row)
  }

  checkUnchanged(columns: readonly UnchangedColumn[]): void {
    for (const { plan, column, written, stored } of columns) {
      const isSame =
        written &&
        stored &&
        sameBound(
          plan,
          column,
          this.#known(plan.bound.get(column)?.type, written),
          this.#known(plan.bound.get(column)?.type, stored),
        )
      if (!isSame)
        throw unsupported(
          `${plan.name}.${column} is what ciphertexts are bound to, so it cannot be changed: write the row anew, or leave it out`,
        )
    }
  }

  /** The text of pieces, whose values are added. */
  textOf(pieces: readonly Piece[]): string {
    const texts: (string | number)[] = []
    for (const piece of pieces) {
      if (typeof piece === 'string') texts.push(piece)
      else if (isUse(piece)) texts.push('$', this.#add(piece))
    }
    // One text each: of ten thousand rows, what they are put together from would be waiting for the garbage collector.
    return texts.join('')
  }

  /** As `textOf`, of a row whose plan is that of another one with other parameters. */
  textOfRow(pieces: readonly Piece[], row: StatementRow, translate: (param: number) => number): string {
    this.#translate = translate
    this.#owners.clear()
    this.#ownerOf(row)
    return this.textOf(pieces)
  }

  /** Parameters that no part of the statement names: PostgreSQL is to complain of them. */
  addUnused(isUsed: (param: number) => boolean): void {
    this.#options.given.forEach((value, position) => {
      if (isUsed(position + 1)) return
      if (this.#options.isSealed(value)) throw sealedElsewhere()
      this.values.push(value)
    })
  }

  /** What a check of results looks for. */
  valuesOf({ values, each, index }: OutputCheck): readonly unknown[] {
    const given = values.map((source) => this.#valueOf(source))
    return each ? (listOf(given[0], index.sources[0]!) ?? []) : given
  }

  /** The values, when the slots are transformed. */
  finish(): readonly unknown[] {
    for (const { position, value } of this.#made) this.values[position] = value
    for (const position of this.#json) this.values[position] = JSON.stringify(this.values[position])
    return this.values
  }

  #add(use: ParameterUse): number {
    switch (use.kind) {
      case 'plain':
        return this.#addPlain(use.param)
      case 'value':
        return this.#addValue(use)
      case 'index':
        return this.#addIndex(use)
      case 'search':
        return this.#addSearch(use)
      case 'plaintext':
        return this.#put(this.#plaintextForms(use))
    }
  }

  #put(value: unknown): number {
    return this.values.push(value)
  }

  /** Where the cipher puts the next value. */
  #putMade(value: unknown): Made {
    const made: Made = { value, position: this.values.length }
    this.#made.push(made)
    this.values.push(undefined)
    return made
  }

  /** One number for all mentions, from which PostgreSQL finds its type. */
  #addPlain(param: number): number {
    const known = this.#plain.get(this.#translate(param))
    if (known !== undefined) return known
    const value = this.#given(param)
    if (this.#options.isSealed(value)) throw sealedElsewhere()
    const number = this.#put(value)
    this.#plain.set(this.#translate(param), number)
    return number
  }

  #addValue({ field, value: source, row }: UseOf<'value'>): number {
    const value = this.#valueOf(source)
    if (value === null) return this.#put(null)
    checkUnmasked(field, value)
    if (looksEncrypted(value)) throw fieldError('VALUE_INVALID', field, LOOKS_ENCRYPTED)
    const written = checkedValue(field, () => this.#options.context.plainValue(field, value))
    if (field.column === 'Json') this.#json.push(this.values.length)
    if (field.state === 'ejecting') return this.#put(checkedValue(field, () => textForm(field, written)))
    const holder = this.#putMade(written)
    const bound = this.#bound(field, row)
    this.slots.push({ mode: 'encrypt', field, owner: this.#ownerOf(row), holder, key: 'value', bound })
    return this.values.length
  }

  #addIndex({ index, values: sources, row, isUpdate }: UseOf<'index'>): number {
    const values = sources.map((source) => source && this.#valueOf(source))
    const isCleared = values.includes(null) || index.sources.some(({ state }) => state === 'ejecting')
    if (isCleared) return this.#put(null)
    const missing = index.sources.filter((_, position) => values[position] === undefined)
    if (missing.length > 0 && isUpdate) throw partialIndex(index, missing)
    if (missing.length > 0) return this.#put(null)
    const holder = this.#putMade(null)
    const field = index.sources[0]!
    this.slots.push({ mode: 'index', field, owner: this.#ownerOf(row), holder, key: 'value', index, values })
    return this.values.length
  }

  #addSearch({ index, values: sources, each, row }: UseOf<'search'>): number {
    checkSearchable(limitedIndex(this.#options.plans, row.plan.name, index))
    const values = sources.map((source) => this.#valueOf(source))
    if (each) return this.#addSearches(index, values[0], row)
    if (values.includes(null)) return this.#put(null)
    this.#search(index, values, row, this.#putMade(null), 'value')
    return this.values.length
  }

  #addSearches(index: IndexPlan, list: unknown, row: StatementRow): number {
    const elements = listOf(list, index.sources[0]!)
    const found = elements?.map((): unknown => null) ?? null
    for (const [position, element] of elements?.entries() ?? []) {
      if (element !== null) this.#search(index, [element], row, found as never, String(position))
    }
    return this.#put(found)
  }

  #search(index: IndexPlan, values: readonly unknown[], row: StatementRow, holder: Slot['holder'], key: string): void {
    const owner = this.#ownerOf(row)
    this.slots.push({ mode: 'index', field: index.sources[0]!, owner, holder, key, index, values, use: 'searched for' })
  }

  #plaintextForms({ field, index, values: sources, each }: UseOf<'plaintext'>): unknown[] | null {
    refuseManyForms(field)
    const values = sources.map((source) => this.#valueOf(source))
    const all = each ? listOf(values[0], field) : values
    return all?.flatMap((value) => (value === null ? [null] : plaintextForms(field, index, value))) ?? null
  }

  #ownerOf(row: StatementRow): TenantHolder {
    const known = this.#owners.get(row)
    if (known) return known
    const { tenancy } = this.#options
    const owner = tenancy.ownerOf(
      row.plan,
      { written: this.#tenantIn(row, row.written), stored: this.#tenantIn(row, row.stored) },
      tenancy.writeOwner(),
    )
    this.#owners.set(row, owner)
    return owner
  }

  #tenantIn({ plan: { tenant } }: StatementRow, known: StatementRow['written']): unknown {
    const source = tenant === undefined ? undefined : known.get(tenant)
    return source && this.#valueOf(source)
  }

  #bound(field: FieldPlan, { plan, written, stored }: StatementRow): readonly string[] {
    if (field.bind.length === 0) return []
    const known: Record<string, unknown> = {}
    for (const column of field.bind) {
      const source = written.get(column) ?? stored.get(column)
      if (source) known[column] = this.#known(plan.bound.get(column)?.type, source)
    }
    return boundTexts(plan, field, known as KnownValues, 'give it in the INSERT, or by = in the WHERE of the UPDATE')
  }

  #known(type: string | undefined, source: ValueSource): unknown {
    return knownValue(type, this.#valueOf(source))
  }

  #valueOf(source: ValueSource): unknown {
    return 'constant' in source ? source.constant : (this.#options.open(this.#given(source.param)) ?? null)
  }

  #given(param: number): unknown {
    const { given } = this.#options
    const number = this.#translate(param)
    if (number > given.length)
      throw unsupported(`the statement names the parameter $${number}, and is given ${given.length}: give all of them`)
    return given[number - 1]
  }
}

/** A holder of the cipher's, and which parameter its value is. */
type Made = { value: unknown; readonly position: number }

/** The elements of a list that a search is given; `null` where it is given none. */
function listOf(value: unknown, { name }: FieldPlan): unknown[] | null {
  if (value === null) return null
  if (!Array.isArray(value))
    throw unsupported(`${name} is compared with ANY or ALL of a parameter, which must be an array`)
  return value.map((element: unknown) => element ?? null)
}

export function sealedElsewhere(): Error {
  return unsupported(
    'a value of an encrypted column stands in a place of the statement where nothing is known to be encrypted: it is not sent',
  )
}

/** An index as a client of limited access sees it. */
export function limitedIndex(plans: Plans, model: string, index: IndexPlan): IndexPlan {
  const member = plans.get(model)?.members.get(index.field)
  return member?.kind === 'index' ? member.index : index
}
