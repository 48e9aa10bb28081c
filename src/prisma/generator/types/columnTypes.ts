import type { StorageType } from '../../../schema/encryptionSchema.js'
import { columnType } from './valueTypes.js'

/** A column as Prisma sees it. */
export interface Column {
  readonly model: string
  readonly field: string
  readonly type: StorageType
  readonly nullable: boolean
  readonly list: boolean
}

/** What Prisma 7.10 writes for a column, in each kind of declaration. */
export interface ColumnTypes {
  readonly read: string
  readonly create: string
  readonly update: string
  readonly where: string
  readonly having: string
  /** Where null has a place in the order. */
  readonly order: string
  readonly reference: string
}

/** Works out what must stand in the generated client, so that nothing is replaced that was not understood. */
export function columnTypes(column: Column): ColumnTypes {
  const { model, field, type, list, nullable } = column
  const orNull = nullable ? ' | null' : ''
  const Null = nullable ? 'Nullable' : ''
  const one = columnType(type)
  const many = `${one.write}[]`
  const json = `Prisma.${Null}JsonNullValueInput | ${one.write}`
  const write = type === 'Json' && !list ? json : one.write + orNull
  const filter = (kind: string) =>
    `Prisma.${type}${Null}${kind}<"${model}">${type === 'Json' ? '' : ` | ${one.write}${orNull}`}`
  const listFilter = `Prisma.${type}NullableListFilter<"${model}">`
  return {
    read: list ? `${one.read}[]` : one.read + orNull,
    create: list ? `Prisma.${model}Create${field}Input | ${many}` : write,
    update: list ? `Prisma.${model}Update${field}Input | ${many}` : updateType(column, write),
    where: list ? listFilter : filter('Filter'),
    having: list ? listFilter : filter('WithAggregatesFilter'),
    order: nullable ? 'Prisma.SortOrderInput | Prisma.SortOrder' : 'Prisma.SortOrder',
    reference: `Prisma.FieldRef<"${model}", '${type}${list ? '[]' : ''}'>`,
  }
}

function updateType({ type, nullable }: Column, write: string): string {
  return type === 'Json' ? write : `Prisma.${nullable ? 'Nullable' : ''}${type}FieldUpdateOperationsInput | ${write}`
}
