import type { MaskName } from '../masks.js'
import type { BlindIndexSchema, EncryptedFieldSchema } from './encryptionSchema.js'

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
