import type { RangeKind } from '../crypto/tokens/units.js'
import type { AnnotatedModel } from './annotatedModel.js'
import { boundDefault, boundType } from './boundColumnRules.js'
import { type DatamodelField, type DatamodelModel, idFields, indexTypesOf } from './datamodel.js'
import { contextOf } from './encryptedRules.js'
import type {
  BlindIndexSchema,
  BoundColumnSchema,
  EncryptedFieldSchema,
  ModelSchema,
  RelationSchema,
  StorageType,
  TokenIndexSchema,
} from './encryptionSchema.js'
import { encryptedSource } from './indexSource.js'
import { rangeBounds } from './rangeBounds.js'
import { enumOf, type ValueSubject, valueTypeOf } from './valueRules.js'

type ModelFacts = ValueSubject['facts']

/** What the run time needs of a model that passed every check. */
export function modelSchema(annotated: AnnotatedModel, facts: ModelFacts): ModelSchema {
  const { model, tenants } = annotated
  const columns = model.fields.filter(({ kind }) => kind === 'scalar' || kind === 'enum')
  return {
    ...(model.schema ? { schema: model.schema } : {}),
    table: model.dbName ?? model.name,
    id: idFields(model),
    uniques: record(compoundUniques(model)),
    columns: record(columns.map(({ name, dbName }) => [name, dbName ?? name])),
    ...(tenants[0] === undefined ? {} : tenantColumn(tenants[0])),
    encrypted: record(encryptedFields(annotated, facts)),
    indexes: record(blindIndexes(annotated, facts)),
    ...(annotated.tokenIndexes.length === 0 ? {} : { tokenIndexes: record(tokenIndexes(annotated, facts)) }),
    bound: record(boundColumns(annotated)),
    relations: record(relations(model)),
  }
}

function tenantColumn(field: DatamodelField): Pick<ModelSchema, 'tenant' | 'tenantType' | 'tenantLength'> {
  const length = lengthOf(field)
  return {
    tenant: field.name,
    ...(field.nativeType?.[0] === 'Uuid' ? { tenantType: 'Uuid' } : {}),
    ...(length === undefined ? {} : { tenantLength: length }),
  }
}

/** The number in `@db.VarChar(36)`. */
function lengthOf({ nativeType }: DatamodelField): number | undefined {
  const [name, [length] = []] = nativeType ?? []
  return name === 'VarChar' && length !== undefined ? Number(length) : undefined
}

/** Prisma selects by a single field under that field's own name, whatever its `@@id` or `@@unique` is called. */
function compoundUniques({ primaryKey, uniqueIndexes }: DatamodelModel): [string, readonly string[]][] {
  const uniques = primaryKey === null ? uniqueIndexes : [primaryKey, ...uniqueIndexes]
  return uniques.filter(({ fields }) => fields.length > 1).map(({ name, fields }) => [name ?? fields.join('_'), fields])
}

function encryptedFields(owner: AnnotatedModel, facts: ModelFacts): [string, EncryptedFieldSchema][] {
  return owner.encrypted.map((encrypted) => {
    const { field, options } = encrypted
    const type = field.type as StorageType
    const context = contextOf(owner, encrypted)
    const values = valuesOf({ ...encrypted, facts })
    return [field.name, { type, required: field.isRequired, ...values, context, bind: options.bind }]
  })
}

/** What a field holds, where that is not simply what its column holds: plain fields keep their few keys. */
function valuesOf(subject: ValueSubject): Partial<EncryptedFieldSchema> {
  const { field, options } = subject
  const value = valueTypeOf(subject)
  return {
    ...(value === field.type ? {} : { value }),
    ...(value === 'Enum' ? { enum: enumOf(subject)!.values.map(({ name }) => name) } : {}),
    ...(field.isList ? { list: true as const } : {}),
    ...(options.pad === undefined ? {} : { pad: options.pad }),
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.mode === 'kms' ? { mode: 'kms' as const } : {}),
    ...(options.mask === undefined ? {} : { mask: options.mask }),
  }
}

function blindIndexes({ model, indexes }: AnnotatedModel, facts: ModelFacts): [string, BlindIndexSchema][] {
  return indexes.map(({ field, options }) => {
    const { sources, normalize, scope, bits } = options
    const type = field.type as BlindIndexSchema['type']
    const unique = isUniqueAlone(model, field) ? { unique: true as const } : {}
    const partly = isPartlyUnique(model, field, facts) ? { partlyUnique: true as const } : {}
    return [field.name, { type, sources, normalize, scope, bits, ...unique, ...partly }]
  })
}

function tokenIndexes(owner: AnnotatedModel, facts: ModelFacts): [string, TokenIndexSchema][] {
  return owner.tokenIndexes.map(({ field, options }) => {
    const source = options.source!
    const { kind, scope } = options
    if (kind === 'text') return [field.name, { kind, source, ...options.parts, normalize: options.normalize, scope }]
    const values = valueTypeOf({ ...encryptedSource(owner, source)!, facts }) as RangeKind
    return [field.name, { kind, source, ...rangeBounds(options.range!, values), scope }]
  })
}

function isUniqueAlone({ uniqueIndexes }: DatamodelModel, { name, isUnique }: DatamodelField): boolean {
  return isUnique || uniqueIndexes.some(({ fields }) => fields.length === 1 && fields[0] === name)
}

/** Prisma and TypeORM do not count indexes with a condition among those that are unique. */
function isPartlyUnique(model: DatamodelModel, { name, isUnique }: DatamodelField, { datamodel }: ModelFacts): boolean {
  const isWhole = isUnique || model.uniqueIndexes.some(({ fields }) => fields.includes(name))
  return !isWhole && indexTypesOf(datamodel, model.name, name).includes('unique')
}

function boundColumns({ model, encrypted }: AnnotatedModel): [string, BoundColumnSchema][] {
  const names = new Set(encrypted.flatMap(({ options }) => options.bind))
  const columns = model.fields.filter(({ name }) => names.has(name))
  return columns.map((column) => {
    const type = boundType(column)!
    const made = boundDefault(column)
    const length = lengthOf(column)
    return [
      column.name,
      { type, ...(length === undefined ? {} : { length }), ...(made === undefined ? {} : { default: made }) },
    ]
  })
}

function relations({ fields }: DatamodelModel): [string, RelationSchema][] {
  const objects = fields.filter(({ kind }) => kind === 'object')
  return objects.map(({ name, type, isList, relationName, relationFromFields = [], relationToFields = [] }) => [
    name,
    { model: type, relationName: relationName!, list: isList, from: relationFromFields, to: relationToFields },
  ])
}

function record<T>(entries: [string, T][]): { readonly [name: string]: T } {
  return Object.fromEntries(entries)
}
