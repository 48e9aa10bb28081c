import type { MaskName } from '../../masks.js'
import type { Normalizer, ValueType } from '../../schema/encryptionSchema.js'
import type { EncryptionMode, EncryptionState } from '../../schema/fieldOptions.js'

/** What `@Encrypted` and `encrypted` take. */
export interface EncryptedOptions {
  /**
   * What the property holds. By default text in a `text` or `varchar` column, bytes in a `bytea`, and JSON in a `jsonb` column.
   * Decimals are texts, as TypeORM gives those of plain columns.
   */
  readonly type?: Exclude<ValueType, 'Enum'>
  /** The values of an enum, which are texts. */
  readonly enum?: { readonly [name: string]: string } | readonly string[]
  /**
   * The type of the column that holds the ciphertexts; `text` unless given. `varchar`, which has no length, is the type of
   * columns that `@Column()` made of texts: with it these need no other type to be encrypted.
   */
  readonly column?: ColumnKind
  /** The property is a list. */
  readonly array?: boolean
  readonly nullable?: boolean
  readonly select?: boolean
  /** The column's name in the database. */
  readonly name?: string
  readonly comment?: string
  /** Properties of the same row, which never change, that a ciphertext is tied to. */
  readonly bind?: string | readonly string[]
  /** Pins the context of its ciphertexts, which is `Entity.property` unless given. */
  readonly as?: string
  /** Pads the plaintext to a multiple of so many bytes. */
  readonly pad?: number
  /** `migrating`: plaintext may still be there. `ejecting`: plaintext is written, ciphertext may still be there. */
  readonly state?: EncryptionState
  /** `kms`: the KMS itself encrypts each value; else a DEK of the tenant does. */
  readonly mode?: EncryptionMode
  /** What a client that may not decrypt the column gets instead. */
  readonly mask?: MaskName
}

/** What `@BlindIndex` and `blindIndex` take, beside the property that is indexed. */
export interface BlindIndexOptions {
  /** What is done to text before it is indexed, in this order: built-in normalisers, or names of the `normalizers` option. */
  readonly normalize?: readonly (Normalizer | (string & {}))[]
  /** Length in bits, a multiple of 8; 128 unless given. */
  readonly bits?: number
  /** `tenant` unless given; `global` finds equal values of all tenants. */
  readonly scope?: 'tenant' | 'global'
  /** No two rows of the table may have the same value. */
  readonly unique?: boolean
  /** The type of the column; `text` unless given. */
  readonly column?: 'text' | 'bytea'
  /** The column's name in the database. */
  readonly name?: string
  readonly comment?: string
}

/** What `@TextIndex` and `textIndex` take, beside the property that is indexed: one or more of the first five. */
export interface TextIndexOptions {
  /** Beginnings of the text, of so many characters at least and at most: for `LIKE 'abc%'`. */
  readonly prefix?: readonly [fewest: number, most: number]
  /** Ends of the text: for `LIKE '%abc'`. */
  readonly suffix?: readonly [fewest: number, most: number]
  /** Its words: for `Words('ada lovelace')`. */
  readonly words?: boolean
  /** Beginnings of its words: for `Words('love*')`. */
  readonly wordPrefix?: readonly [fewest: number, most: number]
  /** Every so many characters in a row: for `LIKE '%abc%'`, whose results are looked at again once they are decrypted. */
  readonly grams?: number
  /** What is done to text before it is indexed, in this order: built-in normalisers, or names of the `normalizers` option. */
  readonly normalize?: readonly (Normalizer | (string & {}))[]
  /** `tenant` unless given; `global` finds the texts of all tenants. */
  readonly scope?: 'tenant' | 'global'
  /** The column's name in the database. */
  readonly name?: string
  readonly comment?: string
}

/** What `@RangeIndex` and `rangeIndex` take, beside the property that is indexed. */
export interface RangeIndexOptions {
  /** The least value; of a DateTime, a Date or a text such as `1900-01-01`. */
  readonly min: number | bigint | string | Date
  /** The greatest value. */
  readonly max: number | bigint | string | Date
  /** Values of one step are told apart after decryption only; of a DateTime `1d`, `1h`, `15m`, `1s` or `1ms`. One unit, or one day, unless given. */
  readonly step?: number | bigint | string
  /** How many decimal places a Decimal has at most. */
  readonly scale?: number
  /** Every how many levels a token is stored, from 1 to 8; 2 unless given. More makes columns smaller and searches slower. */
  readonly sparsity?: number
  /** `tenant` unless given; `global` finds the values of all tenants. */
  readonly scope?: 'tenant' | 'global'
  /** The column's name in the database. */
  readonly name?: string
  readonly comment?: string
}

/** What `@EncryptedView` and `encryptedView` take, beside the column that is shown. */
export interface EncryptedViewOptions {
  /** The column's name in the view. */
  readonly name?: string
  /** Not in results unless asked for: of a column that shows a blind index. */
  readonly select?: false
}

/** The type of a column that holds ciphertexts. */
export type ColumnKind = 'text' | 'varchar' | 'bytea' | 'jsonb'
