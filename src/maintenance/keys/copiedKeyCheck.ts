import { isDekId } from '../../crypto/header.js'
import { FieldsealError, quoted } from '../../errors.js'
import { checkVersion } from '../../keys/dekId.js'
import { keyError } from '../../keys/keyError.js'
import { type CopiedKey, KEY_STATES, type StoredKey } from '../../keys/keyStore.js'
import { type Kms, reads } from '../../keys/kms.js'

/** Versions are counted up from 1; so far nobody comes. */
const MOST_VERSION = 2_000_000_000
const PURPOSES: ReadonlySet<string> = new Set(['encrypt', 'index', 'wrap'])

/**
 * Whether a row of a copy can be what it says, and is no other's in the table.
 *
 * @throws FieldsealError `KEY_INVALID`
 */
export function checkCopied(key: CopiedKey, stored: StoredKey | undefined): void {
  const { id, purpose, state, version, tenant } = key
  const invalid = (what: string) => keyError('KEY_INVALID', id, `${what} in the copy`)
  if (!isDekId(id)) throw invalid('has an id that is not a lower-case UUID')
  if (!PURPOSES.has(purpose)) throw invalid(`has the purpose ${quoted(purpose)}`)
  if (!KEY_STATES.includes(state)) throw invalid('has an unknown state')
  if (!(Number.isInteger(version) && version >= 1 && version <= MOST_VERSION))
    throw invalid('has an impossible version')
  if (stored && (stored.tenant !== tenant || stored.purpose !== purpose))
    throw invalid(
      `is of tenant ${quoted(tenant)} and for ${quoted(purpose)}, and not so in the keys table: one of the rows was changed`,
    )
  if (state === 'destroyed' || key.destroyedAt !== null) return
  if (key.wrapped === null) throw invalid(`is ${state}, yet has no wrapped key`)
  checkVersion(key)
}

/**
 * Has the KMS open a key of a copy: whoever made that can have planted one.
 *
 * @throws FieldsealError `KEY_INVALID`, `KMS_*`
 */
export async function openCopied(kms: Kms, key: CopiedKey): Promise<void> {
  const { id, tenant, purpose, wrapped, kekId } = key
  if (!reads(kms, key.kms))
    throw keyError('KEY_INVALID', id, `is wrapped by the KMS ${quoted(key.kms)}, not ${quoted(kms.name)}`)
  try {
    ;(await kms.unwrap({ wrapped: wrapped!, kekId, kms: key.kms }, { key: id, tenant, purpose })).fill(0)
  } catch (error) {
    if (!FieldsealError.is(error, 'KMS_REFUSED')) throw error
    throw keyError('KEY_INVALID', id, 'was refused by the KMS: its row in the copy was changed', error)
  }
}
