import type { RangeTree } from '../crypto/tokens/rangeCover.js'
import type { TextParts } from '../crypto/tokens/textPieces.js'
import type { RangeKind } from '../crypto/tokens/units.js'
import type { CipherField } from './cipherField.js'

/** An index of several tokens for each value of an encrypted field, in a list column. */
export type CipherTokenIndex = CipherTextIndex | CipherRangeIndex

interface TokenIndexBase {
  /** `Model.column`, for messages. */
  readonly name: string
  /** The field that it is made from: one. */
  readonly sources: readonly CipherField[]
  readonly scope: 'tenant' | 'global'
  /** What sets its tokens apart from those of others: LP(context) ‖ LP(parameters). */
  readonly prefix: Buffer
}

export interface CipherTextIndex extends TokenIndexBase {
  readonly kind: 'text'
  readonly parts: TextParts
  /** The names of its normalisers, and what they do; applied to text in this order. */
  readonly normalize: readonly string[]
  readonly normalizers: readonly ((text: string) => string)[]
}

export interface CipherRangeIndex extends TokenIndexBase {
  readonly kind: 'range'
  readonly tree: RangeTree
  /** What its values are. */
  readonly values: RangeKind
  /** Decimal places of a unit. */
  readonly scale: number
  /** The values at its two ends, as texts, for messages. */
  readonly bounds: { readonly min: string; readonly max: string }
}
