import { decimal, isDecimal } from '../../crypto/decimal.js'
import { UnencodableValue } from '../../crypto/unencodable.js'
import type { FieldPlan } from '../../plan/plan.js'
import { isAbsent, isPlainObject, nullKind } from '../values.js'

/**
 * A value of a field as Prisma understands it where it is JSON: JSON null, a Decimal that is all of it as a number, and
 * under strictUndefinedChecks what is left out only by `Prisma.skip`.
 *
 * @throws {UnencodableValue}
 */
export function jsonValue({ kind, strict }: Pick<FieldPlan, 'kind' | 'strict'>, value: unknown): unknown {
  if (kind !== 'Json') return value
  if (nullKind(value) === 'JsonNull') return null
  if (isDecimal(value)) return exactNumber(value)
  return strict ? withoutSkipped(value) : value
}

/** Inside of JSON, Prisma writes a Decimal as a text. */
function exactNumber(value: object): number {
  const text = decimal(value)
  const number = Number(text)
  if (Number.isFinite(number) && decimal(number) === text) return number
  throw new UnencodableValue('is a Decimal that a number in JSON would round: write its text')
}

function withoutSkipped(value: unknown): unknown {
  try {
    return written(value)
  } catch (error) {
    if (error instanceof RangeError) throw new UnencodableValue('is nested too deeply for JSON, or holds itself')
    throw error
  }
}

function written(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(written)
  if (!isPlainObject(value)) return value
  const entries = Object.entries(value).filter(([, part]) => part === undefined || !isAbsent(part))
  if (entries.some(([, part]) => part === undefined))
    throw new UnencodableValue('holds undefined, which strictUndefinedChecks refuses: leave it out, or use Prisma.skip')
  return Object.fromEntries(entries.map(([key, part]) => [key, written(part)]))
}
