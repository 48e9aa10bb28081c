import { canonicalUuid } from '../crypto/uuid.js'
import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { FieldPlan, ModelPlan } from '../plan/plan.js'
import type { BoundColumnSchema } from '../schema/encryptionSchema.js'

/** Values of columns by field name, as far as they are known. */
export type KnownValues = { readonly [field: string]: unknown }

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

const NONE: readonly string[] = []

/**
 * The canonical texts of a field's bound columns.
 *
 * @throws FieldsealError `BOUND_VALUE_MISSING` when one is not known; `where` says how to make it known; `VALUE_INVALID`
 * for one that its column would shorten
 */
export function boundTexts(plan: ModelPlan, field: FieldPlan, values: KnownValues, where: string): readonly string[] {
  if (field.bind.length === 0) return NONE
  return field.bind.map((column) => {
    const { type, length } = plan.bound.get(column)!
    const text = canonical(type, own(values, column))
    if (text !== undefined && length !== undefined && [...text].length > length) throw tooLong(field, column, length)
    if (text !== undefined) return text
    const message = `${field.name} is bound to ${column}, whose value is not known here: ${where}`
    throw new FieldsealError('BOUND_VALUE_MISSING', message)
  })
}

/** PostgreSQL cuts off blanks that do not fit, without an error. */
function tooLong({ name }: FieldPlan, column: string, length: number): FieldsealError {
  const message = `${name} is bound to ${column}, which holds ${length} characters: a longer value would not be stored as it is`
  return new FieldsealError('VALUE_INVALID', message)
}

/** Whether an update writes the value that a column has anyway. */
export function sameBound(plan: ModelPlan, column: string, value: unknown, fixed: unknown): boolean {
  const type = plan.bound.get(column)?.type
  if (!type) return fixed !== undefined && value === fixed
  const text = canonical(type, value)
  return text !== undefined && text === canonical(type, fixed)
}
