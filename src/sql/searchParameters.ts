import type { IndexSlot, Slot } from '../cipher/cipher.js'
import type { TokenQuery } from '../cipher/tokenQuery.js'
import { checkSearchable } from '../client/masking.js'
import { type ColumnIndex, isIndexColumn } from '../plan/columnIndex.js'
import type { Plans } from '../plan/plan.js'
import type { GivenValues } from './givenValues.js'
import type { ParameterList } from './parameterList.js'
import type { IndexSearch, StatementPlan, TokenSearch } from './statementPlan.js'
import type { TextPart } from './textParts.js'
import { type TokenAnswer, tokenAnswer } from './tokenAnswer.js'
import { checkExact, findsNoOthers, textOfTokens } from './tokenText.js'

export interface SearchParametersOptions {
  /** Of what the client may read. */
  readonly plans: Plans
  readonly plan: Pick<StatementPlan, 'tokenChecks'>
  readonly given: GivenValues
  readonly list: ParameterList
}

/**
 * The parameters of a statement that are searched for. While the tenant's key for indexes is rotated, there are more of them
 * than the statement has, which is known only when the keys are: their text is made last.
 */
export class SearchParameters {
  readonly #options: SearchParametersOptions
  readonly #given: GivenValues
  readonly #list: ParameterList
  /** What the tokens of columns answer. */
  #answers: Map<TokenSearch, TokenAnswer | undefined> | undefined

  constructor(options: SearchParametersOptions) {
    this.#options = options
    this.#given = options.given
    this.#list = options.list
  }

  /** The operator and the value of a comparison that a blind index answers. */
  textOfSearch(use: IndexSearch): TextPart[] {
    const { values: sources, compared } = use
    this.#checkSearch(use)
    const values = sources.map((source) => this.#given.valueOf(source))
    const isNull = values.includes(null)
    const holder = isNull ? undefined : this.#list.putMade(null)
    const number = isNull ? this.#list.put(null) : this.#list.values.length
    const older: unknown[] = []
    if (holder) this.#search(use, { values, holder, key: 'value', older })
    return [() => searchText(compared, [number, ...older.map((value) => this.#list.put(value))])]
  }

  /** @returns the number of the list that is searched for */
  addList(use: IndexSearch): number {
    const { index, values: sources } = use
    this.#checkSearch(use)
    const elements = this.#given.listOf(sources[0]!, index.sources[0]!)
    const found = elements?.map((): unknown => null) ?? null
    for (const [position, element] of elements?.entries() ?? []) {
      if (element === null) continue
      this.#search(use, { values: [element], holder: found as never, key: String(position), older: found! })
    }
    return this.#list.put(found)
  }

  #checkSearch({ index, row }: IndexSearch): void {
    checkSearchable(limitedIndex(this.#options.plans, row.plan.name, index))
  }

  #search({ index, row }: IndexSearch, { values, holder, key, older }: SearchedValue): void {
    const several: IndexSlot['several'] = (_, [newest, ...others]) => {
      holder[key] = newest
      older.push(...others)
    }
    const [owner, field] = [this.#given.ownerOf(row), index.sources[0]!]
    this.#list.slots.push({ mode: 'index', field, owner, holder, key, index, values, use: 'searched for', several })
  }

  /** The condition that tokens answer. */
  textOfTokens(search: TokenSearch): TextPart[] {
    const answer = this.#answerOf(search)
    if (!answer) return ['NULL::boolean']
    return textOfTokens(search, answer, {
      tokens: (column, query) => this.#hasTokens(search, answer, column, query),
      value: (source) => this.#list.put(this.#given.valueOf(source)),
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
      this.#list.slots.push({ ...slot, use: 'any', holder: this.#list.putMade(null), key: 'value' })
      return [column, ' && $', this.#list.values.length, '::uuid[]']
    }
    let lists: readonly (readonly string[])[] = []
    const use = (made: typeof lists) => {
      lists = made
    }
    this.#list.slots.push({ ...slot, use, holder: {}, key: '' })
    return [() => `(${lists.map((list) => `${column} @> $${this.#list.put(list)}::uuid[]`).join(' OR ')})`]
  }

  #answerOf(search: TokenSearch): TokenAnswer | undefined {
    this.#answers ??= new Map()
    if (this.#answers.has(search)) return this.#answers.get(search)
    const { plans, plan } = this.#options
    const [index] = search.columns.keys()
    checkSearchable(limitedIndex(plans, search.row.plan.name, index!))
    const answer = tokenAnswer(search, (source) => this.#given.valueOf(source))
    if (answer) checkExact(search, answer, plan)
    this.#answers.set(search, answer)
    return answer
  }

  /** Whether a value is one that a search by tokens asks for, where these find other values too. */
  matchesOf(search: TokenSearch): ((value: unknown) => boolean) | undefined {
    const answer = this.#answerOf(search)
    return answer && !findsNoOthers(search, answer) ? answer.found.matches : undefined
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

/** An index as a client of limited access sees it. */
export function limitedIndex(plans: Plans, model: string, index: ColumnIndex): ColumnIndex {
  const member = plans.get(model)?.members.get(index.field)
  return isIndexColumn(member) ? member.index : index
}
