import { isUtf8 } from 'node:buffer'
import { type CipherGCMTypes, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { invalidOptions } from '../invalidOptions.js'
import { type FormerFormat, noCiphertextOf, notOpened } from './formerFormat.js'

const LIBRARY = 'typeorm-encrypted'
const invalid = invalidOptions('typeormEncrypted')

/** What `typeormEncrypted` takes: the options that typeorm-encrypted was given, by the same names. */
export interface TypeormEncryptedOptions {
  /** In hexadecimal digits. */
  readonly key: string
  /** `aes-256-cbc`, `aes-256-gcm`, or the same with 128 or 192 bits. */
  readonly algorithm: string
  /** In bytes. */
  readonly ivLength: number
  /** In bytes, of GCM only. Default 16. */
  readonly authTagLength?: number
  /** The IV of all values, in hexadecimal digits, where there was one: they can be searched for then. */
  readonly iv?: string
}

interface Settings {
  readonly key: KeyObject
  readonly algorithm: string
  readonly isGcm: boolean
  readonly ivLength: number
  readonly tagLength: number
}

const ALGORITHM = /^aes-(128|192|256)-(cbc|gcm)$/
const BLOCK = 16
/** All but tab, line feed and carriage return. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

/**
 * Reads what typeorm-encrypted has stored, by its transformers or its subscriber, and typeorm-encrypted-column. Its
 * ciphertexts have no mark, so the field's column may hold nothing else but them and ours. Those of CBC are not
 * authenticated either: what does not decrypt to text without control characters is refused.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { typeormEncrypted } from 'fieldseal/former-formats'
 *
 * const migratingFrom = {
 *   'User.email': typeormEncrypted({ key: process.env.OLD_KEY!, algorithm: 'aes-256-cbc', ivLength: 16 }),
 * }
 * ```
 */
export function typeormEncrypted(options: TypeormEncryptedOptions): FormerFormat {
  const settings = settingsOf(options)
  const iv = options.iv === undefined ? undefined : fixedIv(options.iv, settings)
  return {
    library: LIBRARY,
    isAuthenticated: settings.isGcm,
    columns: ['String', 'Json'],
    decrypt: (stored) => decrypt(settings, stored),
    ...(iv !== undefined && { search: { formOf: (text) => encryptUnder(settings, iv, text) } }),
  }
}

function settingsOf({ key, algorithm, ivLength, authTagLength = 16 }: TypeormEncryptedOptions): Settings {
  const [, bits, mode] = ALGORITHM.exec(algorithm) ?? []
  if (bits === undefined) throw invalid('takes aes-256-cbc or aes-256-gcm for "algorithm", or the same with fewer bits')
  const isGcm = mode === 'gcm'
  if (!isHex(key, Number(bits) / 8)) throw invalid(`takes ${Number(bits) / 4} hexadecimal digits for "key"`)
  if (!Number.isInteger(ivLength) || ivLength < 1 || (!isGcm && ivLength !== BLOCK))
    throw invalid(`takes ${isGcm ? 'a number of bytes' : BLOCK} for "ivLength"`)
  if (!Number.isInteger(authTagLength) || authTagLength < 12 || authTagLength > 16)
    throw invalid('takes 12 to 16 bytes for "authTagLength"')
  const tagLength = isGcm ? authTagLength : 0
  return { key: createSecretKey(key, 'hex'), algorithm, isGcm, ivLength, tagLength }
}

function isHex(text: unknown, bytes: number): text is string {
  return typeof text === 'string' && text.length === 2 * bytes && /^[0-9a-f]*$/i.test(text)
}

function decrypt(settings: Settings, stored: unknown): Buffer {
  // Its subscriber leaves an empty text as it is.
  if (stored === '') return Buffer.alloc(0)
  const { ivLength, tagLength, isGcm } = settings
  const sealed = bytesOf(stored)
  const body = sealed.length - ivLength - tagLength
  if (isGcm ? body < 0 : body < BLOCK || body % BLOCK !== 0)
    throw noCiphertextOf(LIBRARY, 'it has another length, and plaintext is not taken beside them')
  const plaintext = open(settings, sealed)
  if (plaintext === undefined) throw notOpened(LIBRARY, 'another key made it, or it is plaintext')
  return plaintext
}

function open({ key, algorithm, isGcm, ivLength, tagLength }: Settings, sealed: Buffer): Buffer | undefined {
  const [iv, tag] = [sealed.subarray(0, ivLength), sealed.subarray(ivLength, ivLength + tagLength)]
  try {
    const decipher = isGcm
      ? createDecipheriv(algorithm as CipherGCMTypes, key, iv, { authTagLength: tagLength }).setAuthTag(tag)
      : createDecipheriv(algorithm, key, iv)
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(ivLength + tagLength)), decipher.final()])
    return isGcm || isPlausible(plaintext) ? plaintext : undefined
  } catch {
    return undefined
  }
}

/** What nobody has authenticated must at least be text: short values under another key are, about once in 25 million. */
function isPlausible(plaintext: Buffer): boolean {
  return isUtf8(plaintext) && !CONTROL.test(plaintext.toString())
}

/** Of a column of texts, or of JSON with `{ "encrypted": … }`. */
function bytesOf(stored: unknown): Buffer {
  const text = typeof stored === 'object' ? (stored as { encrypted?: unknown } | null)?.encrypted : stored
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64')
  if (bytes.length > 0 && bytes.toString('base64') === text) return bytes
  throw noCiphertextOf(LIBRARY, 'it is not in base64, and plaintext is not taken beside them')
}

function fixedIv(iv: string, { ivLength }: Settings): Buffer {
  if (!isHex(iv, ivLength)) throw invalid(`takes ${2 * ivLength} hexadecimal digits for "iv"`)
  return Buffer.from(iv, 'hex')
}

/** As the library has stored it: the same for equal values, under the one IV. */
function encryptUnder({ key, algorithm, isGcm, tagLength }: Settings, iv: Buffer, text: string): string {
  if (!isGcm) {
    const cipher = createCipheriv(algorithm, key, iv)
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final()]).toString('base64')
  }
  const cipher = createCipheriv(algorithm as CipherGCMTypes, key, iv, { authTagLength: tagLength })
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64')
}
