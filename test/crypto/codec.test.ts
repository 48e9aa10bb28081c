import { runInNewContext } from 'node:vm'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { CODEC, decode, encode, UnencodableValue, type ValueKind } from '../../src/crypto/codec.js'

const bytesOf = (kind: ValueKind, value: unknown) => Buffer.from(encode(kind, value) as string)
const again = (kind: ValueKind, value: unknown) => decode(kind, bytesOf(kind, value))

const circle: unknown[] = []
circle.push({ back: circle })
const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown
const endless = { toJSON: (): unknown => [endless] }

class Custom {
  readonly secret = 'Ada'
}

const REFUSED: readonly [ValueKind, unknown, string][] = [
  ['String', 'a\ud800', 'has a lone surrogate'],
  ['String', '\udc00a', 'has a lone surrogate'],
  ['String', 1, 'must be a string, not a number'],
  ['String', null, 'must be a string, not null'],
  ['String', undefined, 'must be a string, not a value of type undefined'],
  ['String', Object('Ada'), 'must be a string, not an object of class String'],
  ['Bytes', 'Ada', 'must be a Uint8Array, not a value of type string'],
  ['Bytes', [1, 2], 'must be a Uint8Array, not an array'],
  ['Bytes', new ArrayBuffer(2), 'must be a Uint8Array, not an object of class ArrayBuffer'],
  ['Bytes', new Uint16Array(2), 'must be a Uint8Array, not an object of class Uint16Array'],
  ['Json', undefined, 'type undefined'],
  ['Json', () => 1, 'type function'],
  ['Json', Symbol('Ada'), 'type symbol'],
  ['Json', 1n, 'type bigint'],
  ['Json', Number.NaN, 'a number that is not finite'],
  ['Json', [Number.NEGATIVE_INFINITY], 'a number that is not finite'],
  ['Json', [undefined], 'type undefined'],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested
  ['Json', [1, , 2], 'type undefined'],
  ['Json', { a: { b: 1n } }, 'type bigint'],
  ['Json', { a: () => 1 }, 'type function'],
  ['Json', { a: new Date(Number.NaN) }, 'an invalid Date'],
  ['Json', new Map([[1, 2]]), 'class Map'],
  ['Json', [new Set()], 'class Set'],
  ['Json', /Ada/, 'class RegExp'],
  ['Json', new Custom(), 'class Custom'],
  ['Json', Object('Ada'), 'class String'],
  ['Json', Buffer.from('Ada'), 'class Buffer'],
  ['Json', { scan: new Uint8Array(1) }, 'class Uint8Array'],
  ['Json', { toJSON: () => Buffer.from('Ada') }, 'class Buffer'],
  ['Json', 'a\ud800', 'has a lone surrogate'],
  ['Json', { 'a\udfff': 1 }, 'has a lone surrogate'],
  ['Json', circle, 'holds itself'],
  ['Json', endless, 'nested too deeply'],
  ['Json', deep, 'nested too deeply'],
]

describe('encode', () => {
  it.each(REFUSED.map(([kind, value, reason]) => ({ kind, value, reason })))(
    'refuses for a field of type $kind what $reason',
    ({ kind, value, reason }) => {
      const attempt = () => encode(kind, value)
      expect(attempt).toThrow(UnencodableValue)
      expect(attempt).toThrow(reason)
    },
  )

  it('never names a value in the reason, not even one that poses as a class', () => {
    const posing = Object.assign(new Custom(), { constructor: { name: 'Ada' } })
    for (const [kind, value] of [
      ['Bytes', { constructor: { name: 'Ada' } }],
      ['String', posing],
      ['Json', posing],
      ['Json', { Ada: ['Ada', 1n] }],
      ['Json', 'Ada\ud800'],
    ] as const) {
      expect(() => encode(kind, value)).toThrow(/^(?!.*Ada)/)
    }
  })

  it('calls toJSON, leaves out undefined properties, and takes literals of every realm', () => {
    expect(again('Json', { at: new Date(0), gone: undefined })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(again('Json', runInNewContext('({ a: [1, { b: null }] })'))).toEqual({ a: [1, { b: null }] })
    expect(again('Json', Object.assign(Object.create(null), { a: 1 }))).toEqual({ a: 1 })
    expect(bytesOf('Json', -0).toString('latin1')).toBe('\x020')
  })

  it('takes the same object twice side by side', () => {
    const shared = { a: 1 }
    expect(again('Json', [shared, shared, { shared }])).toEqual([shared, shared, { shared }])
  })

  it("keeps a property called __proto__ a property, and the caller's objects as they were", () => {
    const value = JSON.parse('{"__proto__": {"admin": true}, "a": [1]}') as object
    Object.freeze(value)
    const back = again('Json', value) as object
    expect(Object.keys(back)).toEqual(['__proto__', 'a'])
    expect('admin' in back).toBe(false)
  })
})

describe('decode', () => {
  it.each<[string, ValueKind, string]>([
    ['nothing', 'String', ''],
    ['another codec', 'String', '0161'],
    ['another codec', 'Bytes', '0061'],
    ['another codec', 'Json', '0031'],
    ['an unknown codec', 'String', '0361'],
    ['UTF-8 that is not', 'String', '00ff'],
    ['UTF-8 of a lone surrogate', 'String', '00eda080'],
    ['UTF-8 that is not', 'Json', '0222ff22'],
    ['JSON that is not', 'Json', '02416461'],
    ['no JSON', 'Json', '02'],
  ])('gives undefined, without a word of it, for %s as %s', (_, kind, hex) => {
    expect(decode(kind, Buffer.from(hex, 'hex'))).toBeUndefined()
  })

  it('gives every string again, the empty one and a byte order mark too', () => {
    for (const text of ['', '\ufeff', '\ufeffa', '\0']) expect(again('String', text)).toBe(text)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(again('String', text)).toBe(text)
      }),
    )
  })

  it('gives all bytes again, as a Uint8Array of its own', () => {
    expect(again('Bytes', new Uint8Array(0))).toEqual(new Uint8Array(0))
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const back = again('Bytes', bytes) as Uint8Array
        expect(back).toEqual(bytes)
        expect([back.constructor, back.buffer.byteLength]).toEqual([Uint8Array, bytes.length])
      }),
    )
  })

  it('gives every JSON value again', () => {
    const values = fc.jsonValue({ stringUnit: 'binary' })
    fc.assert(
      fc.property(values, (value) => {
        expect(again('Json', value)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(bytesOf('Json', value).toString('utf8', 1)).toBe(JSON.stringify(value))
      }),
    )
  })

  it('begins the plaintext with the codec', () => {
    expect(bytesOf('String', '')).toEqual(Buffer.of(CODEC.string))
    expect(bytesOf('Bytes', Buffer.alloc(0))).toEqual(Buffer.of(CODEC.bytes))
    expect(bytesOf('Json', null).toString('hex')).toBe('026e756c6c')
  })
})
