import { MOST_KMS_BYTES } from '../../crypto/direct.js'
import { decodeBytes } from '../../crypto/strictDecode.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueKms } from '../../keys/kms.js'
import { type KekIds, named, ofTenant } from '../call/kekIds.js'
import type { Call, Target } from '../call/kmsCall.js'
import { callRefused } from './tencentCall.js'
import { send, type TencentAnswer, type TencentKmsClient } from './tencentClient.js'

interface ValueOptions {
  readonly client: TencentKmsClient
  readonly kekIds: KekIds
  readonly call: Call
}

/** Values that Tencent Cloud KMS encrypts itself, each by a request of its own. */
export function tencentValues({ client, kekIds, call }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (plaintext, identity) => {
      const request = { Plaintext: plaintext.toString('base64'), EncryptionContext: valueContext(identity) }
      const target: Target = { action: 'Encrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        target.keyId = await kekIds.current(identity.tenant)
        const wanted = { KeyId: target.keyId, ...request }
        return attempts(async (signal) => readBlob(await send(client, 'Encrypt', wanted, signal), target))
      })
    },
    decrypt: async (ciphertext, identity) => {
      const request = { CiphertextBlob: ciphertext, EncryptionContext: valueContext(identity) }
      const target: Target = { action: 'Decrypt', subject: 'value', keyId: ofTenant(identity.tenant) }
      return call(target, async (attempts) => {
        const known = await kekIds.all(identity.tenant)
        target.keyId = known[0]!
        return attempts(async (signal) => readValue(await send(client, 'Decrypt', request, signal), target, known))
      })
    },
  }
}

function readBlob({ CiphertextBlob: blob, KeyId }: TencentAnswer, target: Target): string {
  if (KeyId !== target.keyId) throw callRefused(target, `names ${named(KeyId)}, which was not asked for`)
  if (typeof blob === 'string' && blob !== '') return blob
  throw callRefused(target, 'lacks CiphertextBlob')
}

/** Decrypt takes no key id, so what somebody else's key encrypted would open as well. */
function readValue({ KeyId, Plaintext }: TencentAnswer, target: Target, known: readonly string[]): Buffer {
  if (!known.includes(KeyId as string)) {
    throw callRefused(target, `names ${named(KeyId)}: if it is one of yours, give it in the option "formerKeyIds"`)
  }
  const value = decodeBytes(Plaintext, MOST_KMS_BYTES)
  if (value) return value
  throw callRefused(target, `does not hold a value of at most ${MOST_KMS_BYTES} bytes`)
}
