import { beforeEach, describe, expect, it, jest } from '@jest/globals'

type Delay = typeof import('node:timers/promises').setTimeout

/** A clock that goes on by what is waited for and by how late timers are, in turn. */
const LATE = [0, 3, 12]
let now = 0
let waits = 0
const { setTimeout: realDelay } = await import('node:timers/promises')
const delay: Delay = async (ms, value, options) => {
  if (options?.signal) return realDelay(ms, value, options)
  now += ms! + LATE[waits % LATE.length]!
  waits += 1
  return value!
}
jest.unstable_mockModule('node:timers/promises', () => ({ setTimeout: delay }))
const { paceOf } = await import('../../../src/maintenance/keys/pace.js')

async function starts(rate: number, count: number): Promise<number[]> {
  const pace = paceOf(rate)
  const times: number[] = []
  for (let i = 0; i < count; i += 1) {
    await pace()
    times.push(now)
  }
  return times
}

beforeEach(() => {
  now = 0
  jest.spyOn(performance, 'now').mockImplementation(() => now)
})

describe('a pace', () => {
  it.each([5, 50, 200, 295])('of %d starts per second has no second with more, and not far fewer', async (rate) => {
    const times = await starts(rate, rate * 2)
    const perSecond = times.map((time) => times.filter((other) => other >= time && other < time + 1_000).length)
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(rate)
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(1_500)
    expect(times.at(-1)! - times[0]!).toBeLessThan(2_500)
  })

  it('is kept by those who wait at the same time', async () => {
    const pace = paceOf(50)
    await Promise.all(Array.from({ length: 100 }, () => pace()))
    expect(now).toBeGreaterThan(1_800)
  })

  it('without a limit waits for nothing', async () => {
    const times = await starts(Number.POSITIVE_INFINITY, 1_000)
    expect(times.at(-1)! - times[0]!).toBe(0)
  })

  it('gives up waiting when it is told to', async () => {
    const pace = paceOf(0.1)
    await pace()
    await expect(pace(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'AbortError' })
    await expect(paceOf(1)(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})
