import type { NormalizerName } from '../crypto/normalizers.js'
import type { TextParts } from '../crypto/tokens/textPieces.js'
import type { MaskName } from '../masks.js'

/**
 * What the generator knows of a Prisma schema and the library needs at run time. `fieldseal-generator` writes it as
 * `encryptionSchema`; it is plain data, the same for every Prisma generator and module format.
 */
export interface EncryptionSchema {
  /** The version of this structure. */
  readonly format: 4
  /** The Prisma model that is marked `@encryptionKeys`. */
  readonly keysModel: string
  /** All models, by their Prisma name, those without encrypted fields too. */
  readonly models: { readonly [model: string]: ModelSchema }
}

export interface ModelSchema {
  /** The schema of the database that it is in (`@@schema`); left out where the search path decides. */
  readonly schema?: string
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
  /** Its type in the database, where that gives ids back in one form only. */
  readonly tenantType?: 'Uuid'
  /** The most characters that it holds. */
  readonly tenantLength?: number
  /** The fields marked `@encrypted`. */
  readonly encrypted: { readonly [field: string]: EncryptedFieldSchema }
  /** The fields marked `@blindIndex`. */
  readonly indexes: { readonly [field: string]: BlindIndexSchema }
  /** The fields marked `@textIndex` or `@rangeIndex`; left out where there are none. */
  readonly tokenIndexes?: { readonly [field: string]: TokenIndexSchema }
  /** The columns that ciphertexts are bound to. */
  readonly bound: { readonly [field: string]: BoundColumnSchema }
  readonly relations: { readonly [field: string]: RelationSchema }
}

/** The Prisma type of a column that holds ciphertext. */
export type StorageType = 'String' | 'Bytes' | 'Json'

/** What an encrypted field holds: the name in `@encrypted(type: …)`; `Enum` stands for any enum of the schema. */
export type ValueType = StorageType | 'Int' | 'BigInt' | 'Float' | 'Decimal' | 'Boolean' | 'DateTime' | 'Enum'

export interface EncryptedFieldSchema {
  readonly type: StorageType
  readonly required: boolean
  /** What it holds; left out when that is what its column holds. */
  readonly value?: ValueType
  /** The names of the enum's values, where `value` is `Enum`. */
  readonly enum?: readonly string[]
  /** A scalar list (`String[]`), stored as a list of one ciphertext. */
  readonly list?: true
  /** The plaintext is padded to a multiple of so many bytes. */
  readonly pad?: number
  /** `migrating`: plaintext may still be there. `ejecting`: plaintext is written, ciphertext may still be there. */
  readonly state?: 'migrating' | 'ejecting'
  /** The KMS itself encrypts each value; else a DEK of the tenant does. */
  readonly mode?: 'kms'
  /** What a client that may not decrypt the field gets instead. */
  readonly mask?: MaskName
  /** The context in the AAD: `Model.field`, or what `as:` pins. */
  readonly context: string
  /** The fields of the same row whose values are in the AAD, in order. */
  readonly bind: readonly string[]
}

/** A normaliser that the library has; any other name is one of the `normalizers` option. */
export type Normalizer = NormalizerName

export interface BlindIndexSchema {
  readonly type: 'String' | 'Bytes'
  /** The encrypted fields it indexes: one, or several for lookups by their combination. */
  readonly sources: readonly string[]
  /** Applied to text in the order written. */
  readonly normalize: readonly string[]
  readonly scope: 'tenant' | 'global'
  /** Length in bits, a multiple of 8. */
  readonly bits: number
  /** The column is unique by itself. */
  readonly unique?: true
  /** It is in a unique index of some rows only, which names none. */
  readonly partlyUnique?: true
}

/** An index of several tokens for each value, in a list column of UUIDs. */
export type TokenIndexSchema = TextIndexSchema | RangeIndexSchema

interface TokenIndexBase {
  /** The encrypted field that it indexes. */
  readonly source: string
  readonly scope: 'tenant' | 'global'
}

/** Of the parts of a text. */
export interface TextIndexSchema extends TokenIndexBase, TextParts {
  readonly kind: 'text'
  /** Applied to the text in the order written, before it is taken apart. */
  readonly normalize: readonly string[]
}

/** Of the intervals that a value is in. */
export interface RangeIndexSchema extends TokenIndexBase {
  readonly kind: 'range'
  /** What `min`, `max` and `step` count: `1`, `ms` (since 1970), or the last decimal place, as `0.01`. */
  readonly unit: string
  /** The least value, in units: the text of a whole number. */
  readonly min: string
  /** The greatest value, in units. */
  readonly max: string
  /** Values of one step are not told apart; in units. */
  readonly step: string
  /** Every how many levels of the tree there is a token. */
  readonly sparsity: number
}

export interface BoundColumnSchema {
  readonly type: 'String' | 'Uuid' | 'Int' | 'BigInt'
  /** The most characters that it holds. */
  readonly length?: number
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
