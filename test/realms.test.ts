import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import { DATE, SIGNAL } from '../src/callArguments.js'
import { decode, encode } from '../src/crypto/codec.js'
import { carry } from '../src/prisma/binding/contextMembrane.js'

/** What code of another realm makes: under Jest Node.js and a test are two, and `instanceof` does not tell. */
const foreign = (code: string): unknown => runInNewContext(code)

describe('a value of another realm', () => {
  it.each([
    ['DateTime', 'new Date(0)', new Date(0)],
    ['Bytes', 'Uint8Array.of(1, 2)', Uint8Array.of(1, 2)],
    ['Json', '({ list: [1, { at: new Date(0) }] })', { list: [1, { at: '1970-01-01T00:00:00.000Z' }] }],
  ] as const)('is encrypted as one of our own: %s', (kind, code, read) => {
    const value = foreign(code)
    expect([value instanceof Date, value instanceof Uint8Array, value instanceof Object]).toEqual([false, false, false])
    expect(decode(kind, Buffer.from(encode(kind, value) as string))).toEqual(read)
  })

  it('that is an invalid Date is refused, also within Json', () => {
    expect(() => encode('DateTime', foreign('new Date(NaN)'))).toThrow('invalid Date')
    expect(() => encode('Json', foreign('({ at: new Date(NaN) })'))).toThrow('invalid Date')
    expect(DATE.is(foreign('new Date(NaN)'))).toBe(false)
  })

  it('is taken as an argument: a Date, and an AbortSignal of other classes', () => {
    expect(DATE.is(foreign('new Date(0)'))).toBe(true)
    expect(SIGNAL.is(foreign(`({ aborted: false, [Symbol.toStringTag]: 'AbortSignal' })`))).toBe(true)
    expect(SIGNAL.is({ aborted: false })).toBe(false)
  })

  it('comes out of an extension as it is where it is data, and in its context where it is code or to come', async () => {
    const entered: string[] = []
    const run = <Result>(work: () => Result) => {
      entered.push('in')
      return work()
    }
    const membrane = { run, bind: (client: object) => client }
    const data = foreign('({ name: "Ada", list: [{ deep: 1 }] })')
    expect(carry(membrane, data)).toBe(data)
    const coming = carry(membrane, foreign('Promise.resolve({ greet: () => "hello" })')) as Promise<{
      greet(): string
    }>
    expect((await coming).greet()).toBe('hello')
    expect(entered.length).toBeGreaterThan(0)
  })
})
