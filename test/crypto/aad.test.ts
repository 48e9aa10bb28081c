import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { aadOf, withBound } from '../../src/crypto/aad.js'
import { encodeHeader } from '../../src/crypto/header.js'

const uuid = fc.uuid().map((id) => id.toLowerCase())
const text = fc.string({ unit: 'binary', maxLength: 12 })
const place = fc.record({
  dekId: uuid,
  flags: fc.constantFrom(0, 1),
  tenant: text,
  context: text,
  bound: fc.array(text, { maxLength: 3 }),
})

type Place = typeof place extends fc.Arbitrary<infer T> ? T : never

function aad({ dekId, flags, tenant, context, bound }: Place): Buffer {
  return withBound(aadOf(encodeHeader({ suite: 1, flags, dekId }), tenant, context), bound)
}

/** The same characters, cut elsewhere. */
function regrouped({ tenant, context, bound, ...rest }: Place): Place[] {
  const parts = [tenant, context, ...bound]
  const whole = parts.join('')
  return [
    { ...rest, tenant: whole, context: '', bound: [] },
    { ...rest, tenant: '', context: whole, bound: [] },
    { ...rest, tenant: '', context: '', bound: [whole] },
    { ...rest, tenant: context, context: tenant, bound },
    { ...rest, tenant, context, bound: [...bound].reverse() },
    { ...rest, tenant, context, bound: [...bound, ''] },
  ]
}

describe('AAD', () => {
  it('differs whenever the place differs, however the same characters are grouped', () => {
    fc.assert(
      fc.property(place, place, (one, random) => {
        for (const other of [random, ...regrouped(one)]) {
          expect(aad(one).equals(aad(other))).toBe(JSON.stringify(one) === JSON.stringify(other))
        }
      }),
    )
  })

  it('keeps no bound value and an empty one apart', () => {
    const header = encodeHeader({ suite: 1, flags: 0, dekId: '0f8fad5b-d9cb-469f-a165-70867728950e' })
    const base = aadOf(header, 'acme', 'User.email')
    expect(withBound(base, []).equals(base)).toBe(true)
    expect(withBound(base, ['']).toString('hex')).toBe(`${base.toString('hex')}00000000`)
  })
})
