import { describe, expect, it } from '@jest/globals'
import { paceOf } from '../../../src/maintenance/keys/pace.js'

async function starts(rate: number, count: number): Promise<number[]> {
  const pace = paceOf(rate)
  const times: number[] = []
  for (let i = 0; i < count; i += 1) {
    await pace()
    times.push(performance.now())
  }
  return times
}

describe('a pace', () => {
  it.each([5, 50, 200, 295])('of %d starts per second has no second with more, and not far fewer', async (rate) => {
    const times = await starts(rate, rate * 2)
    const perSecond = times.map((time) => times.filter((other) => other >= time && other < time + 995).length)
    expect(Math.max(...perSecond)).toBeLessThanOrEqual(rate)
    expect(times.at(-1)! - times[0]!).toBeGreaterThan(1_500)
  })

  it('is kept by those who wait at the same time', async () => {
    const pace = paceOf(50)
    const begun = performance.now()
    await Promise.all(Array.from({ length: 100 }, () => pace()))
    expect(performance.now() - begun).toBeGreaterThan(1_800)
  })

  it('without a limit waits for nothing', async () => {
    const times = await starts(Number.POSITIVE_INFINITY, 1_000)
    expect(times.at(-1)! - times[0]!).toBeLessThan(500)
  })

  it('gives up waiting when it is told to', async () => {
    const pace = paceOf(0.1)
    await pace()
    await expect(pace(AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'AbortError' })
    await expect(paceOf(1)(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})
