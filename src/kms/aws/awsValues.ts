import { MOST_KMS_BYTES } from '../../crypto/direct.js'
import { FieldsealError, quoted } from '../../errors.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueIdentity, ValueKms } from '../../keys/kms.js'
import { type KekIds, ofTenant } from '../call/kekIds.js'
import type { Call, Target } from '../call/kmsCall.js'
import { blobOf, readValue, readWrapped } from './awsAnswers.js'
import { type AwsAnswer, contextMap, type Send } from './awsClient.js'

interface ValueOptions {
  readonly send: Send
  readonly kekIds: KekIds
  readonly call: Call
}

/** Values that AWS KMS encrypts itself, each by a request of its own. */
export function awsValues({ send, kekIds, call }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (Plaintext, identity) => {
      const EncryptionContext = contextMap(valueContext(identity))
      const target: Target = { action: 'Encrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        const KeyId = await kekIds.current(identity.tenant)
        target.keyId = KeyId
        const input = { KeyId, Plaintext, EncryptionContext }
        const { wrapped } = await attempts(async (signal) =>
          readWrapped(await send('Encrypt', input, signal), target, KeyId),
        )
        return wrapped
      })
    },
    decrypt: async (ciphertext, identity) => {
      const EncryptionContext = contextMap(valueContext(identity))
      const target: Target = { action: 'Decrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        const CiphertextBlob = blobOf(ciphertext, target)
        for (const KeyId of await kekIds.all(identity.tenant)) {
          target.keyId = KeyId
          const input = { KeyId, CiphertextBlob, EncryptionContext }
          const answer = await attempts((signal) => unlessOfOtherKey(send('Decrypt', input, signal)))
          if (answer) return readValue(answer, target, MOST_KMS_BYTES)
        }
        throw underNoKey(identity)
      })
    },
  }
}

/** AWS is always told which key: it says by an error of its own that the ciphertext is under another one. */
async function unlessOfOtherKey(answer: Promise<AwsAnswer>): Promise<AwsAnswer | null> {
  return answer.catch((error: unknown) => {
    if ((error as Error | null)?.name === 'IncorrectKeyException') return null
    throw error
  })
}

function underNoKey({ tenant, field }: ValueIdentity): FieldsealError {
  return new FieldsealError(
    'KMS_REFUSED',
    `AWS KMS, Decrypt: the ciphertext of ${field} is under no key that awsKms names for tenant ${quoted(tenant)}. If it is ` +
      'one of yours, give it in the option "formerKeyIds"; if not, compare the row with a backup.',
  )
}
