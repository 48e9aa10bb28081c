import type { DatamodelField } from './datamodel.js'

/** How the users of an ORM write what the rules speak of and advise. */
export interface SchemaWording {
  readonly model: string
  readonly field: string
  readonly encrypted: string
  readonly blindIndex: string
  readonly tokenIndex: { readonly text: string; readonly range: string }
  readonly tenant: string
  readonly encryptionKeys: string
  /** An option of an annotation, with its value. */
  option(name: string, value: string | number): string
  state(state: string): string
  /** The option that pins a context. */
  readonly as: string
  readonly default: string
  readonly updatedAt: string
  readonly index: string
  /** The type of a field and its column. */
  type(field: DatamodelField): string
  /** The type of its column alone, after what it is called. */
  nativeType(field: DatamodelField): string
  /** A type of columns, by Prisma's name. */
  nativeNamed(name: string): string
  /** What to do about a view. */
  readonly view: { readonly encrypted: string; readonly index: string; readonly tokens: string }
  /** What to do about a column that cannot hold ciphertext. */
  storage(field: DatamodelField): string
  readonly text: string
  readonly listOfJson: string
  readonly enum: string
  readonly unique: string
  readonly giveValue: string
  /** What to make of a column that is to hold a blind index. */
  readonly indexType: string
  nullableIndex(field: DatamodelField): string
  /** What to make of a column that is to hold tokens. */
  readonly tokenType: string
  readonly noNormalize: string
  readonly tenantType: string
  readonly tenantTypes: string
  readonly required: string
  readonly boundTypes: string
  readonly clientDefault: string
  /** Where the database fills a column. */
  databaseDefault(kind: string): string
  readonly fixedReference: string
  readonly keys: {
    add(name: string): string
    make(name: string): string
    use(native: string): string
    readonly id: string
    default(name: string): string
    readonly other: string
    readonly unique: string
    readonly needed: string
  }
}
