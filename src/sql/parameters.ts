import { checkedValue, fieldError, type Slot } from '../cipher/cipher.js'
import type { ClientContext } from '../client/clientContext.js'
import { checkSearchable, checkUnmasked } from '../client/masking.js'
import { plaintextForms, refuseManyForms } from '../client/plaintextForms.js'
import { looksEncrypted } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import type { IndexPlan, Plans } from '../plan/plan.js'
import type { GivenValues } from './givenValues.js'
import { partialIndex } from './refusals.js'
import { isUse, type OutputCheck, type ParameterUse, type Piece, type StatementRow } from './statementPlan.js'

export interface ParametersOptions {
  readonly context: Pick<ClientContext, 'plainValue'>
  /** Of what the client may read. */
  readonly plans: Plans
  readonly given: GivenValues
}

/** Whoever reads it would take it for a ciphertext that nobody decrypted, and one such value would spoil every list. */
const LOOKS_ENCRYPTED =
  'cannot be written: the value begins as a ciphertext of this library does, and could not be told from one'

type UseOf<Kind extends ParameterUse['kind']> = Extract<ParameterUse, { readonly kind: Kind }>

/** The parameters of a statement on their way to the database: text and values grow part by part. */
export class Parameters {
  readonly #options: ParametersOptions
  readonly #given: GivenValues
  /** The new numbers of plain ones, by what the application gave them. */
  readonly #plain = new Map<number, number>()
  readonly values: unknown[] = []
  readonly slots: Slot[] = []
  /** What the cipher makes. */
  readonly #made: Made[] = []
  /** Parameters of JSON columns, which take text. */
  readonly #json: number[] = []

  constructor(options: ParametersOptions) {
    this.#options = options
    this.#given = options.given
  }

  /** The text of pieces, whose values are added. */
  textOf(pieces: readonly Piece[]): string {
    const texts: (string | number)[] = []
    for (const piece of pieces) {
      if (typeof piece === 'string') texts.push(piece)
      else if (isUse(piece)) this.#addText(texts, piece)
    }
    // One text each: of ten thousand rows, what they are put together from would be waiting for the garbage collector.
    return texts.join('')
  }

  /** What a check of results looks for. */
  valuesOf({ values, each, index }: OutputCheck): readonly unknown[] {
    if (each) return this.#given.listOf(values[0]!, index.sources[0]!) ?? []
    return values.map((source) => this.#given.valueOf(source))
  }

  /** The values, when the slots are transformed. */
  finish(): readonly unknown[] {
    for (const { position, value } of this.#made) this.values[position] = value
    for (const position of this.#json) this.values[position] = JSON.stringify(this.values[position])
    return this.values
  }

  #addText(texts: (string | number)[], use: ParameterUse): void {
    if (use.kind === 'presence') texts.push(this.#given.valueOf(use) === null ? 'NULL::text' : "''::text")
    else texts.push('$', this.#add(use))
  }

  #add(use: Exclude<ParameterUse, { readonly kind: 'presence' }>): number {
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
    const given = this.#given.numberOf(param)
    const known = this.#plain.get(given)
    if (known !== undefined) return known
    const number = this.#put(this.#given.plain(given))
    this.#plain.set(given, number)
    return number
  }

  #addValue({ field, value: source, row }: UseOf<'value'>): number {
    const value = this.#given.valueOf(source)
    if (value === null) return this.#put(null)
    checkUnmasked(field, value)
    if (looksEncrypted(value)) throw fieldError('VALUE_INVALID', field, LOOKS_ENCRYPTED)
    const written = checkedValue(field, () => this.#options.context.plainValue(field, value))
    if (field.column === 'Json') this.#json.push(this.values.length)
    if (field.state === 'ejecting') return this.#put(checkedValue(field, () => textForm(field, written)))
    const holder = this.#putMade(written)
    const bound = this.#given.boundOf(field, row)
    this.slots.push({ mode: 'encrypt', field, owner: this.#given.ownerOf(row), holder, key: 'value', bound })
    return this.values.length
  }

  #addIndex({ index, values: sources, row, isUpdate }: UseOf<'index'>): number {
    const values = sources.map((source) => source && this.#given.valueOf(source))
    const isCleared = values.includes(null) || index.sources.some(({ state }) => state === 'ejecting')
    if (isCleared) return this.#put(null)
    const missing = index.sources.filter((_, position) => values[position] === undefined)
    if (missing.length > 0 && isUpdate) throw partialIndex(index, missing)
    if (missing.length > 0) return this.#put(null)
    const holder = this.#putMade(null)
    const field = index.sources[0]!
    this.slots.push({ mode: 'index', field, owner: this.#given.ownerOf(row), holder, key: 'value', index, values })
    return this.values.length
  }

  #addSearch(use: UseOf<'search'>): number {
    const { index, values: sources, each, row } = use
    checkSearchable(limitedIndex(this.#options.plans, row.plan.name, index))
    if (each) return this.#addSearches(use)
    const values = sources.map((source) => this.#given.valueOf(source))
    if (values.includes(null)) return this.#put(null)
    this.#search(index, values, row, this.#putMade(null), 'value')
    return this.values.length
  }

  #addSearches({ index, values: [list], row }: UseOf<'search'>): number {
    const elements = this.#given.listOf(list!, index.sources[0]!)
    const found = elements?.map((): unknown => null) ?? null
    for (const [position, element] of elements?.entries() ?? []) {
      if (element !== null) this.#search(index, [element], row, found as never, String(position))
    }
    return this.#put(found)
  }

  #search(index: IndexPlan, values: readonly unknown[], row: StatementRow, holder: Slot['holder'], key: string): void {
    const owner = this.#given.ownerOf(row)
    this.slots.push({ mode: 'index', field: index.sources[0]!, owner, holder, key, index, values, use: 'searched for' })
  }

  #plaintextForms({ field, index, values: sources, each }: UseOf<'plaintext'>): unknown[] | null {
    refuseManyForms(field)
    const all = each ? this.#given.listOf(sources[0]!, field) : sources.map((source) => this.#given.valueOf(source))
    return all?.flatMap((value) => (value === null ? [null] : plaintextForms(field, index, value))) ?? null
  }
}

/** A holder of the cipher's, and which parameter its value is. */
type Made = { value: unknown; readonly position: number }

/** An index as a client of limited access sees it. */
export function limitedIndex(plans: Plans, model: string, index: IndexPlan): IndexPlan {
  const member = plans.get(model)?.members.get(index.field)
  return member?.kind === 'index' ? member.index : index
}
