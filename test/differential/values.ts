import { Buffer } from 'node:buffer'
import type { Dice } from './dice.js'
import { type Column, type Kind, LEVELS } from './schema.js'

/*
 * Values that JSON cannot write are written as `{ $kind: … }`, so that a case can be printed, pasted and run again, and
 * each client gets objects of its own.
 */

const token = (kind: string, value: unknown) => ({ [`$${kind}`]: value })

export const UNDEFINED = token('undefined', true)
export const DB_NULL = token('null', 'DbNull')
export const JSON_NULL = token('null', 'JsonNull')
export const ANY_NULL = token('null', 'AnyNull')
export const reference = (model: string, field: string) => token('reference', `${model}.${field}`)

const POOLS = {
  String: ['a', 'A', 'b', '', ' a', 'fs1.', 'null', '\u{1f511}é', 'Zoë', 'x'.repeat(70)],
  Uuid: ['1', '2', '3', '4'].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`),
  Int: [0, 1, 2, 3, -7, 2_147_483_647],
  BigInt: ['0', '1', '-2', '9007199254740993'].map((text) => token('bigint', text)),
  Float: [0, 0.5, -1.25, 1e21, 3],
  Decimal: ['0', '1.1', '-2.50', '12345678901234.5678'].map((text) => token('decimal', text)),
  Boolean: [true, false],
  DateTime: ['2026-01-01T00:00:00.000Z', '1815-12-10T00:00:00.000Z', '2026-01-01T00:00:00.001Z'].map((text) =>
    token('date', text),
  ),
  Enum: LEVELS,
  Bytes: ['', '00', '66733100', 'ffee', '0102030405'].map((text) => token('bytes', text)),
  Json: [0, false, '', 'a', [], {}, { set: 1 }, { equals: 'a' }, { a: [1, { b: null }] }, [null], { push: [1] }].map(
    (json) => token('json', json),
  ),
} as const satisfies { [kind in Kind]: readonly unknown[] }

export const OTHER_TENANT = 'globex'

/** Keys are few, so that rows meet. */
const KEYS: { readonly [kind: string]: readonly unknown[] } = {
  String: ['k1', 'k2', 'k3'],
  Uuid: POOLS.Uuid,
  Int: [1, 2, 3, 4],
}

export function keyValues(kind: Kind): readonly unknown[] {
  return KEYS[kind]!
}

/** The client's own tenant, and seldom another, whose rows are not for it. */
const TENANTS = [...Array.from({ length: 80 }, () => 'acme'), OTHER_TENANT]

/** A value of a column, from a few, so that values meet; wrong ones come by `wrongValue`. */
export function someValue(dice: Dice, { kind, tenant, list, name }: Column): unknown {
  if (tenant) return dice.of(TENANTS)
  if (list) return dice.list(0, 3, () => dice.of<unknown>(POOLS[kind]))
  if (name === 'rank') return dice.int(1, 3)
  const value = dice.of<unknown>(POOLS[kind])
  return dice.chance(0.1) ? otherForm(kind, value) : value
}

/** Prisma takes some values in more than one form. */
function otherForm(kind: Kind, value: unknown): unknown {
  if (isToken(value) && (kind === 'DateTime' || kind === 'Decimal')) return value.$date ?? value.$decimal
  return kind === 'BigInt' ? 3 : value
}

export function poolOf({ kind, tenant, name }: Column): readonly unknown[] {
  if (tenant) return TENANTS
  return name === 'rank' ? [1, 2, 3] : POOLS[kind]
}

/** What Prisma refuses in a column of this kind. */
export function wrongValue(dice: Dice, { kind }: Column): unknown {
  if (kind === 'Json') return token('null', 'AnyNull')
  return kind === 'Int' || kind === 'BigInt' || kind === 'Float' || kind === 'Decimal'
    ? {}
    : dice.of<unknown>([{}, 1.5])
}

/** What a client's own namespace has for tokens. */
export interface ClientValues {
  readonly DbNull: unknown
  readonly JsonNull: unknown
  readonly AnyNull: unknown
  readonly Decimal: new (text: string) => unknown
}

interface Making {
  readonly Prisma: ClientValues
  readonly fields: (model: string, field: string) => unknown
}

/** The value that Prisma takes, in new objects. */
export function made(value: unknown, making: Making): unknown {
  if (Array.isArray(value)) return value.map((element) => made(element, making))
  if (typeof value !== 'object' || value === null) return value
  const [[kind, content] = ['', undefined], ...others] = Object.entries(value)
  if (kind.startsWith('$') && others.length === 0) return madeToken(kind, content, making)
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, made(element, making)]))
}

function madeToken(kind: string, content: unknown, { Prisma, fields }: Making): unknown {
  switch (kind) {
    case '$undefined':
      return undefined
    case '$null':
      return Prisma[content as 'DbNull']
    case '$bigint':
      return BigInt(content as string)
    case '$decimal':
      return new Prisma.Decimal(content as string)
    case '$date':
      return new Date(content as string)
    case '$bytes':
      return new Uint8Array(Buffer.from(content as string, 'hex'))
    case '$json':
      return structuredClone(content)
    case '$reference':
      return fields(...((content as string).split('.') as [string, string]))
    default:
      throw new Error(`no such value: ${kind}`)
  }
}

export function isToken(value: unknown): value is { [kind: string]: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 1 &&
    Object.keys(value)[0]!.startsWith('$')
  )
}

export function isRecord(value: unknown): value is { [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isToken(value)
}

export function isNull(value: unknown): boolean {
  return value === null || (isToken(value) && value.$null === 'DbNull')
}

export function isAbsent(value: unknown): boolean {
  return value === undefined || (isToken(value) && value.$undefined === true)
}
