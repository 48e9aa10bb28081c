import type { EncryptedFieldSchema, StorageType, ValueType } from '../../../schema/encryptionSchema.js'

/** TypeScript for a value: as it is read, and as it may be written or searched for. */
interface ValueText {
  readonly read: string
  readonly write: string
}

/** What Prisma itself writes for a column of the type. */
const values = {
  String: both('string'),
  Int: both('number'),
  BigInt: { read: 'bigint', write: 'bigint | number' },
  Float: both('number'),
  Decimal: { read: 'runtime.Decimal', write: 'runtime.Decimal | runtime.DecimalJsLike | number | string' },
  Boolean: both('boolean'),
  DateTime: { read: 'Date', write: 'Date | string' },
  Json: { read: 'runtime.JsonValue', write: 'runtime.InputJsonValue' },
  Bytes: both('runtime.Bytes'),
} as const satisfies Record<Exclude<ValueType, 'Enum'>, ValueText>

/** The types of an encrypted field's values. */
export interface FieldTypes {
  /** A value, without null. */
  readonly value: ValueText
  readonly read: string
  readonly create: string
  readonly update: string
}

/**
 * The types of what a field holds, which may be another type than that of its column.
 *
 * @param enumName the enum's name in the schema, where the field holds one
 */
export function fieldTypes(field: EncryptedFieldSchema, enumName: string | undefined): FieldTypes {
  const item = valueText(field, enumName)
  const value = field.list ? { read: arrayOf(item.read), write: arrayOf(item.write) } : item
  const isJson = valueType(field) === 'Json' && !field.list
  const create = isJson ? jsonWrite(field, value.write) : value.write + orNull(field)
  const whole = isJson ? create : `{ set?: ${value.write}${orNull(field)} } | ${create}`
  return {
    value,
    read: value.read + orNull(field),
    create: field.list ? `{ set: ${value.write} } | ${create}` : create,
    update: whole,
  }
}

/** Whether the field holds the type of its column, so that Prisma's own types are right already. */
export function isPlainValue(field: EncryptedFieldSchema): boolean {
  return valueType(field) === field.type && !field.list
}

/** ` | null` for an optional field. */
export function orNull({ required }: EncryptedFieldSchema): string {
  return required ? '' : ' | null'
}

/** Prisma's type of a column that stores ciphertext. */
export function columnType(type: StorageType): ValueText {
  return values[type]
}

function valueType({ value, type }: EncryptedFieldSchema): ValueType {
  return value ?? type
}

function valueText(field: EncryptedFieldSchema, enumName: string | undefined): ValueText {
  const type = valueType(field)
  if (type !== 'Enum') return values[type]
  return both(enumName === undefined ? (field.enum ?? []).map((name) => `'${name}'`).join(' | ') : `$Enums.${enumName}`)
}

/** Null has two kinds, for which Prisma has names only where the schema has a Json column; other columns take it plain. */
function jsonWrite({ required, type }: EncryptedFieldSchema, write: string): string {
  if (required) return `typeof runtime.JsonNull | ${write}`
  return `typeof runtime.DbNull | typeof runtime.JsonNull | ${write}${type === 'Json' ? '' : ' | null'}`
}

/** Each kind of value its own array, as Prisma has it: `Date[] | string[]`. */
function arrayOf(type: string): string {
  return type
    .split(' | ')
    .map((each) => `${each}[]`)
    .join(' | ')
}

function both(type: string): ValueText {
  return { read: type, write: type }
}
