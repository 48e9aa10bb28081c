import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { refused, VaultError } from './vaultError.js'

const TYPES = {
  'aes256-gcm96': { cipher: 'aes-256-gcm', bytes: 32 },
  'aes128-gcm96': { cipher: 'aes-128-gcm', bytes: 16 },
  'chacha20-poly1305': { cipher: 'chacha20-poly1305', bytes: 32 },
} as const

export type TransitKeyType = keyof typeof TYPES

/** How a key is made. https://developer.hashicorp.com/vault/api-docs/secret/transit#create-key */
export interface TransitKeySettings {
  readonly type?: TransitKeyType
  readonly derived?: boolean
  readonly convergent_encryption?: boolean
  readonly exportable?: boolean
  readonly allow_plaintext_backup?: boolean
}

/** A named key of the transit engine with all its versions. */
export interface TransitKey {
  readonly name: string
  readonly type: TransitKeyType
  readonly derived: boolean
  readonly convergent: boolean
  exportable: boolean
  plaintextBackup: boolean
  deletionAllowed: boolean
  minAvailableVersion: number
  minDecryptionVersion: number
  minEncryptionVersion: number
  softDeleted: boolean
  /** Version 1 first; trimmed ones are empty. */
  versions: readonly KeyVersion[]
}

export interface KeyVersion {
  /** Seconds since the epoch. */
  readonly created: number
  readonly key: Buffer
}

const NONCE_BYTES = 12
const TAG_BYTES = 16

export function isTransitKeyType(value: unknown): value is TransitKeyType {
  return typeof value === 'string' && Object.hasOwn(TYPES, value)
}

export function newVersion(type: TransitKeyType, now: number): KeyVersion {
  return { created: Math.floor(now / 1000), key: randomBytes(TYPES[type].bytes) }
}

export function latestVersion({ versions }: TransitKey): number {
  return versions.length
}

/** `vault:v<version>:<base64>`, under the newest version unless one is named. */
export function encrypt(key: TransitKey, plaintext: Buffer, context: Buffer, version = 0): string {
  expectUsable(key)
  const used = version === 0 ? latestVersion(key) : version
  if (used < 0) throw refused('requested version for encryption is negative')
  if (used > latestVersion(key)) throw refused('requested version for encryption is higher than the latest key version')
  if (used < key.minEncryptionVersion)
    throw refused('requested version for encryption is less than the minimum encryption key version')
  const secret = derived(key, used, context)
  const nonce = key.convergent
    ? createHmac('sha256', secret).update(plaintext).digest().subarray(0, NONCE_BYTES)
    : randomBytes(NONCE_BYTES)
  // The cast is for createCipheriv's overloads: each of these ciphers has a tag of 16 bytes.
  const cipher = createCipheriv(cipherOf(key), secret, nonce, { authTagLength: TAG_BYTES })
  const body = Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return `vault:v${used}:${body.toString('base64')}`
}

/** Reads as Vault does, which takes more forms than it gives: `v01`, and `v0` for `v1`. */
export function decrypt(key: TransitKey, text: string, context: Buffer): Buffer {
  expectUsable(key)
  if (!text.startsWith('vault:v')) throw refused('invalid ciphertext: no prefix')
  const [number, ...rest] = text.slice('vault:v'.length).split(':')
  if (rest.length === 0) throw refused('invalid ciphertext: wrong number of fields')
  if (!/^[+-]?\d+$/.test(number!)) throw refused('invalid ciphertext: version number could not be decoded')
  const version = Number(number) || 1
  if (version > latestVersion(key)) throw refused('invalid ciphertext: version is too new')
  if (version < key.minDecryptionVersion)
    throw refused('ciphertext or signature version is disallowed by policy (too old)')
  const bytes = Buffer.from(rest.join(':'), 'base64')
  if (bytes.toString('base64') !== rest.join(':')) throw refused('invalid ciphertext: could not decode base64')
  const secret = derived(key, version, context)
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw refused('invalid ciphertext length')
  return opened(key, secret, bytes)
}

function opened(key: TransitKey, secret: Buffer, bytes: Buffer): Buffer {
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv(cipherOf(key), secret, nonce, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  const plaintext = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    return Buffer.concat([plaintext, decipher.final()])
  } catch {
    throw new NotAuthentic()
  }
}

/** Neither a mistake of the user nor an error inside, by Vault's own types: so one path answers 400, and another 500. */
export class NotAuthentic extends VaultError {
  constructor() {
    super(400, ['cipher: message authentication failed'])
  }
}

/** HKDF-SHA-256 with the context as info: `kdf: hkdf_sha256`. A key that is not derived looks at no context. */
function derived(key: TransitKey, version: number, context: Buffer): Buffer {
  const { key: secret } = key.versions[version - 1]!
  if (key.derived && context.length === 0)
    throw refused(
      "missing 'context' for key derivation; the key was created using a derived key, which means additional, " +
        'per-request information must be included in order to perform operations with the key',
    )
  if (secret.length === 0) throw refused('no such key version')
  if (!key.derived) return secret
  return Buffer.from(hkdfSync('sha256', secret, '', context, TYPES[key.type].bytes))
}

function cipherOf({ type }: TransitKey) {
  return TYPES[type].cipher as 'aes-256-gcm'
}

/** OpenBao: a soft-deleted key can be read and restored, and nothing else. */
function expectUsable({ softDeleted }: TransitKey): void {
  if (softDeleted) throw refused('policy has been soft-deleted')
}
