import { Buffer } from 'node:buffer'
import type { Dice } from '../../differential/dice.js'
import { isToken } from '../../differential/values.js'
import { type Column, type Kind, LEVELS } from './schema.js'

/*
 * Values that JSON cannot write are written as `{ $kind: … }`, so that a case can be printed and run again, and each data
 * source gets objects of its own.
 */

const token = (kind: string, value: unknown) => ({ [`$${kind}`]: value })

/** In no form that PostgreSQL would give back in another. */
const POOLS: { readonly [kind in Kind]: readonly unknown[] } = {
  String: ['a', 'A', 'b', '', ' a', 'fs1.', "o'hara", '[sealed]', '\u{1f511}é', 'x'.repeat(70)],
  Int: [0, 1, 2, 3, -7, 2_147_483_647],
  BigInt: ['0', '1', '-2', '9007199254740993'].map((text) => token('bigint', text)),
  Float: [0, 0.5, -1.25, 1e21, 3],
  Decimal: ['0', '1.1', '-2.5', '12345678901234.5678'],
  Boolean: [true, false],
  DateTime: ['2026-01-01T00:00:00.000Z', '1815-12-10T00:00:00.000Z', '2026-01-01T00:00:00.001Z'].map((text) =>
    token('date', text),
  ),
  Enum: LEVELS,
  Json: [0, false, '', 'a', [], {}, { a: [1, { b: null }] }, [null], { value: 'x' }].map((json) => token('json', json)),
  Bytes: ['', '00', '66733100', 'ffee'].map((hex) => token('bytes', hex)),
  Uuid: ['1', '2', '3', '4'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`),
}

const KEYS = { Int: [1, 2, 3, 4, 5], String: ['k1', 'k2', 'k3', 'k4'], Uuid: POOLS.Uuid }

export const OTHER_TENANT = 'globex'
const TENANTS = [...Array.from({ length: 40 }, () => 'acme'), OTHER_TENANT]

export function keyValues(kind: keyof typeof KEYS): readonly unknown[] {
  return KEYS[kind]
}

/** A value of a column, from a few, so that values meet. */
export function someValue(dice: Dice, { kind, tenant, list, path }: Column): unknown {
  if (tenant) return dice.of(TENANTS)
  if (path === 'id') return dice.of(keyValues(kind as 'Int'))
  if (list) return dice.list(0, 3, () => dice.of(POOLS[kind]))
  return dice.of(POOLS[kind])
}

/** Another one at each position, as long as there are any. */
export function valueAt({ kind }: Column, position: number): unknown {
  return POOLS[kind][position % POOLS[kind].length]
}

/** What its column cannot hold. */
export function wrongValue({ kind }: Column): unknown {
  if (kind === 'Int') return 2 ** 40
  return kind === 'Enum' ? 'nowhere' : undefined
}

/** The value that TypeORM takes, in new objects. */
export function made(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(made)
  if (typeof value !== 'object' || value === null) return value
  if (!isToken(value)) return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, made(element)]))
  const [[kind, content] = ['', undefined]] = Object.entries(value)
  switch (kind) {
    case '$bigint':
      return BigInt(content as string)
    case '$date':
      return new Date(content as string)
    case '$bytes':
      return Buffer.from(content as string, 'hex')
    case '$json':
      return structuredClone(content)
    default:
      throw new Error(`no such value: ${kind}`)
  }
}
