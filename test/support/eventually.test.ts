import { describe, expect, it } from '@jest/globals'
import { eventually } from './eventually.js'

describe('eventually', () => {
  it('ends as soon as the expectation holds', async () => {
    const tries: number[] = []
    await eventually(() => expect(tries.push(0)).toBe(3), { interval: 1 })
    expect(tries).toHaveLength(3)
  })

  it('says what it waited for, and what was there last', async () => {
    const failed = eventually(async () => expect('here').toBe('there'), { timeout: 20, interval: 1 })
    await expect(failed).rejects.toThrow(/^after 20 ms still not: .*toBe\('there'\)[\s\S]*Received: .*here/)
  })

  it('has an end also where an attempt has none', async () => {
    const failed = eventually(() => new Promise(() => {}), { timeout: 20 })
    await expect(failed).rejects.toThrow('one attempt has not come to its end')
  })
})
