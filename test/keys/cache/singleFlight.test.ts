import { describe, expect, it } from '@jest/globals'
import { SingleFlight } from '../../../src/keys/cache/singleFlight.js'

function deferred() {
  let [resolve, reject] = [(_: string) => {}, (_: Error) => {}]
  const promise = new Promise<string>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

describe('SingleFlight', () => {
  it('gives a failure to all who waited, and lets the next caller try again', async () => {
    const flights = new SingleFlight<string>()
    const first = deferred()
    const waiting = [1, 2, 3].map(() => flights.run('a', () => first.promise))
    first.reject(new Error('down'))
    const outcomes = await Promise.allSettled(waiting)
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    await expect(flights.run('a', async () => 'up again')).resolves.toBe('up again')
  })

  it('is not blocked by work that throws before it has a promise', async () => {
    const flights = new SingleFlight<string>()
    const broken = () => {
      throw new Error('at once')
    }
    expect(() => flights.run('a', broken)).toThrow('at once')
    await expect(flights.run('a', async () => 'fine')).resolves.toBe('fine')
  })

  it('runs the work once for all who come while it runs, and again for who comes later', async () => {
    const flights = new SingleFlight<string>()
    let runs = 0
    const work = async () => `run ${++runs}`
    expect(await Promise.all([flights.run('a', work), flights.run('a', work)])).toEqual(['run 1', 'run 1'])
    expect(flights.get('a')).toBeUndefined()
    expect(await flights.run('a', work)).toBe('run 2')
  })

  it('keeps different keys apart', async () => {
    const flights = new SingleFlight<string>()
    const [a, b] = [deferred(), deferred()]
    const waiting = Promise.allSettled([flights.run('a', () => a.promise), flights.run('b', () => b.promise)])
    a.reject(new Error('only a'))
    b.resolve('b')
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
  })
})
