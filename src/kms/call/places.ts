/** Whose place it is: a KEK. Left out where there is only one. */
export type Share = string | undefined

export interface PlacesOptions {
  readonly count: number
  /** Milliseconds from which on a place counts as held for long. */
  readonly slow: number
}

interface Waiter {
  readonly go: (place: Place) => void
}

/** When it was taken. */
interface Place {
  readonly since: number
}

/** What one share holds and waits for. It is forgotten when that is nothing. */
interface Lane {
  readonly share: Share
  readonly held: Set<Place>
  readonly waiting: Set<Waiter>
  /** Whether the last place that was given back was held for a short time only. */
  quick: boolean
}

/** Of the free places, what a share may hold before it has answered. */
const UNANSWERED = 1 / 4

/**
 * A fixed number of places; who finds none waits. A place that becomes free goes to the shares that wait in turn, and within
 * a share in the order of coming.
 *
 * A share that answers takes as many places as there are. One that has not answered yet, or takes long, holds at most a
 * quarter of what is free, and one place in any case: what hangs cannot take the places of others. Where it begins to hang
 * while it holds more, the others wait until the first of its calls is given up.
 */
export class Places {
  readonly #slow: number
  readonly #lanes = new Map<Share, Lane>()
  /** Those with somebody who waits, the next one first. */
  readonly #turns = new Set<Lane>()
  #free: number

  constructor({ count, slow }: PlacesOptions) {
    this.#slow = slow
    this.#free = count
  }

  /**
   * @param signal ends the waiting
   * @returns gives the place back; to be called once
   * @throws the signal's reason once it is aborted
   */
  async take(share: Share, signal?: AbortSignal): Promise<() => void> {
    signal?.throwIfAborted()
    const lane = this.#laneOf(share)
    const place = await new Promise<Place>((resolve, reject) => {
      const waiter: Waiter = {
        go: (given) => {
          signal?.removeEventListener('abort', gone)
          resolve(given)
        },
      }
      const gone = () => {
        lane.waiting.delete(waiter)
        this.#tidy(lane)
        reject(signal?.reason)
      }
      lane.waiting.add(waiter)
      this.#turns.add(lane)
      signal?.addEventListener('abort', gone, { once: true })
      this.#serve()
    })
    return () => this.#giveBack(lane, place)
  }

  #giveBack(lane: Lane, place: Place): void {
    lane.quick = !this.#isSlow(place)
    lane.held.delete(place)
    this.#free += 1
    this.#serve()
    this.#tidy(lane)
  }

  #serve(): void {
    for (let lane = this.#next(); lane; lane = this.#next()) {
      const [waiter] = lane.waiting
      const place: Place = { since: performance.now() }
      lane.waiting.delete(waiter!)
      lane.held.add(place)
      this.#free -= 1
      this.#turns.delete(lane)
      if (lane.waiting.size > 0) this.#turns.add(lane)
      waiter!.go(place)
    }
  }

  #next(): Lane | undefined {
    if (this.#free === 0) return undefined
    for (const lane of this.#turns) if (this.#mayTake(lane)) return lane
    return undefined
  }

  #mayTake({ share, held, quick }: Lane): boolean {
    const [oldest] = held
    if (share === undefined || !oldest || held.size < this.#free * UNANSWERED) return true
    return quick && !this.#isSlow(oldest)
  }

  #isSlow({ since }: Place): boolean {
    return performance.now() - since > this.#slow
  }

  #laneOf(share: Share): Lane {
    const lane = this.#lanes.get(share) ?? { share, held: new Set(), waiting: new Set(), quick: false }
    this.#lanes.set(share, lane)
    return lane
  }

  #tidy(lane: Lane): void {
    if (lane.waiting.size === 0) this.#turns.delete(lane)
    if (lane.waiting.size === 0 && lane.held.size === 0) this.#lanes.delete(lane.share)
  }
}
