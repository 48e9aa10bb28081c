/**
 * What the generator knows of a Prisma schema and the library needs at run time. `fieldseal-generator` writes it as
 * `encryptionSchema`; it is plain data, the same for every Prisma generator and module format.
 */
export interface EncryptionSchema {
  /** The version of this structure. */
  readonly format: 1
  /** The Prisma model that is marked `@encryptionKeys`. */
  readonly keysModel: string
  /** All models, by their Prisma name, those without encrypted fields too. */
  readonly models: { readonly [model: string]: ModelSchema }
}

export interface ModelSchema {
  /** The table's name in the database. */
  readonly table: string
  /** The fields of the primary key, in order. */
  readonly id: readonly string[]
  /** Compound unique selectors, as in `where: { tenantId_email: { … } }`, and the fields behind each. */
  readonly uniques: { readonly [selector: string]: readonly string[] }
  /** Scalar fields and their columns in the database. */
  readonly columns: { readonly [field: string]: string }
  /** The field marked `@tenant`. */
  readonly tenant?: string
  /** The fields marked `@encrypted`. */
  readonly encrypted: { readonly [field: string]: EncryptedFieldSchema }
  /** The fields marked `@blindIndex`. */
  readonly indexes: { readonly [field: string]: BlindIndexSchema }
  /** The columns that ciphertexts are bound to. */
  readonly bound: { readonly [field: string]: BoundColumnSchema }
  readonly relations: { readonly [field: string]: RelationSchema }
}

/** The Prisma type of a column that holds ciphertext. */
export type StorageType = 'String' | 'Bytes' | 'Json'

export interface EncryptedFieldSchema {
  readonly type: StorageType
  readonly required: boolean
  /** The context in the AAD: `Model.field`, or what `as:` pins. */
  readonly context: string
  /** The fields of the same row whose values are in the AAD, in order. */
  readonly bind: readonly string[]
}

/** A normaliser of DESIGN's list, applied in the order written. */
export type Normalizer = 'trim' | 'lowercase' | 'nfkc' | 'digits' | 'diacritics'

export interface BlindIndexSchema {
  readonly type: 'String' | 'Bytes'
  /** The encrypted field it indexes. */
  readonly source: string
  readonly normalize: readonly Normalizer[]
  readonly scope: 'tenant' | 'global'
  /** Length in bits, a multiple of 8. */
  readonly bits: number
}

export interface BoundColumnSchema {
  readonly type: 'String' | 'Uuid' | 'Int' | 'BigInt'
  /** The client-side default that the extension makes itself when the data has no value. */
  readonly default?: ClientDefault
}

/** `@default(uuid(7))` is `{ name: 'uuid', argument: 7 }`. */
export interface ClientDefault {
  readonly name: 'uuid' | 'cuid' | 'ulid' | 'nanoid'
  readonly argument?: number
}

export interface RelationSchema {
  readonly model: string
  /** Prisma's name of the relation, which its two ends share. */
  readonly relationName: string
  readonly list: boolean
  /** Foreign-key fields on this model, and what they refer to; empty on the other side. */
  readonly from: readonly string[]
  readonly to: readonly string[]
}
