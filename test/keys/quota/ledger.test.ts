import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Ledger } from '../../../src/keys/quota/ledger.js'

describe('Ledger', () => {
  it('never spends more than was added, whatever is asked for', () => {
    const step = fc.record({ kind: fc.constantFrom('add', 'take', 'takeUpTo'), count: fc.nat(20) })
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const ledger = new Ledger(10)
        let [added, spent] = [0, 0]
        for (const { kind, count } of steps) {
          if (kind === 'add') {
            ledger.add('a', count, false)
            added += count
          } else if (kind === 'take') spent += ledger.take('a', count) === undefined ? 0 : count
          else spent += ledger.takeUpTo('a', count)
          expect(ledger.left('a')).toBe(added - spent)
          expect(spent).toBeLessThanOrEqual(added)
        }
      }),
    )
  })

  it('takes all or nothing, or what there is', () => {
    const ledger = new Ledger(10)
    ledger.add('a', 5, false)
    expect([ledger.take('a', 6), ledger.take('a', 3), ledger.takeUpTo('a', 6), ledger.takeUpTo('a', 1)]).toEqual([
      undefined,
      2,
      2,
      0,
    ])
  })

  it('has no messages for a DEK that it does not know, and loses those of a DEK that was pushed out', () => {
    const ledger = new Ledger(1)
    ledger.add('a', 5, true)
    expect([ledger.isClosed('a'), ledger.isClosed('b'), ledger.take('b', 1)]).toEqual([true, false, undefined])
    ledger.add('b', 5, false)
    expect([ledger.left('a'), ledger.isClosed('a'), ledger.left('b')]).toEqual([0, false, 5])
  })
})
