import { inspect } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { And, Any, Equal, In, Not, Or } from 'typeorm'
import { isSealed, openSeal, Seal } from '../../../src/typeorm/seal/seal.js'
import { sealingTransformer } from '../../../src/typeorm/seal/sealingTransformer.js'

const SECRET = 'ada@example.com'

describe('a seal', () => {
  it('shows nothing of its value to logs, JSON, texts and copies', () => {
    const seal = new Seal(SECRET)
    const shown = [
      inspect(seal, { depth: null, showHidden: true, showProxy: true, getters: true }),
      inspect([{ a: new Map([[seal, seal]]) }], { depth: null, showHidden: true }),
      JSON.stringify({ seal }),
      `${seal}`,
      String([seal]),
      JSON.stringify(Object.getOwnPropertyDescriptors(seal)),
      JSON.stringify({ ...seal }),
      inspect(structuredClone({ seal }), { depth: null }),
    ]
    expect(shown.filter((text) => text.includes('ada'))).toEqual([])
    expect(shown.slice(0, 4)).toEqual(['[sealed]', expect.any(String), '{"seal":"[sealed]"}', '[sealed]'])
  })

  it('does not pass the driver', async () => {
    const { prepareValue } = (await import('pg/lib/utils.js' as string)).default
    expect(() => prepareValue(new Seal(SECRET))).toThrow(/went past fieldEncryption/)
    expect(() => prepareValue([new Seal(SECRET)])).toThrow(/went past fieldEncryption/)
  })

  it('is opened by whoever may, also that of another build or realm', () => {
    expect(isSealed(new Seal(1))).toBe(true)
    expect(openSeal(new Seal(SECRET))).toBe(SECRET)
    const other = runInContext(
      `new (class { #v = 'there'; [Symbol.for('fieldseal.openSeal')]() { return this.#v } })`,
      createContext({}),
    )
    expect([isSealed(other), openSeal(other)]).toEqual([true, 'there'])
  })

  it('is nothing else', () => {
    const plain = [null, undefined, '', 0, {}, [], '[sealed]', new Date(0), Buffer.alloc(1)]
    expect(plain.filter(isSealed)).toEqual([])
    for (const value of plain) expect(openSeal(value)).toBe(value)
  })
})

describe('what a column is transformed with', () => {
  const opened = (value: unknown) => openSeal(sealingTransformer().to(value))

  it('seals values of every kind, and leaves null and undefined', () => {
    for (const value of ['', 0, false, 1n, { a: 1 }, ['a'], new Date(0), Buffer.from('x')])
      expect(opened(value)).toBe(value)
    expect([sealingTransformer().to(null), sealingTransformer().to(undefined)]).toEqual([null, undefined])
  })

  it('gives equal values in a row the same seal, changed ones another', () => {
    const { to } = sealingTransformer()
    const value = { a: [1] }
    const seal = to(value)
    expect(to({ a: [1] })).toBe(seal)
    expect(to(seal)).toBe(seal)
    value.a.push(2)
    const changed = to({ a: [1] })
    expect(changed).not.toBe(seal)
    expect(to(value)).not.toBe(changed)
  })

  it('seals the values in operators, in whatever they are nested', () => {
    const { to } = sealingTransformer()
    for (const operator of [Equal('a'), Not(Equal('a')), Not('a')]) {
      expect(openSeal(to(operator).value)).toBe('a')
    }
    expect((to(In(['a', 'b'])).value as unknown[]).map(openSeal)).toEqual(['a', 'b'])
    expect(openSeal(to(Any(['a'])).value)).toEqual(['a'])
    const both = [Or(Equal('a'), Equal('b')), And(Not('a'), Not('b'))]
    for (const operator of both) {
      to(operator)
      expect(JSON.stringify(operator)).not.toMatch(/"[ab]"/)
    }
  })

  it('takes no ciphertext for a value', () => {
    const { from } = sealingTransformer()
    const head = Buffer.concat([Buffer.from([1, 0]), Buffer.alloc(16, 7)])
    const text = `fs1.${head.toString('base64url')}${'A'.repeat(64)}`
    const raw = Buffer.concat([Buffer.from('fs1.'), head, Buffer.alloc(40)])
    for (const value of [text, raw, new Uint8Array(raw), [text], [raw]]) {
      expect(() => from(value)).toThrow(/a ciphertext came where the value/)
    }
    for (const value of [null, 'fs1.', 'fs1. is a prefix', 'plain', Buffer.from('fs1.x'), ['a'], { a: 1 }]) {
      expect(from(value)).toBe(value)
    }
  })
})
