/*
 * A schema in its own words. From it come two Prisma schemas: the plain twin with native types and no annotations, and
 * the encrypted one.
 */

export type Kind =
  | 'String'
  | 'Uuid'
  | 'Int'
  | 'BigInt'
  | 'Float'
  | 'Decimal'
  | 'Boolean'
  | 'DateTime'
  | 'Enum'
  | 'Json'
  | 'Bytes'

export interface Schema {
  readonly models: readonly Model[]
}

export interface Model {
  readonly name: string
  readonly table?: string
  /** The fields of the primary key. */
  readonly id: readonly string[]
  readonly columns: Column[]
  readonly relations: Relation[]
  readonly uniques: Unique[]
  /** Indexes over several encrypted fields. */
  readonly groups: Group[]
}

export interface Column {
  readonly name: string
  readonly kind: Kind
  readonly optional: boolean
  readonly list?: boolean
  readonly column?: string
  /** In the plain twin; the encrypted one has it on the blind index. */
  readonly unique?: boolean
  readonly tenant?: boolean
  /** Belongs to a foreign key. */
  readonly foreign?: boolean
  readonly encrypted?: Encryption
}

export interface Encryption {
  readonly storage: 'String' | 'Bytes' | 'Json'
  readonly bind: readonly string[]
  readonly pad?: number
  readonly migrating?: boolean
  readonly indexes: readonly Index[]
  /** A text or range index, by the kind of the column. */
  readonly tokens?: TokenIndex
}

export interface TokenIndex {
  readonly column: string
  readonly scope: 'tenant' | 'global'
}

/** What token indexes of a kind can be asked: by their lengths, or by their steps. */
export const TEXT_PARTS = { prefix: [1, 3], suffix: [1, 2], grams: 2 } as const
export const RANGES: { readonly [kind in Kind]?: string } = {
  Int: 'min: -10, max: 2_147_483_647, sparsity: 3',
  BigInt: 'min: -1_000, max: "9007199254740993", step: 4_194_304',
  Decimal: 'min: -100, max: 12_345_678_901_235, scale: 4, step: 10_000, sparsity: 4',
  DateTime: 'min: "1800-01-01", max: "2100-01-01", step: "1d"',
}

export interface Index {
  readonly column: string
  readonly storage: 'String' | 'Bytes'
  readonly scope: 'tenant' | 'global'
  readonly bits: number
  readonly unique: boolean
}

export interface Group {
  readonly column: string
  readonly sources: readonly string[]
}

export interface Relation {
  /** The field, and the relation's name, which both ends share. */
  readonly field: string
  readonly name: string
  readonly model: string
  readonly list: boolean
  readonly optional: boolean
  /** The foreign key, where it is on this side. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly inverse: string
  readonly through: 'one' | 'many' | 'links'
  readonly onDelete?: 'Cascade' | 'Restrict' | 'SetNull'
}

/** A compound unique; `name` is its selector where it is not made of the fields' names. */
export interface Unique {
  readonly fields: readonly string[]
  readonly name?: string
}

export const LEVELS = ['low', 'mid', 'high'] as const

export function modelOf(schema: Schema, name: string): Model {
  return schema.models.find((model) => model.name === name)!
}

export function columnOf(model: Model, name: string): Column | undefined {
  return model.columns.find((column) => column.name === name)
}

export function relationOf(model: Model, field: string): Relation | undefined {
  return model.relations.find((relation) => relation.field === field)
}

export function selectorOf({ fields, name }: Unique): string {
  return name ?? fields.join('_')
}

/** All ways to name one row: single fields and compounds. */
export function selectorsOf(model: Model): Unique[] {
  const single = model.columns.filter((column) => column.unique).map(({ name }) => ({ fields: [name] }))
  return [{ fields: model.id }, ...single, ...model.uniques]
}

/** The index that an equality search uses: the first exact one, else the first. */
export function searchIndex({ encrypted }: Column): Index | undefined {
  return encrypted?.indexes.find(isExact) ?? encrypted?.indexes[0]
}

export function isExact({ bits }: Index): boolean {
  return bits >= 128
}

/** Names of the columns that only the encrypted twin has. */
export function indexColumns(model: Model): Set<string> {
  const own = model.columns.flatMap(({ encrypted }) => {
    const { indexes = [], tokens } = encrypted ?? {}
    return [...indexes, ...(tokens ? [tokens] : [])].map(({ column }) => column)
  })
  return new Set([...own, ...model.groups.map(({ column }) => column)])
}

export function clientName(model: Model): string {
  return model.name.charAt(0).toLowerCase() + model.name.slice(1)
}
