import { LRUCache } from 'lru-cache'
import { type AnalysisOptions, analyse } from './analyse.js'
import type { StatementPlan } from './statementPlan.js'

/** How many plans are kept, and of how many characters of SQL. */
const MOST_PLANS = 2_000
const MOST_CHARACTERS = 8_000_000
/** Of statements that touch no encrypted column only those are remembered that are no longer, and so many characters. */
const SHORT = 4_000
const MOST_SHORT_CHARACTERS = 1_000_000

/** The plans of statements, each made once for its text. */
export class StatementPlans {
  readonly #options: AnalysisOptions
  readonly #names: readonly string[]
  readonly #plans = new LRUCache<string, { readonly plan: StatementPlan | undefined }>({
    max: MOST_PLANS,
    maxSize: MOST_CHARACTERS,
    sizeCalculation: (_, text) => text.length + 1,
  })
  /** Those that touch no encrypted column: beside the plans, so that many of them push none out. */
  readonly #untouched = new LRUCache<string, true>({
    max: MOST_PLANS,
    maxSize: MOST_SHORT_CHARACTERS,
    sizeCalculation: (_, text) => text.length + 1,
  })

  constructor(options: AnalysisOptions) {
    this.#options = options
    this.#names = options.catalog.encryptedNames.map((name) => name.replaceAll('"', '""').toLowerCase())
  }

  /**
   * @returns `undefined` for a statement that touches no encrypted column
   * @throws FieldsealError `QUERY_UNSUPPORTED`
   */
  of(text: string): StatementPlan | undefined {
    const known = this.#plans.get(text)
    if (known) return known.plan
    if (this.#untouched.get(text)) return undefined
    if (!this.#mayTouch(text)) {
      if (text.length <= SHORT) this.#untouched.set(text, true)
      return undefined
    }
    const plan = analyse(text, this.#options)
    this.#plans.set(text, { plan })
    return plan
  }

  /** Whether a name is in a text, or may be, as `U&"…"` can spell it in other ways. */
  #mayTouch(text: string): boolean {
    const lower = text.toLowerCase()
    return lower.includes('u&"') || this.#names.some((name) => lower.includes(name))
  }
}
