import type { TextParts } from '../crypto/tokens/textPieces.js'
import type { MaskName } from '../masks.js'
import type { BlindIndexSchema, EncryptedFieldSchema, TextIndexSchema } from './encryptionSchema.js'
import type { RangeOptions } from './rangeOptions.js'

/** What `@encrypted(…)` asks for. */
export interface EncryptedOptions {
  readonly bind: readonly string[]
  readonly as?: string
  /** The name of a type or of an enum, as written. */
  readonly type?: string
  readonly pad?: number
  readonly state?: EncryptionState
  readonly mode?: EncryptionMode
  readonly mask?: MaskName
}

export type EncryptionMode = 'dek' | 'kms'
export type EncryptionState = NonNullable<EncryptedFieldSchema['state']>

/** What `@blindIndex(…)` asks for; no sources when they are missing or unreadable. */
export type BlindIndexOptions = Omit<BlindIndexSchema, 'type' | 'unique'>

/** What `@textIndex(…)` or `@rangeIndex(…)` asks for. */
export type TokenIndexOptions = TextIndexOptions | RangeIndexOptions

/** Without a source or parts where they are missing or unreadable. */
export interface TextIndexOptions extends Pick<TextIndexSchema, 'kind' | 'scope' | 'normalize'> {
  readonly source: string | undefined
  readonly parts: TextParts
}

/** Without a source or a range where they are missing or unreadable. */
export interface RangeIndexOptions {
  readonly kind: 'range'
  readonly source: string | undefined
  readonly scope: TextIndexSchema['scope']
  readonly range: RangeOptions | undefined
}
