/**
 * The part of Prisma's data model (DMMF, as generators receive it) that this library reads, by structure: no Prisma
 * package is imported. Fields with `@ignore` or of an `Unsupported` type, and models with `@@ignore`, are not in it.
 */
export interface Datamodel {
  readonly models: readonly DatamodelModel[]
  readonly enums: readonly DatamodelEnum[]
  readonly indexes: readonly DatamodelIndex[]
}

export interface DatamodelModel {
  readonly name: string
  readonly dbName: string | null
  /** The database schema (`@@schema`). */
  readonly schema?: string | null
  readonly fields: readonly DatamodelField[]
  readonly uniqueIndexes: readonly DatamodelUnique[]
  readonly primaryKey: DatamodelUnique | null
  readonly documentation?: string
}

export interface DatamodelUnique {
  readonly name: string | null
  readonly fields: readonly string[]
}

export interface DatamodelField {
  readonly name: string
  readonly kind: 'scalar' | 'object' | 'enum' | 'unsupported'
  readonly type: string
  readonly isList: boolean
  readonly isRequired: boolean
  readonly isUnique: boolean
  readonly isId: boolean
  readonly isUpdatedAt?: boolean
  readonly hasDefaultValue: boolean
  readonly default?: DatamodelDefault
  readonly nativeType?: readonly [string, readonly string[]] | null
  /** The type as the ORM's users write it, where that is not as Prisma's do. */
  readonly written?: string
  readonly dbName?: string | null
  readonly relationName?: string | null
  readonly relationFromFields?: readonly string[]
  readonly relationToFields?: readonly string[]
  readonly relationOnUpdate?: string
  readonly documentation?: string
}

export type DatamodelScalar = string | number | boolean

export type DatamodelDefault =
  | DatamodelScalar
  | readonly DatamodelScalar[]
  | { readonly name: string; readonly args: readonly (string | number)[] }

export interface DatamodelEnum {
  readonly name: string
  readonly values: readonly { readonly name: string; readonly documentation?: string }[]
  readonly documentation?: string
}

export interface DatamodelIndex {
  readonly model: string
  readonly type: 'id' | 'normal' | 'unique' | 'fulltext'
  readonly fields: readonly { readonly name: string }[]
}

/** The fields of the primary key, in order; empty when there is none. */
export function idFields(model: DatamodelModel): readonly string[] {
  return model.primaryKey?.fields ?? model.fields.filter((field) => field.isId).map((field) => field.name)
}

/** The relation of `model` whose foreign key contains the field. */
export function relationOver(model: DatamodelModel, field: string): DatamodelField | undefined {
  return model.fields.find((relation) => relation.relationFromFields?.includes(field))
}

/** `Model.field` of a relation that refers to the field. */
export function referenceTo(datamodel: Datamodel, model: string, field: string): string | undefined {
  for (const other of datamodel.models) {
    const relation = other.fields.find(
      ({ type, relationToFields }) => type === model && relationToFields?.includes(field),
    )
    if (relation !== undefined) return `${other.name}.${relation.name}`
  }
  return undefined
}

/** The kinds of index that the field is a member of, its own `@id` and `@unique` included. */
export function indexTypesOf(datamodel: Datamodel, model: string, field: string): DatamodelIndex['type'][] {
  return datamodel.indexes
    .filter((index) => index.model === model && index.fields.some(({ name }) => name === field))
    .map((index) => index.type)
}

/** The type as the schema writes it: `String @db.VarChar(10)`. */
export function writtenType(field: DatamodelField): string {
  const type = `${field.type}${field.isList ? '[]' : field.isRequired ? '' : '?'}`
  return field.nativeType ? `${type} ${writtenNativeType(field)}` : type
}

/** `@db.VarChar(10)`, or nothing. */
export function writtenNativeType(field: DatamodelField): string {
  if (!field.nativeType) return ''
  const [name, args] = field.nativeType
  return args.length === 0 ? `@db.${name}` : `@db.${name}(${args.join(', ')})`
}

/** The name of a default that is a function (`uuid`, `now`, …), or `constant`. */
export function defaultKind(field: DatamodelField): string | undefined {
  if (!field.hasDefaultValue) return undefined
  const value = field.default
  return typeof value === 'object' && 'name' in value ? value.name : 'constant'
}
