import { createHash } from 'node:crypto'
import { MOST_KMS_BYTES } from '../../crypto/direct.js'
import { decodeBytes } from '../../crypto/strictDecode.js'
import { FieldsealError, quoted } from '../../errors.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueIdentity, ValueKms } from '../../keys/kms.js'
import { type KekIds, ofTenant } from '../call/kekIds.js'
import type { Call, Target } from '../call/kmsCall.js'
import { callRefused, type GoogleCrypto } from './googleCall.js'

interface ValueOptions {
  readonly crypto: GoogleCrypto
  readonly kekIds: KekIds
  readonly call: Call
}

const FORMAT = 'fsgv1.'
const TEXT = /^fsgv1\.([0-9a-f]{16})\.(.+)$/

/** Google's ciphertexts are less than 200 bytes longer than their plaintexts. */
const MOST_CIPHERTEXT_BYTES = 2 * MOST_KMS_BYTES

/**
 * Values that Google Cloud KMS encrypts itself, each by a request of its own: `fsgv1.` ‖ 16 hexadecimal digits ‖ `.` ‖
 * base64(ciphertext). `Decrypt` has to be told the key, so the digits say which of the tenant's it was: the first eight
 * bytes of SHA-256(resource name). No other key is ever asked.
 */
export function googleValues({ crypto, kekIds, call }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (plaintext, identity) => {
      const context = valueContext(identity)
      const target: Target = { action: 'Encrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        const { ciphertext } = await crypto.encrypt(plaintext, { target, attempts, context })
        return `${FORMAT}${digestOf(target.keyId)}.${ciphertext.toString('base64')}`
      })
    },
    decrypt: async (text, identity) => {
      const context = valueContext(identity)
      const target: Target = { action: 'Decrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      const { digest, ciphertext } = parsed(text)
      return call(target, async (attempts) => {
        const known = await kekIds.all(identity.tenant)
        target.keyId = known.find((keyId) => digestOf(keyId) === digest) ?? foreign(identity)
        const { plaintext } = await crypto.decrypt(ciphertext, { target, attempts, context })
        if (plaintext.length > 0 && plaintext.length <= MOST_KMS_BYTES) return plaintext
        plaintext.fill(0)
        throw callRefused(target, `does not hold a value of at most ${MOST_KMS_BYTES} bytes`)
      })
    },
  }
}

function digestOf(keyId: string): string {
  return createHash('sha256').update(keyId).digest('hex').slice(0, 16)
}

function parsed(text: string): { readonly digest: string; readonly ciphertext: Buffer } {
  const [, digest, base64] = TEXT.exec(text) ?? []
  const ciphertext = decodeBytes(base64, MOST_CIPHERTEXT_BYTES)
  if (digest !== undefined && ciphertext) return { digest, ciphertext }
  const message = 'The ciphertext is none that googleKms made: it was changed, or another KMS encrypted the value.'
  throw new FieldsealError('KMS_REFUSED', message)
}

function foreign({ field, tenant }: ValueIdentity): never {
  throw new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `A value of ${field} is under a key that googleKms does not name for tenant ${quoted(tenant)}. If it was that tenant's, ` +
      'name it in the option "formerKeyIds"; if it never was, the row was changed: compare it with a backup.',
  )
}
