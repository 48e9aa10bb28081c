import { uuidOfHex } from '../crypto/header.js'
import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { BoundColumnSchema } from '../schema/encryptionSchema.js'
import { makeDefault } from './clientDefault.js'
import type { FieldPlan, ModelPlan } from './plan.js'
import { isAbsent, isPlainObject } from './values.js'

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

/** Makes the client-side defaults of bound columns that the data leaves out, as Prisma would have a moment later. */
export function fillBoundDefaults(plan: ModelPlan, data: Record<string, unknown>): void {
  for (const [column, { default: maker }] of plan.bound) {
    if (maker && isAbsent(own(data, column))) data[column] = makeDefault(maker)
  }
}

/** Whether an update writes the value that a column has anyway. */
export function sameBound(plan: ModelPlan, column: string, value: unknown, fixed: unknown): boolean {
  const type = plan.bound.get(column)?.type
  if (!type) return fixed !== undefined && value === fixed
  const text = canonical(type, value)
  return text !== undefined && text === canonical(type, fixed)
}

/** The column values that a unique `where` fixes: its equalities at the top level and in compound selectors. */
export function fixedBy(plan: ModelPlan, where: unknown): KnownValues {
  if (!isPlainObject(where)) return {}
  const known = Object.entries(where).flatMap(([key, condition]): [string, unknown][] => {
    if (!isPlainObject(condition)) return [[key, condition]]
    if (plan.uniques.has(key)) return Object.entries(condition)
    return [[key, isExact(condition) ? condition.equals : undefined]]
  })
  return Object.fromEntries(known)
}

/** The row may have the value in other letters than the filter. */
function isExact({ mode }: Record<string, unknown>): boolean {
  return isAbsent(mode) || mode === 'default'
}
