import type { EntityMetadata } from 'typeorm'
import { own } from '../../own.js'
import type {
  Datamodel,
  DatamodelDefault,
  DatamodelField,
  DatamodelIndex,
  DatamodelModel,
  DatamodelUnique,
} from '../../schema/datamodel.js'
import { type ColumnMetadata, columnsOf, pathsOf } from './metadata.js'
import { relationFields } from './relationFields.js'

/** An entity as the rules of schemas see models. */
export interface EntityModel extends DatamodelModel {
  readonly entity: EntityMetadata
  readonly fields: readonly EntityField[]
}

/** A property of an entity, named by its path: `profile.phone`. */
export interface EntityField extends DatamodelField {
  /** Absent in relations. */
  readonly column?: ColumnMetadata
}

export function entityModel(entity: EntityMetadata): EntityModel {
  const primary = pathsOf(entity.primaryColumns)
  return {
    name: entity.name,
    dbName: entity.tableName,
    schema: entity.schema ?? null,
    entity,
    fields: [...columnsOf(entity).map(columnField), ...relationFields(entity)],
    uniqueIndexes: uniquesOf(entity),
    primaryKey: primary.length > 1 ? { name: null, fields: primary } : null,
  }
}

export function datamodelOf(models: readonly EntityModel[], enums: Datamodel['enums']): Datamodel {
  return { models, enums, indexes: models.flatMap(({ entity }) => indexesOf(entity)) }
}

export function columnField(column: ColumnMetadata): EntityField {
  const type = databaseType(column)
  const [scalar, native] = own(SCALARS, type) ?? [type]
  const value = defaultOf(column)
  return {
    name: column.propertyPath,
    dbName: column.databaseName,
    kind: type === 'enum' ? 'enum' : 'scalar',
    type: scalar,
    nativeType: native === undefined ? null : [native, column.length ? [column.length] : []],
    written: `${type}${column.length ? `(${column.length})` : ''}${column.isArray ? '[]' : ''}`,
    isList: column.isArray,
    isRequired: !column.isNullable,
    isUnique: false,
    isId: column.isPrimary,
    isUpdatedAt: column.isUpdateDate || column.isVersion,
    hasDefaultValue: value !== undefined,
    ...(value === undefined ? {} : { default: value }),
    column,
  }
}

/** PostgreSQL's name of a column's type. */
function databaseType({ entityMetadata, type, length }: ColumnMetadata): string {
  const { driver } = entityMetadata.dataSource ?? entityMetadata.connection
  return driver.normalizeType({ type, length })
}

/** Types of PostgreSQL and what Prisma calls them and their columns, which is what the rules know. */
const SCALARS: { readonly [type: string]: readonly [scalar: string, native: string] } = {
  text: ['String', 'Text'],
  'character varying': ['String', 'VarChar'],
  character: ['String', 'Char'],
  citext: ['String', 'Citext'],
  uuid: ['String', 'Uuid'],
  integer: ['Int', 'Integer'],
  smallint: ['Int', 'SmallInt'],
  bigint: ['BigInt', 'BigInt'],
  'double precision': ['Float', 'DoublePrecision'],
  real: ['Float', 'Real'],
  numeric: ['Decimal', 'Decimal'],
  boolean: ['Boolean', 'Boolean'],
  date: ['DateTime', 'Date'],
  'timestamp without time zone': ['DateTime', 'Timestamp'],
  'timestamp with time zone': ['DateTime', 'Timestamptz'],
  bytea: ['Bytes', 'ByteA'],
  json: ['Json', 'Json'],
  jsonb: ['Json', 'JsonB'],
}

/** Defaults are the database's own here; a constant is told from what it computes. */
function defaultOf(column: ColumnMetadata): DatamodelDefault | undefined {
  if (column.isGenerated || column.asExpression !== undefined) return COMPUTED
  const { default: value } = column
  if (value === undefined || value === null) return undefined
  return typeof value === 'function' ? COMPUTED : String(value)
}

const COMPUTED: DatamodelDefault = { name: 'dbgenerated', args: [] }

function uniquesOf({ uniques, indices }: EntityMetadata): DatamodelUnique[] {
  const indexes = indices.filter(({ isUnique, where }) => isUnique && !where)
  return [...uniques, ...indexes].map(({ columns }) => ({ name: null, fields: pathsOf(columns) }))
}

function indexesOf({ name, primaryColumns, uniques, indices }: EntityMetadata): DatamodelIndex[] {
  const index = (type: DatamodelIndex['type'], columns: readonly ColumnMetadata[]): DatamodelIndex => {
    return { model: name, type, fields: pathsOf(columns).map((path) => ({ name: path })) }
  }
  return [
    index('id', primaryColumns),
    ...uniques.map(({ columns }) => index('unique', columns)),
    ...indices.map(({ columns, isUnique }) => index(isUnique ? 'unique' : 'normal', columns)),
  ]
}
