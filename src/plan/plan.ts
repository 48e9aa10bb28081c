import type { CipherField, CipherIndex, CipherRangeIndex, CipherTextIndex } from '../cipher/cipher.js'
import type { MaskName } from '../masks.js'
import type { BoundColumnSchema, EncryptedFieldSchema } from '../schema/encryptionSchema.js'

/** An encrypted field with all that an operation needs to know of it. */
export interface FieldPlan extends CipherField {
  readonly field: string
  readonly optional: boolean
  readonly bind: readonly string[]
  /** The client has the preview feature strictUndefinedChecks. */
  readonly strict: boolean
  /** All blind indexes that are made from it. */
  readonly indexes: readonly IndexPlan[]
  /** All text and range indexes that are made from it. */
  readonly tokenIndexes: readonly TokenIndexPlan[]
  readonly state: EncryptedFieldSchema['state']
  readonly mask: MaskName | undefined
  /** What the client gets of it. */
  readonly shows: 'value' | 'mask' | 'nothing'
  /** What to do about it where it may not be read. */
  readonly unreadable: string
}

export interface IndexPlan extends CipherIndex {
  readonly field: string
  readonly sources: readonly FieldPlan[]
  /** The column is unique by itself. */
  readonly unique: boolean
  /** The client may not read all of its sources, and so must not search by it. */
  readonly unsearchable: boolean
}

export type TokenIndexPlan = TextIndexPlan | RangeIndexPlan

export type TextIndexPlan = CipherTextIndex & TokenColumn

export type RangeIndexPlan = CipherRangeIndex & TokenColumn

/** What a token index is beside what it makes of values. */
export interface TokenColumn {
  readonly field: string
  readonly sources: readonly FieldPlan[]
  /** The client may not read its source, and so must not search by it. */
  readonly unsearchable: boolean
}

export interface RelationPlan {
  readonly field: string
  /** `Model.field`, for messages. */
  readonly name: string
  readonly model: ModelPlan
  readonly list: boolean
  readonly from: readonly string[]
  readonly to: readonly string[]
  /** Where the foreign key is on the other side: the tenant and bound columns there that take this row's values. */
  readonly inherited: readonly { readonly column: string; readonly own: string }[]
  /** Linking through it changes a column that ciphertexts are bound to. */
  readonly changesBound: boolean
}

/** What a key in the arguments of a model may mean; keys that mean nothing to us are absent. */
export type Member =
  | { readonly kind: 'encrypted'; readonly field: FieldPlan }
  | { readonly kind: 'index'; readonly index: IndexPlan }
  | { readonly kind: 'tokens'; readonly index: TokenIndexPlan }
  | { readonly kind: 'relation'; readonly relation: RelationPlan }

/** A compound unique, reached in a unique `where` by its selector or, where it has a blind index, by an alias. */
export interface CompoundPlan {
  /** Prisma's own name of it. */
  readonly selector: string
  /** The blind indexes among its columns. */
  readonly indexes: readonly IndexPlan[]
}

/** A model, compiled once; operations differ only in the roles of their arguments. */
export interface ModelPlan {
  readonly name: string
  /** The fields of its primary key. */
  readonly id: readonly string[]
  readonly members: ReadonlyMap<string, Member>
  readonly encrypted: readonly FieldPlan[]
  /** Relations through which an encrypted field can be read. */
  readonly reading: readonly RelationPlan[]
  /** The names of all relations. */
  readonly relations: ReadonlySet<string>
  /** Relations whose foreign key is the tenant or a bound column. */
  readonly links: readonly RelationPlan[]
  readonly bound: ReadonlyMap<string, BoundColumnSchema>
  /** Columns whose change would make ciphertexts here or in a related model unreadable. */
  readonly immutable: ReadonlySet<string>
  readonly tenant: string | undefined
  /** Compound uniques by selector and alias. */
  readonly uniques: ReadonlyMap<string, CompoundPlan>
  /** Blind indexes over several fields. */
  readonly combined: readonly IndexPlan[]
  /** Columns of blind indexes of fields that the client may not read. */
  readonly hiddenIndexes: readonly string[]
  /** The fields that the client may read, in one text; `undefined`: all. */
  readonly limit: string | undefined
  readonly columns: { readonly [field: string]: string }
  /** Columns that the client leaves out of results unless asked (`new PrismaClient({ omit })`). */
  readonly omitted: ReadonlySet<string>
  /** An encrypted field is here or can be reached through relations. */
  readonly reaches: boolean
}

export type Plans = ReadonlyMap<string, ModelPlan>
