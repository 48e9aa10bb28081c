import { types } from 'node:util'
import { DEK_BYTES } from '../../crypto/keys.js'
import { decodeBytes } from '../../crypto/strictDecode.js'
import type { GeneratedDek, WrappedDek } from '../../keys/kms.js'
import { named } from '../call/kekIds.js'
import type { Target } from '../call/kmsCall.js'
import { callRefused, noBlob } from './awsCall.js'
import type { AwsAnswer } from './awsClient.js'
import { isSameKey } from './keyIdentifier.js'

/** The longest ciphertext blob that AWS takes, in bytes. */
const MOST_BLOB_BYTES = 6144

/** The ciphertext blob of what the keys table, or a field, holds. */
export function blobOf(text: string, target: Target): Buffer {
  const blob = decodeBytes(text, MOST_BLOB_BYTES)
  if (blob) return blob
  throw noBlob(target)
}

export function readGenerated(answer: AwsAnswer, target: Target): GeneratedDek {
  const dek = readDek(answer, target)
  try {
    return { dek, ...readWrapped(answer, target, target.keyId) }
  } catch (error) {
    dek.fill(0)
    throw error
  }
}

/** What is under another key than was asked for would not be unwrapped later. */
export function readWrapped({ KeyId, CiphertextBlob }: AwsAnswer, target: Target, wanted: string): WrappedDek {
  if (typeof KeyId !== 'string' || !isSameKey(wanted, KeyId))
    throw callRefused(target, `names ${named(KeyId)}, not ${wanted}`)
  const fits = types.isUint8Array(CiphertextBlob) && CiphertextBlob.length > 0
  if (!fits || CiphertextBlob.length > MOST_BLOB_BYTES) throw callRefused(target, 'lacks CiphertextBlob')
  return { wrapped: Buffer.from(CiphertextBlob).toString('base64'), kekId: KeyId }
}

/** @param kekId what the row says: two rows with the key ids exchanged must not open */
export function readUnwrapped(answer: AwsAnswer, target: Target, kekId: string): Buffer {
  const dek = readDek(answer, target)
  if (isAnswerOf(answer.KeyId, target.keyId, kekId)) return dek
  dek.fill(0)
  throw callRefused(target, `names ${named(answer.KeyId)}: ${NOT_TOGETHER}`)
}

/** What was given, where it was under the newest key material of the wanted key already. */
export function readRewrapped(answer: AwsAnswer, target: Target, given: WrappedDek, destination: string): WrappedDek {
  if (!isAnswerOf(answer.SourceKeyId, target.keyId, given.kekId))
    throw callRefused(target, `names ${named(answer.SourceKeyId)} as the source: ${NOT_TOGETHER}`)
  const next = readWrapped(answer, target, destination)
  const { SourceKeyMaterialId: from, DestinationKeyMaterialId: to } = answer
  const isNewest = typeof from === 'string' && from === to && isSameKey(next.kekId, given.kekId)
  return isNewest ? given : next
}

/** A value of 1 to `most` bytes. */
export function readValue({ KeyId, Plaintext }: AwsAnswer, target: Target, most: number): Buffer {
  const value = takeBytes(Plaintext, most)
  if (value && isAnswerOf(KeyId, target.keyId)) return value
  value?.fill(0)
  throw callRefused(target, value ? `names ${named(KeyId)}` : `does not hold a value of at most ${most} bytes`)
}

const NOT_TOGETHER = 'the wrapped DEK and the key id of its row do not belong together'

function isAnswerOf(answered: unknown, ...keys: readonly string[]): boolean {
  return typeof answered === 'string' && keys.every((key) => isSameKey(key, answered))
}

function readDek({ Plaintext }: AwsAnswer, target: Target): Buffer {
  const dek = takeBytes(Plaintext, DEK_BYTES)
  if (dek?.length === DEK_BYTES) return dek
  dek?.fill(0)
  throw callRefused(target, `does not hold a DEK of ${DEK_BYTES} bytes`)
}

/**
 * The bytes in memory of their own, and zeros where the SDK had them: that may be a piece of a pool, which lives on.
 * `null` for anything but 1 to `most` bytes.
 */
function takeBytes(given: unknown, most: number): Buffer | null {
  if (!types.isUint8Array(given)) return null
  const fits = given.length > 0 && given.length <= most
  const own = fits ? Buffer.alloc(given.length) : null
  own?.set(given)
  given.fill(0)
  return own
}
