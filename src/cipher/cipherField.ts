import type { ValueForm } from '../crypto/fieldValue.js'
import type { FormerFormat } from '../formerFormats/formerFormat.js'

/** An encrypted field, as far as values are concerned. */
export interface CipherField extends ValueForm {
  /** `Model.field`, for messages. */
  readonly name: string
  /** The context in the AAD. */
  readonly context: string
  /** The plaintext is padded to a multiple of so many bytes. */
  readonly pad?: number | undefined
  /** The KMS itself encrypts each value (`mode: kms`). */
  readonly direct?: boolean | undefined
  /** How another library has stored values of it, while it is `migrating` from there. */
  readonly former?: FormerFormat | undefined
}
