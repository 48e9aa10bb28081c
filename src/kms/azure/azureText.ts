import { types } from 'node:util'
import { decodeBase64url } from '../../crypto/bytes.js'
import { checkValueOf, isVersion, type KeyVersion } from './azureKey.js'

const PREFIX = 'fsaz1'
const CHECK = /^[0-9a-f]{16}$/
const TAG_BYTES = 16
/** NIST SP 800-38D §8.2: what A256GCM takes (RFC 7518 §5.3), and the service makes. */
const IV_BYTES = 12

/** What an encryption with A256GCM gives. */
export interface Sealed {
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

/** A wrapped DEK, or a value with `mode: kms`, as it is stored. */
export interface SealedText extends Sealed {
  /** Of the key and version that it is under. */
  readonly check: string
  readonly version: string
}

/**
 * `fsaz1.` ‖ check value of key and version ‖ `.` ‖ version ‖ `.` ‖ base64url(iv) ‖ `.` ‖ base64url(ciphertext ‖ tag). Nothing in it
 * is believed: a text whose parts were changed does not open under a key of the tenant.
 */
export function sealedText(under: KeyVersion, { iv, ciphertext, tag }: Sealed): string {
  const body = Buffer.concat([ciphertext, tag]).toString('base64url')
  return [PREFIX, checkValueOf(under), under.version, Buffer.from(iv).toString('base64url'), body].join('.')
}

/** `null` for anything that `sealedText` does not make. */
export function readSealedText(text: unknown): SealedText | null {
  if (typeof text !== 'string') return null
  const [prefix, check = '', version = '', ivText = '', bodyText = '', ...more] = text.split('.')
  if (prefix !== PREFIX || more.length > 0 || !CHECK.test(check) || !isVersion(version)) return null
  const [iv, body] = [decodeBase64url(ivText), decodeBase64url(bodyText)]
  if (!iv || !body || body.length <= TAG_BYTES) return null
  const sealed = { iv, ciphertext: body.subarray(0, -TAG_BYTES), tag: body.subarray(-TAG_BYTES) }
  return isSealed(sealed, sealed.ciphertext.length) ? { check, version, ...sealed } : null
}

/** Whether these are the parts of an authenticated encryption of so many bytes: RSA and AES-KW give no such. */
export function isSealed(
  { iv, ciphertext, tag }: { readonly [part in keyof Sealed]: unknown },
  bytes: number,
): boolean {
  return (
    types.isUint8Array(iv) &&
    iv.length === IV_BYTES &&
    types.isUint8Array(ciphertext) &&
    ciphertext.length === bytes &&
    types.isUint8Array(tag) &&
    tag.length === TAG_BYTES
  )
}
