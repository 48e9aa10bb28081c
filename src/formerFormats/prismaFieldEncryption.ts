import { createDecipheriv, createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { invalidOptions } from '../invalidOptions.js'
import { FormerFailure, type FormerFormat, noCiphertextOf, notOpened } from './formerFormat.js'
import { type FormerHashOptions, formerHash } from './formerHash.js'

const LIBRARY = 'prisma-field-encryption'
const invalid = invalidOptions('prismaFieldEncryption')

/** What `prismaFieldEncryption` takes: the options that prisma-field-encryption was given, by the same names. */
export interface PrismaFieldEncryptionOptions {
  /** `k1.aesgcm256.…`; the variable `PRISMA_FIELD_ENCRYPTION_KEY` unless given. */
  readonly encryptionKey?: string
  /** Keys of older rows; the variable `PRISMA_FIELD_DECRYPTION_KEYS`, separated by commas, unless given. */
  readonly decryptionKeys?: readonly string[]
  /** The column with the field's hash, by which rows are found until they are encrypted anew. */
  readonly hash?: FormerHashOptions
}

const PREFIX = 'v1.aesgcm256.'
const CIPHERTEXT = /^v1\.aesgcm256\.([0-9a-f]{8})\.([\w-]{16})\.([\w-]{22,}={0,2})$/i
const KEY = /^k1\.aesgcm256\.([\w-]{43}=?)$/
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Reads what prisma-field-encryption has stored: AES-256-GCM, with the fingerprint of its key in each ciphertext.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { prismaFieldEncryption } from 'fieldseal/former-formats'
 *
 * const migratingFrom = {
 *   'User.email': prismaFieldEncryption({ hash: { field: 'emailHash', normalize: ['lowercase'] } }),
 * }
 * ```
 */
export function prismaFieldEncryption(options: PrismaFieldEncryptionOptions = {}): FormerFormat {
  const { encryptionKey = process.env.PRISMA_FIELD_ENCRYPTION_KEY, hash } = options
  if (!encryptionKey) throw invalid('needs "encryptionKey", or the variable PRISMA_FIELD_ENCRYPTION_KEY')
  const older =
    options.decryptionKeys ?? (process.env.PRISMA_FIELD_DECRYPTION_KEYS ?? '').split(',').filter((key) => key !== '')
  const keys = new Map([encryptionKey, ...older].map((key) => [fingerprintOf(key), parsedKey(key)]))
  return { ...formatUnder(keys), ...(hash && { search: formerHash(hash, invalid) }) }
}

/** With the keys by their fingerprints. */
export function formatUnder(keys: ReadonlyMap<string, KeyObject>): FormerFormat {
  return {
    library: LIBRARY,
    prefix: PREFIX,
    isAuthenticated: true,
    columns: ['String'],
    decrypt: (stored) => decrypt(keys, stored),
  }
}

function decrypt(keys: ReadonlyMap<string, KeyObject>, stored: unknown): Buffer {
  const [, fingerprint, nonce, sealed] = CIPHERTEXT.exec(stored as string) ?? []
  if (fingerprint === undefined) throw noCiphertextOf(LIBRARY, 'it only begins like one, so that it was cut or changed')
  const key = keys.get(fingerprint.toLowerCase())
  if (key === undefined) throw unknownKey(fingerprint, keys.size === 0)
  const bytes = Buffer.from(sealed!, 'base64url')
  const tag = bytes.length - TAG_BYTES
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(nonce!), { authTagLength: TAG_BYTES })
    decipher.setAuthTag(bytes.subarray(tag))
    return Buffer.concat([decipher.update(bytes.subarray(0, tag)), decipher.final()])
  } catch {
    throw notOpened(LIBRARY, 'another key with the same fingerprint made it')
  }
}

function nonceOf(text: string): Buffer {
  return Buffer.from(text, 'base64url').subarray(0, NONCE_BYTES)
}

function unknownKey(fingerprint: string, isUnexpected: boolean): FormerFailure {
  const advice = isUnexpected
    ? 'mark the field as migrating, and name it in "migratingFrom" with prismaFieldEncryption({ … })'
    : 'add that key to "decryptionKeys" of prismaFieldEncryption'
  const what = isUnexpected
    ? 'whose keys are not given'
    : `under a key with the fingerprint ${fingerprint}, which is not given`
  return new FormerFailure('KEY_NOT_FOUND', `holds a ciphertext of ${LIBRARY} ${what}: ${advice}`)
}

function parsedKey(text: string): KeyObject {
  const [, key] = KEY.exec(text) ?? []
  if (key === undefined) throw invalid('takes keys that begin with k1.aesgcm256., and one of them is none')
  return createSecretKey(key, 'base64url')
}

/** Of the key's text. */
function fingerprintOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}
