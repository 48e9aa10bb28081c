import { gcmDecrypt, type KeyInUse } from './gcm.js'
import { type KnownAnswer, opensKnown } from './kek.js'
import { fail, pkcs11FailureOf } from './returnCodes.js'
import { TextRefused } from './textRefused.js'
import type { GcmMessage } from './wrappedText.js'

/** What tokens return for a text with a wrong tag, and for nothing else. */
const UNAUTHENTIC: readonly string[] = [
  'CKR_AEAD_DECRYPT_FAILED',
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_SIGNATURE_INVALID',
]

/**
 * Decrypts, and tells a text that is not authentic from a token that is broken. Many modules return the same for both
 * (SoftHSM: CKR_GENERAL_ERROR). Then the token is asked for what it is known to open, and once more for the text: only a
 * token that opens the one and again not the other has refused it.
 *
 * @throws TextRefused for a text that was changed, or made with another key or AAD; fails as the module does if it is broken
 */
export async function authenticDecrypt(
  object: KeyInUse,
  { message, aad, known }: { readonly message: GcmMessage; readonly aad: Buffer; readonly known: KnownAnswer },
): Promise<Buffer> {
  try {
    return await gcmDecrypt(object, message, aad)
  } catch (error) {
    expectUnclear(error)
  }
  if (!(await opensKnown(object, known))) fail('CKR_DEVICE_ERROR')
  try {
    return await gcmDecrypt(object, message, aad)
  } catch (error) {
    expectUnclear(error)
    throw new TextRefused(pkcs11FailureOf(error).reason)
  }
}

function expectUnclear(error: unknown): void {
  const { reason, meaning } = pkcs11FailureOf(error)
  if (UNAUTHENTIC.includes(reason)) throw new TextRefused(reason)
  if (meaning !== 'unclear') throw error
}
