import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { lengthPrefixed } from '../crypto/bytes.js'
import { FieldsealError, quoted } from '../errors.js'
import { valueContext } from '../keys/encryptionContext.js'
import type { ValueIdentity, ValueKms } from '../keys/kms.js'
import { seal, unseal, type Wrapping } from './keyWrap.js'
import { messageCountOf } from './messageCount.js'

const LABEL = 'fieldseal/1 local-kms value'
const FORMAT = 'fslv1.'
const KEK_ID = /^fslv1\.([0-9a-f]{16})\./

/**
 * Values that a local KEK encrypts itself: `fslv1.` ‖ the KEK's check value ‖ `.` ‖ base64url(nonce(12) ‖ AES-256-GCM(value)
 * ‖ tag(16)), under a key derived from the KEK, AAD = LP("fieldseal/1 local-kms value") ‖ LP(encryption context).
 */
export function localValues(kek: KeyObject, kekId: string): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  const key = valueKey(kek)
  const count = messageCountOf(`the key for values of the KEK ${kekId}`)
  const check = kekId.slice(kekId.indexOf(':') + 1)
  const wrapping = (identity: ValueIdentity): Wrapping => {
    const aad = Buffer.concat([lengthPrefixed(LABEL), lengthPrefixed(valueContext(identity))])
    return { prefix: `${FORMAT}${check}.`, key, aad }
  }
  return {
    encrypt: async (plaintext, identity) => {
      const under = wrapping(identity)
      count.add()
      return seal(under, plaintext)
    },
    decrypt: async (ciphertext, identity) => {
      const other = KEK_ID.exec(ciphertext)?.[1]
      if (other !== undefined && other !== check) throw otherKek(`local:${other}`, kekId)
      const value = unseal(wrapping(identity), ciphertext)
      if (!value) throw ciphertextRefused(kekId)
      return value
    },
  }
}

function valueKey(kek: KeyObject): KeyObject {
  const bytes = Buffer.from(hkdfSync('sha256', kek, Buffer.alloc(0), LABEL, 32))
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

function otherKek(then: string, kekId: string): FieldsealError {
  const message = `The value is encrypted by the KEK ${quoted(then)}, and localKms was given the KEK ${kekId}. Give it the KEK of then.`
  return new FieldsealError('KMS_KEY_UNUSABLE', message)
}

function ciphertextRefused(kekId: string): FieldsealError {
  const message = `The ciphertext does not open under the KEK ${kekId}: it was changed, or belongs to another tenant, field or row.`
  return new FieldsealError('KMS_REFUSED', message)
}
