import { describe, expect, it } from '@jest/globals'
import { TrailingFlight } from '../../../src/keys/cache/trailingFlight.js'

function work() {
  const ends: { resolve: () => void; reject: (error: Error) => void }[] = []
  const run = () => new Promise<void>((resolve, reject) => ends.push({ resolve, reject }))
  return { ends, run }
}
const turn = () => new Promise(setImmediate)

describe('a trailing flight', () => {
  it('has all who ask while it runs share one more run after it', async () => {
    const [flight, { ends, run }] = [new TrailingFlight(), work()]
    const first = flight.run('a', run)
    const later = [flight.run('a', run), flight.run('a', run), flight.run('a', run)]
    expect(ends).toHaveLength(1)
    ends[0]!.resolve()
    await first
    await turn()
    expect(ends).toHaveLength(2)
    ends[1]!.resolve()
    await Promise.all(later)
    expect(new Set(later).size).toBe(1)
    await turn()
    void flight.run('a', run)
    expect(ends).toHaveLength(3)
  })

  it('runs again after one that failed, and apart for other keys', async () => {
    const [flight, { ends, run }] = [new TrailingFlight(), work()]
    const first = flight.run('a', run)
    const [later, other] = [flight.run('a', run), flight.run('b', run)]
    expect(ends).toHaveLength(2)
    ends[0]!.reject(new Error('down'))
    await expect(first).rejects.toThrow('down')
    await turn()
    ends[1]!.resolve()
    ends[2]!.resolve()
    await Promise.all([later, other])
  })

  it('has those who ask during the run after it wait for a third', async () => {
    const [flight, { ends, run }] = [new TrailingFlight(), work()]
    const first = flight.run('a', run)
    const second = flight.run('a', run)
    ends[0]!.resolve()
    await first
    await turn()
    const third = flight.run('a', run)
    ends[1]!.resolve()
    await second
    await turn()
    expect(ends).toHaveLength(3)
    ends[2]!.resolve()
    await third
  })
})
