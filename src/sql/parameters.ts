import { fieldError, type Slot, valueError } from '../cipher/cipher.js'
import { tokenBodies } from '../cipher/tokenBodies.js'
import type { ClientContext } from '../client/clientContext.js'
import { checkUnmasked } from '../client/masking.js'
import { plaintextForms, refuseUnfindable } from '../client/plaintextForms.js'
import { looksEncrypted } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import type { FieldPlan, Plans } from '../plan/plan.js'
import type { GivenValues } from './givenValues.js'
import { ParameterList } from './parameterList.js'
import { partialIndex } from './refusals.js'
import { SearchParameters } from './searchParameters.js'
import {
  isUse,
  type OutputCheck,
  type ParameterUse,
  type Piece,
  type StatementPlan,
  type TokenSearch,
} from './statementPlan.js'
import type { TextPart } from './textParts.js'

export interface ParametersOptions {
  readonly context: Pick<ClientContext, 'plainValue'>
  /** Of what the client may read. */
  readonly plans: Plans
  readonly plan: Pick<StatementPlan, 'tokenChecks'>
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
  readonly #plain: number[] = []
  readonly #list = new ParameterList()
  readonly #searches: SearchParameters
  /** Parameters of JSON columns, which take text. */
  readonly #json: number[] = []

  constructor(options: ParametersOptions) {
    this.#options = options
    this.#given = options.given
    const { plans, plan, given } = options
    this.#searches = new SearchParameters({ plans, plan, given, list: this.#list })
  }

  get slots(): readonly Slot[] {
    return this.#list.slots
  }

  /** How many there are so far. */
  get count(): number {
    return this.#list.values.length
  }

  /** Adds the parts of the text of pieces to others, and the values to theirs. */
  addParts(texts: TextPart[], pieces: readonly Piece[]): readonly TextPart[] {
    for (const piece of pieces) {
      if (typeof piece === 'string') texts.push(piece)
      else if (isUse(piece)) this.#addText(texts, piece)
    }
    return texts
  }

  /** What a check of results looks for. */
  valuesOf({ values, each, index }: OutputCheck): readonly unknown[] {
    if (each) return this.#given.listOf(values[0]!, index.sources[0]!) ?? []
    return values.map((source) => this.#given.valueOf(source))
  }

  /** Whether a value is one that a search by tokens asks for, where these find other values too. */
  matchesOf(search: TokenSearch): ((value: unknown) => boolean) | undefined {
    return this.#searches.matchesOf(search)
  }

  /** Lets go of the slots, which are transformed. */
  takeMade(): void {
    this.#list.takeMade()
  }

  /** The values, when the slots are transformed. */
  finish(): readonly unknown[] {
    const values = this.#list.finish()
    for (const position of this.#json) values[position] = JSON.stringify(values[position])
    return values
  }

  #addText(texts: TextPart[], use: ParameterUse): void {
    if (use.kind === 'token search') texts.push(...this.#searches.textOfTokens(use.search))
    else if (use.kind === 'search' && use.compared !== 'each') texts.push(...this.#searches.textOfSearch(use))
    else if (use.kind === 'presence') texts.push(this.#given.valueOf(use) === null ? 'NULL::text' : "''::text")
    else texts.push('$', this.#add(use))
  }

  #add(use: Exclude<ParameterUse, { readonly kind: 'presence' | 'token search' }>): number {
    switch (use.kind) {
      case 'plain':
        return this.#addPlain(use.param)
      case 'value':
        return this.#addValue(use)
      case 'index':
        return this.#addIndex(use)
      case 'tokens':
        return this.#addTokens(use)
      case 'search':
        return this.#searches.addList(use)
      case 'plaintext':
        return this.#list.put(this.#plaintextForms(use))
    }
  }

  /** One number for all mentions, from which PostgreSQL finds its type. */
  #addPlain(param: number): number {
    const given = this.#given.numberOf(param)
    const known = this.#plain[given]
    if (known !== undefined) return known
    const number = this.#list.put(this.#given.plain(given))
    this.#plain[given] = number
    return number
  }

  #addValue({ field, value: source, row }: UseOf<'value'>): number {
    const value = this.#given.valueOf(source)
    if (value === null) return this.#list.put(null)
    checkUnmasked(field, value)
    if (looksEncrypted(value)) throw fieldError('VALUE_INVALID', field, LOOKS_ENCRYPTED)
    const written = this.#written(field, value)
    if (field.column === 'Json') this.#json.push(this.#list.values.length)
    if (field.state === 'ejecting') return this.#list.put(written)
    const holder = this.#list.putMade(written)
    const bound = this.#given.boundOf(field, row)
    this.#list.slots.push({ mode: 'encrypt', field, owner: this.#given.ownerOf(row), holder, key: 'value', bound })
    return this.#list.values.length
  }

  #written(field: FieldPlan, given: unknown): unknown {
    try {
      const value = this.#options.context.plainValue(field, given)
      return field.state === 'ejecting' ? textForm(field, value) : value
    } catch (error) {
      throw valueError(field, error)
    }
  }

  #addIndex({ index, values: sources, row, isUpdate }: UseOf<'index'>): number {
    const values = sources.map((source) => source && this.#given.valueOf(source))
    const isCleared = values.includes(null) || index.sources.some(({ state }) => state === 'ejecting')
    if (isCleared) return this.#list.put(null)
    const missing = index.sources.filter((_, position) => values[position] === undefined)
    if (missing.length > 0 && isUpdate) throw partialIndex(index, missing)
    if (missing.length > 0) return this.#list.put(null)
    const holder = this.#list.putMade(null)
    const field = index.sources[0]!
    this.#list.slots.push({
      mode: 'index',
      field,
      owner: this.#given.ownerOf(row),
      holder,
      key: 'value',
      index,
      values,
    })
    return this.#list.values.length
  }

  /** Of a row without a value there are none; in one of many, the column may be left out. */
  #addTokens({ index, values: [source], row }: UseOf<'tokens'>): number {
    const [field] = index.sources as readonly [FieldPlan]
    const value = source && this.#given.valueOf(source)
    if (value === undefined || value === null || field.state === 'ejecting') return this.#list.put(null)
    const bodies = () => tokenBodies(index, value)
    const holder = this.#list.putMade(null)
    const slot = { field, owner: this.#given.ownerOf(row), holder, key: 'value', index, bodies }
    this.#list.slots.push({ mode: 'tokens', use: 'any', ...slot })
    return this.#list.values.length
  }

  #plaintextForms({ field, index, values: sources, each }: UseOf<'plaintext'>): unknown[] | null {
    refuseUnfindable(field, false)
    const all = each ? this.#given.listOf(sources[0]!, field) : sources.map((source) => this.#given.valueOf(source))
    return all?.flatMap((value) => (value === null ? [null] : plaintextForms(field, index, value))) ?? null
  }
}
