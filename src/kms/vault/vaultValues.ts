import { MOST_KMS_BYTES } from '../../crypto/direct.js'
import { decodeBytes } from '../../crypto/strictDecode.js'
import { FieldsealError } from '../../errors.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueIdentity, ValueKms } from '../../keys/kms.js'
import { type KekIds, named } from '../call/kekIds.js'
import type { Target } from '../call/kmsCall.js'
import { callRefused, readCiphertext, type Transit, type TransitResult, type VaultTarget } from './transit.js'
import type { Begin, Ready } from './transitKeys.js'
import { readTransitText } from './transitText.js'

interface ValueOptions {
  readonly transit: Transit
  readonly kekIds: KekIds
  readonly ready: Ready
  readonly begin: Begin
}

/**
 * Values that transit encrypts itself. A ciphertext of transit does not name its key, so the id of the key stands before
 * it: `transit/fieldseal:vault:v1:…`. It is believed no more than that of a row of the keys table is.
 */
export function vaultValues({ transit, kekIds, ready, begin }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (plaintext, identity) => {
      const item = { context: contextOf(identity), plaintext: plaintext.toString('base64') }
      const target: VaultTarget = { ...begin('encrypt', identity.tenant), subject: 'value' }
      target.keyId = await ready(target, () => kekIds.current(identity.tenant))
      const { text } = readCiphertext(await transit.ask('encrypt', target, item), target, plaintext.length)
      return `${target.keyId}:${text}`
    },
    decrypt: async (ciphertext, identity) => {
      const context = contextOf(identity)
      const target: VaultTarget = { ...begin('decrypt', identity.tenant), subject: 'value' }
      const { kekId, text, length } = split(ciphertext)
      target.keyId = await ready(target, async () => {
        if (kekId !== undefined && (await kekIds.all(identity.tenant)).includes(kekId)) return kekId
        throw foreign(target, kekId)
      })
      return readValue(await transit.ask('decrypt', target, { context, ciphertext: text }), target, length)
    },
  }
}

function contextOf(identity: ValueIdentity): string {
  return Buffer.from(valueContext(identity)).toString('base64')
}

interface Split {
  readonly kekId: string | undefined
  readonly text: string
  readonly length: number
}

function split(ciphertext: string): Split {
  const end = ciphertext.indexOf(':')
  const text = readTransitText(ciphertext.slice(end + 1))
  return text && end > 0 && text.length <= MOST_KMS_BYTES
    ? { ...text, kekId: ciphertext.slice(0, end) }
    : { kekId: undefined, text: '', length: 0 }
}

function foreign({ action, keyId }: Target, kekId: string | undefined): FieldsealError {
  const why = `the ciphertext names ${named(kekId)}: if it is one of yours, give it in the option "formerKeyIds"; if not, the row was changed`
  return new FieldsealError('KMS_REFUSED', `Vault, ${action} with key ${keyId}: ${why}.`)
}

/** AES-GCM keeps the length, so one that another length has is not what was encrypted. */
function readValue({ plaintext }: TransitResult, target: Target, length: number): Buffer {
  const value = decodeBytes(plaintext, MOST_KMS_BYTES)
  if (value?.length === length) return value
  value?.fill(0)
  throw callRefused(target, `does not hold a value of ${length} bytes`)
}
