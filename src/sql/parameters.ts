import { checkedValue, fieldError, type IndexSlot, type Slot } from '../cipher/cipher.js'
import { tokenBodies } from '../cipher/tokenBodies.js'
import type { TokenQuery } from '../cipher/tokenQuery.js'
import type { ClientContext } from '../client/clientContext.js'
import { checkSearchable, checkUnmasked } from '../client/masking.js'
import { plaintextForms, refuseManyForms } from '../client/plaintextForms.js'
import { looksEncrypted } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import { type ColumnIndex, isIndexColumn } from '../plan/columnIndex.js'
import type { FieldPlan, Plans } from '../plan/plan.js'
import type { GivenValues } from './givenValues.js'
import { partialIndex } from './refusals.js'
import {
  type IndexSearch,
  isUse,
  type OutputCheck,
  type ParameterUse,
  type Piece,
  type StatementPlan,
  type TokenSearch,
} from './statementPlan.js'
import { type TextPart, textOfParts } from './textParts.js'
import { type TokenAnswer, tokenAnswer } from './tokenAnswer.js'
import { checkExact, findsNoOthers, textOfTokens } from './tokenText.js'

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
  readonly #plain = new Map<number, number>()
  readonly values: unknown[] = []
  readonly slots: Slot[] = []
  /** What the cipher makes. */
  readonly #made: Made[] = []
  /** What the tokens of columns answer. */
  readonly #answers = new Map<TokenSearch, TokenAnswer | undefined>()
  /** Parameters of JSON columns, which take text. */
  readonly #json: number[] = []

  constructor(options: ParametersOptions) {
    this.#options = options
    this.#given = options.given
  }

  /** The text of pieces in which nothing is searched for by tokens, whose values are added. */
  textOf(pieces: readonly Piece[]): string {
    // One text each: of ten thousand rows, what they are put together from would be waiting for the garbage collector.
    return textOfParts(this.partsOf(pieces))
  }

  /** The parts of the text of pieces, whose values are added. */
  partsOf(pieces: readonly Piece[]): readonly TextPart[] {
    const texts: TextPart[] = []
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
    const answer = this.#answerOf(search)
    return answer && !findsNoOthers(search, answer) ? answer.found.matches : undefined
  }

  /** The values, when the slots are transformed. */
  finish(): readonly unknown[] {
    for (const { position, value } of this.#made) this.values[position] = value
    for (const position of this.#json) this.values[position] = JSON.stringify(this.values[position])
    return this.values
  }

  #addText(texts: TextPart[], use: ParameterUse): void {
    if (use.kind === 'token search') texts.push(...this.#textOfTokens(use.search))
    else if (use.kind === 'search' && use.compared !== 'each') texts.push(...this.#textOfSearch(use))
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
        return this.#addSearches(use)
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

  /** Of a row without a value there are none; in one of many, the column may be left out. */
  #addTokens({ index, values: [source], row }: UseOf<'tokens'>): number {
    const [field] = index.sources as readonly [FieldPlan]
    const value = source && this.#given.valueOf(source)
    if (value === undefined || value === null || field.state === 'ejecting') return this.#put(null)
    const bodies = () => tokenBodies(index, value)
    const holder = this.#putMade(null)
    const slot = { field, owner: this.#given.ownerOf(row), holder, key: 'value', index, bodies }
    this.slots.push({ mode: 'tokens', use: 'any', ...slot })
    return this.values.length
  }

  #textOfSearch(use: UseOf<'search'>): TextPart[] {
    const { values: sources, compared } = use
    this.#checkSearch(use)
    const values = sources.map((source) => this.#given.valueOf(source))
    const isNull = values.includes(null)
    const holder = isNull ? undefined : this.#putMade(null)
    const number = isNull ? this.#put(null) : this.values.length
    const older: unknown[] = []
    if (holder) this.#search(use, { values, holder, key: 'value', older })
    return [() => searchText(compared, [number, ...older.map((value) => this.#put(value))])]
  }

  #addSearches(use: UseOf<'search'>): number {
    const { index, values: sources } = use
    this.#checkSearch(use)
    const elements = this.#given.listOf(sources[0]!, index.sources[0]!)
    const found = elements?.map((): unknown => null) ?? null
    for (const [position, element] of elements?.entries() ?? []) {
      if (element === null) continue
      this.#search(use, { values: [element], holder: found as never, key: String(position), older: found! })
    }
    return this.#put(found)
  }

  #checkSearch({ index, row }: UseOf<'search'>): void {
    checkSearchable(limitedIndex(this.#options.plans, row.plan.name, index))
  }

  #search({ index, row }: UseOf<'search'>, { values, holder, key, older }: SearchedValue): void {
    const several: IndexSlot['several'] = (_, [newest, ...others]) => {
      holder[key] = newest
      older.push(...others)
    }
    const [owner, field] = [this.#given.ownerOf(row), index.sources[0]!]
    this.slots.push({ mode: 'index', field, owner, holder, key, index, values, use: 'searched for', several })
  }

  #textOfTokens(search: TokenSearch): TextPart[] {
    const answer = this.#answerOf(search)
    if (!answer) return ['NULL::boolean']
    return textOfTokens(search, answer, {
      tokens: (column, query) => this.#hasTokens(search, answer, column, query),
      value: (source) => this.#put(this.#given.valueOf(source)),
    })
  }

  /**
   * While the tenant's key for indexes is rotated, there are tokens under two: any of them all is asked for by one list, all
   * of those under one key or the other by two.
   */
  #hasTokens(
    { row, field }: TokenSearch,
    { index }: TokenAnswer,
    column: string,
    { match, bodies }: TokenQuery,
  ): TextPart[] {
    const slot = { mode: 'tokens', field, owner: this.#given.ownerOf(row), index, bodies: () => bodies } as const
    if (match === 'any') {
      this.slots.push({ ...slot, use: 'any', holder: this.#putMade(null), key: 'value' })
      return [column, ' && $', this.values.length, '::uuid[]']
    }
    let lists: readonly (readonly string[])[] = []
    const use = (made: typeof lists) => {
      lists = made
    }
    this.slots.push({ ...slot, use, holder: {}, key: '' })
    return [() => `(${lists.map((list) => `${column} @> $${this.#put(list)}::uuid[]`).join(' OR ')})`]
  }

  #answerOf(search: TokenSearch): TokenAnswer | undefined {
    if (this.#answers.has(search)) return this.#answers.get(search)
    const { plans, plan } = this.#options
    const [index] = search.columns.keys()
    checkSearchable(limitedIndex(plans, search.row.plan.name, index!))
    const answer = tokenAnswer(search, (source) => this.#given.valueOf(source))
    if (answer) checkExact(search, answer, plan)
    this.#answers.set(search, answer)
    return answer
  }

  #plaintextForms({ field, index, values: sources, each }: UseOf<'plaintext'>): unknown[] | null {
    refuseManyForms(field)
    const all = each ? this.#given.listOf(sources[0]!, field) : sources.map((source) => this.#given.valueOf(source))
    return all?.flatMap((value) => (value === null ? [null] : plaintextForms(field, index, value))) ?? null
  }
}

/** What is searched for: the cipher puts what the newest key makes of it into `holder[key]`, and what others make to `older`. */
interface SearchedValue {
  readonly values: readonly unknown[]
  readonly holder: Slot['holder']
  readonly key: string
  readonly older: unknown[]
}

/** While the tenant's key for indexes is rotated, there is more than one number. */
function searchText(compared: IndexSearch['compared'], numbers: readonly number[]): string {
  const list = numbers.map((number) => `$${number}`).join(', ')
  if (compared === 'in list') return list
  if (numbers.length === 1) return `${compared} ${list}`
  return `${compared === '=' ? 'IN' : 'NOT IN'} (${list})`
}

/** A holder of the cipher's, and which parameter its value is. */
type Made = { value: unknown; readonly position: number }

/** An index as a client of limited access sees it. */
export function limitedIndex(plans: Plans, model: string, index: ColumnIndex): ColumnIndex {
  const member = plans.get(model)?.members.get(index.field)
  return isIndexColumn(member) ? member.index : index
}
