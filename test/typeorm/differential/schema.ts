import type { RangeIndexOptions, TextIndexOptions } from 'fieldseal/typeorm'

/*
 * Entities in words of their own. From them come two data sources: the plain one, with native columns, and the one that
 * encrypts.
 */

export type Kind =
  | 'String'
  | 'Int'
  | 'BigInt'
  | 'Float'
  | 'Decimal'
  | 'Boolean'
  | 'DateTime'
  | 'Enum'
  | 'Json'
  | 'Bytes'
  | 'Uuid'

export type TreeType = 'closure-table' | 'materialized-path' | 'nested-set' | 'adjacency-list'

export interface Schema {
  readonly entities: readonly Entity[]
}

export interface Entity {
  readonly name: string
  readonly declared: 'decorators' | 'EntitySchema'
  /** The entity that it extends, in whose table it is. */
  readonly parent?: string
  readonly tree?: TreeType
  /** Keeps the moment of its deletion, and its version. */
  readonly isSoft: boolean
  readonly id: 'Int' | 'String' | 'Uuid'
  readonly columns: Column[]
  readonly relations: Relation[]
  /** Indexes over several encrypted columns. */
  readonly groups: Group[]
}

export interface Column {
  /** Of an embedded object with the object's name before it. */
  readonly path: string
  readonly kind: Kind
  readonly nullable: boolean
  readonly list?: boolean
  /** Comes only where it is asked for. */
  readonly hidden?: boolean
  /** On the plain side; the other has it on the blind index. */
  readonly unique?: boolean
  readonly tenant?: boolean
  readonly secret?: Secret
}

export interface Secret {
  readonly storage: 'text' | 'bytea' | 'jsonb'
  readonly bind: readonly string[]
  readonly pad?: number
  /** Some of its rows are plaintext, or all that are written from now on. */
  readonly state?: 'migrating' | 'ejecting'
  /** The name that its ciphertexts have it by. */
  readonly as?: string
  readonly indexes: readonly Index[]
  readonly tokens?: Tokens
}

/** An index of several tokens for each value. */
export type Tokens = { readonly path: string } & (
  | { readonly kind: 'text'; readonly options: TextIndexOptions & { readonly prefix: readonly [1, number] } }
  /** A fine one tells all values apart. */
  | { readonly kind: 'range'; readonly options: RangeIndexOptions; readonly isFine: boolean }
)

export interface Index {
  readonly path: string
  readonly storage: 'text' | 'bytea'
  readonly scope: 'tenant' | 'global'
  readonly bits: number
  readonly unique: boolean
}

export interface Group {
  readonly path: string
  readonly sources: readonly string[]
}

export interface Relation {
  readonly field: string
  readonly kind: 'many-to-one' | 'one-to-many' | 'one-to-one' | 'many-to-many'
  readonly entity: string
  readonly inverse: string
  /** Has the foreign key, or names the table between. */
  readonly owning: boolean
  readonly lazy?: boolean
  readonly eager?: boolean
  readonly cascade?: boolean
  readonly onDelete?: 'CASCADE' | 'SET NULL'
}

export const LEVELS = ['low', 'mid', 'high'] as const

export function entityOf({ entities }: Schema, name: string): Entity {
  return entities.find((entity) => entity.name === name)!
}

/** The entity and what it extends. */
function lineage(schema: Schema, entity: Entity): Entity[] {
  return entity.parent ? [...lineage(schema, entityOf(schema, entity.parent)), entity] : [entity]
}

/** The columns of an entity, but its key, with those that it inherits. */
export function columnsOf(schema: Schema, name: string): Column[] {
  return lineage(schema, entityOf(schema, name)).flatMap(({ columns }) => columns)
}

export function relationsOf(schema: Schema, name: string): Relation[] {
  return lineage(schema, entityOf(schema, name)).flatMap(({ relations }) => relations)
}

export function groupsOf(schema: Schema, name: string): Group[] {
  return lineage(schema, entityOf(schema, name)).flatMap(({ groups }) => groups)
}

export function rootOf(schema: Schema, name: string): Entity {
  return lineage(schema, entityOf(schema, name))[0]!
}

/** With those of all entities in the same table. */
export function columnsOfTable(schema: Schema, name: string): Column[] {
  const root = rootOf(schema, name)
  return schema.entities.filter((entity) => rootOf(schema, entity.name) === root).flatMap(({ columns }) => columns)
}

/** The key is a column too. */
export function columnOf(schema: Schema, name: string, path: string): Column | undefined {
  if (path === 'id') return keyColumn(rootOf(schema, name))
  return columnsOf(schema, name).find((column) => column.path === path)
}

export function keyColumn({ id }: Entity): Column {
  return { path: 'id', kind: id, nullable: false }
}

export function relationOf(schema: Schema, name: string, field: string): Relation {
  return relationsOf(schema, name).find((relation) => relation.field === field)!
}

/** The columns of which rows may be plaintext. */
export function statedColumns(schema: Schema, name: string): Column[] {
  return columnsOf(schema, name).filter(({ secret }) => secret?.state)
}

export function isExact({ bits }: Index): boolean {
  return bits >= 128
}

export function isMany({ kind }: Relation): boolean {
  return kind === 'one-to-many' || kind === 'many-to-many'
}
