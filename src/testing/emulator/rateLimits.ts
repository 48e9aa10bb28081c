import type { invalidOptionOf } from '../../invalidOptions.js'

/** Requests per second that an action allows; an action that is not named has no limit. */
export type Limits = { readonly [action: string]: number }

const SECOND = 1000

/** Counts the requests of the last second per action, and says what is above the limit. */
export class RateLimits {
  readonly #limits: Limits
  readonly #now: () => number
  readonly #recent = new Map<string, number[]>()

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** The limit that one more request of the action exceeds; `undefined` if there is room for it, which it then takes. */
  exceededBy(action: string): number | undefined {
    const limit = this.#limits[action]
    if (limit === undefined) return undefined
    const now = this.#now()
    const recent = (this.#recent.get(action) ?? []).filter((time) => time > now - SECOND)
    this.#recent.set(action, recent)
    if (recent.length >= limit) return limit
    recent.push(now)
    return undefined
  }
}

/** @throws FieldsealError `OPTIONS_INVALID`, naming the action */
export function checkedLimits(invalid: ReturnType<typeof invalidOptionOf>, limits: Limits): Limits {
  const wrong = Object.keys(limits).find((action) => !Number.isInteger(limits[action]) || limits[action]! < 0)
  if (wrong !== undefined) throw invalid(`limits.${wrong}`, 'must be a whole number of requests per second')
  return limits
}
