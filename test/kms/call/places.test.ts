import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import fc from 'fast-check'
import { Places } from '../../../src/kms/call/places.js'

const SLOW = 1_000

/** Places, and who has been given one, in that order. */
class Watched {
  readonly places: Places
  readonly given: { readonly share: string | undefined; readonly call: number; readonly giveBack: () => void }[] = []
  #calls = 0

  constructor(count: number) {
    this.places = new Places({ count, slow: SLOW })
  }

  /** Asks, and lets everybody run who can. */
  async ask(share: string | undefined, signal?: AbortSignal): Promise<void> {
    const call = this.#calls++
    this.places.take(share, signal).then(
      (giveBack) => this.given.push({ share, call, giveBack }),
      () => undefined,
    )
    await turn()
  }

  async askTimes(times: number, share: string | undefined): Promise<void> {
    for (let i = 0; i < times; i += 1) await this.ask(share)
  }

  /** The first of a share that has a place gives it back. */
  async answer(share: string | undefined): Promise<boolean> {
    const index = this.given.findIndex((each) => each.share === share)
    const [done] = index < 0 ? [] : this.given.splice(index, 1)
    done?.giveBack()
    await turn()
    return done !== undefined
  }

  held(share: string | undefined): number {
    return this.given.filter((each) => each.share === share).length
  }
}

async function turn(): Promise<void> {
  for (let i = 0; i < 5; i += 1) await Promise.resolve()
}

describe('places', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick', 'setImmediate'] })
  })
  afterEach(() => {
    jest.useRealTimers()
  })

  it('are all for whoever has nobody to share with', async () => {
    const watched = new Watched(20)
    await watched.askTimes(30, undefined)
    expect(watched.held(undefined)).toBe(20)
  })

  it('are a quarter of those that are free for a share that has not answered, and all once it has', async () => {
    const watched = new Watched(20)
    await watched.askTimes(30, 'a')
    expect(watched.held('a')).toBe(4)
    await watched.answer('a')
    expect(watched.held('a')).toBe(20)
  })

  it('are a quarter again for a share that begins to take long: no more are given, and none of those that come back', async () => {
    const watched = new Watched(20)
    await watched.askTimes(5, 'a')
    await watched.answer('a')
    expect(watched.held('a')).toBe(4)
    jest.advanceTimersByTime(SLOW + 1)
    await watched.askTimes(5, 'a')
    expect(watched.held('a')).toBe(4)
    await watched.answer('a')
    expect(watched.held('a')).toBe(4)
  })

  it('that one share holds while it begins to hang go to others first, and no longer to it alone', async () => {
    const watched = new Watched(4)
    await watched.askTimes(1, 'a')
    await watched.askTimes(8, 'a')
    await watched.answer('a')
    expect(watched.held('a')).toBe(4)
    await watched.askTimes(2, 'b')
    expect(watched.held('b')).toBe(0)
    jest.advanceTimersByTime(SLOW + 1)
    for (let i = 0; i < 4; i += 1) await watched.answer('a')
    expect([watched.held('a'), watched.held('b')]).toEqual([1, 1])
    await watched.answer('b')
    expect(watched.held('b')).toBe(1)
  })

  it('go to the shares in turn: one that asks on and on keeps nobody waiting', async () => {
    const watched = new Watched(1)
    await watched.askTimes(3, 'a')
    await watched.askTimes(2, 'b')
    const order: (string | undefined)[] = []
    while (watched.given[0]) {
      order.push(watched.given[0].share)
      await watched.answer(watched.given[0].share)
    }
    expect(order).toEqual(['a', 'a', 'b', 'a', 'b'])
  })

  it('are not waited for once the signal is aborted, and the next one has its turn', async () => {
    const watched = new Watched(1)
    const gone = new AbortController()
    await watched.ask('a')
    const refused = watched.places.take('a', gone.signal)
    await watched.ask('a')
    gone.abort(new Error('too late'))
    await expect(refused).rejects.toThrow('too late')
    await expect(watched.places.take('a', gone.signal)).rejects.toThrow('too late')
    await watched.answer('a')
    expect(watched.given.map(({ call }) => call)).toEqual([1])
  })

  const shares = ['hung 0', 'hung 1', 'hung 2', 'hung 3', 'hung 4', 'a', 'b', 'c']
  const steps = fc.array(fc.record({ ask: fc.boolean(), share: fc.nat(shares.length - 1) }), { maxLength: 120 })

  it('are never more than there are, and shares that answer get all they ask for, in order, whatever hangs', async () => {
    const property = fc.asyncProperty(fc.integer({ min: 4, max: 40 }), steps, async (count, todo) => {
      const watched = new Watched(count)
      const hung = Math.min(5, Math.floor(count / 4))
      const [asked, served]: [string[], string[]] = [[], []]
      const answer = async (share: string) => {
        if (await watched.answer(share)) served.push(share)
      }
      for (const { ask, share } of todo) {
        const name = shares[share]!
        const hangs = name.startsWith('hung')
        if (hangs && Number(name.at(-1)) >= hung) continue
        if (ask) await watched.ask(name)
        if (ask && !hangs) asked.push(name)
        if (!ask && !hangs) await answer(name)
        expect(watched.given.length).toBeLessThanOrEqual(count)
      }
      for (let i = 0; i < asked.length; i += 1) for (const share of ['a', 'b', 'c']) await answer(share)
      expect(served.toSorted()).toEqual(asked.toSorted())
      for (const share of shares.slice(0, 5)) {
        const calls = watched.given.filter((each) => each.share === share).map(({ call }) => call)
        expect(calls).toEqual(calls.toSorted((x, y) => x - y))
        expect(calls.length).toBeLessThanOrEqual(Math.ceil(count / 4))
      }
    })
    await fc.assert(property, { numRuns: 200 })
  })

  it('are never left free while a share that answers waits', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.boolean(), { maxLength: 80 }),
      async (count, todo) => {
        const watched = new Watched(count)
        let [waiting, answered] = [0, false]
        for (const ask of todo) {
          if (ask) await watched.ask('a')
          if (ask) waiting += 1
          else if (await watched.answer('a')) {
            waiting -= 1
            answered = waiting > 0
          }
          if (answered) expect(watched.held('a')).toBe(Math.min(count, waiting))
          if (waiting === 0) answered = false
        }
      },
    )
    await fc.assert(property, { numRuns: 200 })
  })
})
