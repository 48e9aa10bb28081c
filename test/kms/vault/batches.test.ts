import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from '../../../src/errors.js'
import { type FailedAttempt, reportRetry, withRetryListener } from '../../../src/keys/retries.js'
import { Batches, MAX_ITEMS, type Outcome } from '../../../src/kms/vault/batches.js'

type Answers = readonly Outcome<number>[]

/** Doubles numbers, and remembers with how many others each was asked about. */
function doubling(ms = 0) {
  const sizes: number[] = []
  const batches = new Batches<number, number>()
  const askMany = async (items: readonly number[]): Promise<Answers> => {
    sizes.push(items.length)
    await setTimeout(ms)
    return items.map((item) => ({ result: 2 * item }))
  }
  return { sizes, ask: (item: number, lane = 'one') => batches.ask(lane, item, askMany) }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

describe('batches', () => {
  it('send what is asked in one turn of the event loop together, also behind promises', async () => {
    const { sizes, ask } = doubling()
    const later = async (item: number) => {
      for (let i = 0; i < item; i += 1) await undefined
      return ask(item)
    }
    expect(await Promise.all(numbers(40).map(later))).toEqual(numbers(40).map((item) => 2 * item))
    expect(sizes).toEqual([40])
  })

  it('have at most 100 items, and each gets its own answer', async () => {
    const { sizes, ask } = doubling()
    expect(await Promise.all(numbers(250).map((item) => ask(item)))).toEqual(numbers(250).map((item) => 2 * item))
    expect(sizes).toEqual([MAX_ITEMS, MAX_ITEMS, 50])
  })

  it('gather what is asked while another request is on its way, until that is answered', async () => {
    const { sizes, ask } = doubling(5)
    const first = ask(0)
    await setTimeout(2)
    const others = [ask(1), ask(2)]
    await setTimeout(1)
    others.push(ask(3))
    await Promise.all([first, ...others])
    expect(sizes).toEqual([1, 3])
  })

  it('do not have anybody wait long for a request that does not end', async () => {
    const batches = new Batches<number, number>()
    const askMany = (items: readonly number[]): Promise<Answers> =>
      items.includes(0) ? new Promise(() => undefined) : Promise.resolve(items.map((item) => ({ result: item })))
    void batches.ask('one', 0, askMany)
    await setTimeout(2)
    await expect(
      Promise.race([batches.ask('one', 1, askMany), setTimeout(2_000, 'late', { ref: false })]),
    ).resolves.toBe(1)
  })

  it('keep lanes apart', async () => {
    const { sizes, ask } = doubling()
    await Promise.all([ask(1, 'one'), ask(2, 'two'), ask(3, 'one')])
    expect(sizes.sort()).toEqual([1, 2])
  })

  it('fail one without the others', async () => {
    const batches = new Batches<number, number>()
    const error = new FieldsealError('KMS_REFUSED', 'not this one')
    const askMany = async (items: readonly number[]): Promise<Answers> =>
      items.map((item) => (item === 1 ? { error } : { result: item }))
    const outcomes = await Promise.allSettled(numbers(3).map((item) => batches.ask('one', item, askMany)))
    expect(outcomes).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: error },
      { status: 'fulfilled', value: 2 },
    ])
  })

  it('fail all with an error for each, and go on afterwards', async () => {
    const batches = new Batches<number, number>()
    const down = async () => {
      throw new FieldsealError('KMS_UNAVAILABLE', 'down', { cause: { httpCode: 503 } })
    }
    const outcomes = await Promise.allSettled(numbers(2).map((item) => batches.ask('one', item, down)))
    const [one, other] = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason as FieldsealError)
    expect(one).not.toBe(other)
    for (const error of [one, other]) expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: { httpCode: 503 } })
    await expect(batches.ask('one', 1, async () => [{ result: 1 }])).resolves.toBe(1)
  })

  it('tell everybody of a retry, once', async () => {
    const batches = new Batches<number, number>()
    const askMany = async (items: readonly number[]): Promise<Answers> => {
      reportRetry({ attempt: 1, code: 'KMS_THROTTLED', reason: 'busy' })
      return items.map((item) => ({ result: item }))
    }
    const heard: FailedAttempt[][] = [[], [], []]
    await Promise.all(
      heard.map((list, i) =>
        withRetryListener(
          (f) => list.push(f),
          () => batches.ask('one', i, askMany),
        ),
      ),
    )
    expect(heard.map((list) => list.length)).toEqual([1, 1, 1])
  })
})
