import { FieldsealError } from '../../errors.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueKms } from '../../keys/kms.js'
import { type KekIds, ofTenant } from '../call/kekIds.js'
import type { Call, Target } from '../call/kmsCall.js'
import type { AzureCipher } from './azureCipher.js'
import { checkValueOf } from './azureKey.js'
import { readSealedText, sealedText } from './azureText.js'

interface ValueOptions {
  readonly cipher: AzureCipher
  readonly kekIds: KekIds
  readonly call: Call
}

/** Values that the HSM encrypts itself, each by a request of its own. */
export function azureValues({ cipher, kekIds, call }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (plaintext, identity) => {
      const context = valueContext(identity)
      const target: Target = { action: 'encrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        return attempts(async (signal) => {
          const { sealed, ...under } = await cipher.encrypt(plaintext, context, target, signal)
          return sealedText(under, sealed)
        })
      })
    },
    decrypt: async (ciphertext, identity) => {
      const context = valueContext(identity)
      const target: Target = { action: 'decrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        const text = readSealedText(ciphertext)
        if (!text) throw refused(target, 'the ciphertext is none of azureKms, or was changed')
        const known = await kekIds.all(identity.tenant)
        const keyId = known.find((each) => checkValueOf({ keyId: each, version: text.version }) === text.check)
        if (keyId === undefined)
          throw refused(
            target,
            'it is under another key: if that is one of yours, give it in the option "formerKeyIds"',
          )
        target.keyId = keyId
        return attempts((signal) => cipher.decrypt(text, keyId, context, target, signal))
      })
    },
  }
}

/** Before any request: which key a value is under, the value says itself. */
function refused({ action, keyId }: Target, why: string): FieldsealError {
  const message = `Azure Managed HSM, ${action} with key ${keyId}: no request was sent: ${why}. Compare the row with a backup.`
  return new FieldsealError('KMS_REFUSED', message)
}
