import { ApiError } from './apiError.js'

/** Requests per second that an action allows; an action that is not named has no limit. */
export type Limits = { readonly [action: string]: number }

const SECOND = 1000

/** Counts the requests of the last second per action, and refuses what is above the limit. */
export class RateLimits {
  readonly #limits: Limits
  readonly #now: () => number
  readonly #recent = new Map<string, number[]>()

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits
    this.#now = now
  }

  /** @throws ApiError `RequestLimitExceeded` */
  take(action: string): void {
    const limit = this.#limits[action]
    if (limit === undefined) return
    const now = this.#now()
    const recent = (this.#recent.get(action) ?? []).filter((time) => time > now - SECOND)
    this.#recent.set(action, recent)
    if (recent.length >= limit) {
      throw new ApiError('RequestLimitExceeded', `${action} exceeds its limit of ${limit} requests per second.`)
    }
    recent.push(now)
  }
}
