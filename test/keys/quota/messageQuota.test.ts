import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MessageQuota } from '../../../src/keys/quota/messageQuota.js'

/** The most messages under one DEK. */
const MAX_MESSAGES = 1_000_000

/** A quota for so many DEKs; the keys table grants what is asked for, or the `granted` messages. */
function quotaFor(max: number, granted?: number) {
  const asked: number[] = []
  const reserve = async (_: string, count: number) => {
    asked.push(count)
    return granted ?? count
  }
  const policy = { rotateAfter: 1, maxMessages: MAX_MESSAGES }
  return { quota: new MessageQuota({ store: { reserve }, policy, max }), asked }
}

describe('MessageQuota', () => {
  it('never spends more than was added, whatever is asked for', () => {
    const step = fc.record({ kind: fc.constantFrom('add', 'take', 'takeUpTo'), count: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { quota } = quotaFor(10)
        let [added, spent] = [0, 0]
        for (const { kind, count } of steps) {
          if (kind === 'add') {
            quota.open('a', count)
            added += count
          } else if (kind === 'take') spent += quota.take('a', count) === undefined ? 0 : count
          else spent += quota.takeUpTo('a', count)
          expect(quota.remaining('a')).toBe(added - spent)
          expect(spent).toBeLessThanOrEqual(added)
        }
      }),
    )
  })

  it('takes all or nothing, or what there is', () => {
    const { quota } = quotaFor(10)
    quota.open('a', 5)
    expect([quota.take('a', 6), quota.take('a', 3), quota.takeUpTo('a', 6), quota.takeUpTo('a', 1)]).toEqual([
      undefined,
      2,
      2,
      0,
    ])
  })

  it('has no messages for a DEK that it does not know, and loses those of a DEK that was pushed out', async () => {
    const { quota, asked } = quotaFor(1)
    quota.open('a', MAX_MESSAGES)
    expect([await quota.reserve('a', 1), quota.take('b', 1), asked]).toEqual([0, undefined, []])
    quota.open('b', 5)
    expect([quota.remaining('a'), quota.remaining('b')]).toEqual([0, 5])
    expect(await quota.reserve('a', 1)).toBe(quota.block)
  })

  it('asks for a block or for what is needed, and not again once the keys table has granted less', async () => {
    const { quota, asked } = quotaFor(10, 7)
    expect([await quota.reserve('a', quota.block + 1), await quota.reserve('a', 1)]).toEqual([7, 0])
    expect([asked, quota.remaining('a')]).toEqual([[quota.block + 1], 7])
  })
})
