import { uuidOfHex } from '../crypto/header.js'
import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { FieldPlan, ModelPlan } from '../plan/plan.js'
import type { BoundColumnSchema } from '../schema/encryptionSchema.js'

/** Values of columns by field name, as far as they are known. */
export type KnownValues = { readonly [field: string]: unknown }

const UUID_HEX = /^[0-9a-f]{32}$/

/** The one text of a bound value that goes into the AAD, however the caller or the database wrote it. */
function canonical(type: BoundColumnSchema['type'], value: unknown): string | undefined {
  switch (type) {
    case 'String':
      return typeof value === 'string' ? value : undefined
    case 'Uuid':
      return typeof value === 'string' ? canonicalUuid(value) : undefined
    case 'Int':
    case 'BigInt':
      return typeof value === 'bigint' || Number.isSafeInteger(value) ? String(value) : undefined
  }
}

/** PostgreSQL takes a UUID in any case, with braces and with hyphens left out, and returns it in one form. */
function canonicalUuid(value: string): string | undefined {
  const hex = value.toLowerCase().replace(/[{}-]/g, '')
  return UUID_HEX.test(hex) ? uuidOfHex(hex) : undefined
}

const NONE: readonly string[] = []

/**
 * The canonical texts of a field's bound columns.
 *
 * @throws FieldsealError `BOUND_VALUE_MISSING` when one is not known; `where` says how to make it known
 */
export function boundTexts(plan: ModelPlan, field: FieldPlan, values: KnownValues, where: string): readonly string[] {
  if (field.bind.length === 0) return NONE
  return field.bind.map((column) => {
    const text = canonical(plan.bound.get(column)!.type, own(values, column))
    if (text !== undefined) return text
    const message = `${field.name} is bound to ${column}, whose value is not known here: ${where}`
    throw new FieldsealError('BOUND_VALUE_MISSING', message)
  })
}

/** Whether an update writes the value that a column has anyway. */
export function sameBound(plan: ModelPlan, column: string, value: unknown, fixed: unknown): boolean {
  const type = plan.bound.get(column)?.type
  if (!type) return fixed !== undefined && value === fixed
  const text = canonical(type, value)
  return text !== undefined && text === canonical(type, fixed)
}
