import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { GrpcError } from './grpcError.js'

/** https://cloud.google.com/kms/docs/key-states; the states of asymmetric, imported and external keys are not here. */
export type VersionState = 'ENABLED' | 'DISABLED' | 'DESTROY_SCHEDULED' | 'DESTROYED'

export type ProtectionLevel = 'SOFTWARE' | 'HSM'

/** A version of a key, with its material. */
export interface CryptoKeyVersion {
  /** Resource name. */
  readonly name: string
  readonly protectionLevel: ProtectionLevel
  state: VersionState
  /** 16 bytes by which ciphertexts name it. */
  readonly id: Buffer
  /** `null` once destroyed. */
  material: Buffer | null
  /** Milliseconds since the epoch, as are the others. */
  readonly createTime: number
  /** When it will be destroyed, where that is scheduled. */
  destroyTime?: number | undefined
  /** When it was destroyed. */
  destroyEventTime?: number | undefined
}

/** A key for symmetric encryption (`ENCRYPT_DECRYPT`), with all its versions, oldest first. */
export interface CryptoKey {
  /** Resource name. */
  readonly name: string
  readonly protectionLevel: ProtectionLevel
  readonly createTime: number
  readonly versions: CryptoKeyVersion[]
  /** The version that encrypts; none until there is one. */
  primary: CryptoKeyVersion | undefined
  /** Milliseconds between two rotations, where they are scheduled. */
  rotationPeriod?: number | undefined
  nextRotationTime?: number | undefined
  /** Milliseconds for which a version is scheduled for destruction. */
  readonly destroyScheduledDuration: number
}

const DAY = 86_400_000

/** https://cloud.google.com/kms/docs/destroy-restore */
export const DESTROY_SCHEDULED_DURATION = 30 * DAY

export function newVersion(key: CryptoKey, now: number): CryptoKeyVersion {
  const { name, protectionLevel, versions } = key
  return {
    name: `${name}/cryptoKeyVersions/${versions.length + 1}`,
    protectionLevel,
    state: 'ENABLED',
    id: randomBytes(16),
    material: randomBytes(32),
    createTime: now,
  }
}

/** @throws GrpcError `FAILED_PRECONDITION` for a version that cannot be used now */
export function usable({ name, state, material }: CryptoKeyVersion): Buffer {
  if (state === 'ENABLED' && material) return material
  const violation = { type: `KEY_${state}`, subject: name }
  throw new GrpcError('FAILED_PRECONDITION', `${name} is not enabled, current state is: ${state}.`, { violation })
}

/** What every ciphertext begins with, followed by the id of its version. */
const MAGIC = Buffer.from('0a2400', 'hex')
const [ID, SALT, NONCE, TAG] = [16, 32, Buffer.alloc(12), 16]
const SALT_AT = MAGIC.length + ID
const SEALED_AT = SALT_AT + SALT

/** Each ciphertext has a key of its own, so the nonce may be constant. */
function keyOf(material: Buffer, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', material, salt, 'google-kms-emulator ciphertext', 32))
}

export function seal(version: CryptoKeyVersion, plaintext: Uint8Array, aad: Uint8Array): Buffer {
  const salt = randomBytes(SALT)
  const cipher = createCipheriv('aes-256-gcm', keyOf(usable(version), salt), NONCE).setAAD(aad)
  return Buffer.concat([MAGIC, version.id, salt, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** The version of this key that a ciphertext names. */
export function versionOf({ versions }: CryptoKey, ciphertext: Buffer): CryptoKeyVersion | undefined {
  if (!ciphertext.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  return versions.find(({ id }) => id.equals(ciphertext.subarray(MAGIC.length, SALT_AT)))
}

/** @throws GrpcError `INVALID_ARGUMENT` for a ciphertext or additional data that were changed */
export function unseal(version: CryptoKeyVersion, ciphertext: Buffer, aad: Uint8Array): Buffer {
  const material = usable(version)
  try {
    const key = keyOf(material, ciphertext.subarray(SALT_AT, SEALED_AT))
    const decipher = createDecipheriv('aes-256-gcm', key, NONCE, { authTagLength: TAG }).setAAD(aad)
    decipher.setAuthTag(ciphertext.subarray(-TAG))
    return Buffer.concat([decipher.update(ciphertext.subarray(SEALED_AT, -TAG)), decipher.final()])
  } catch {
    throw new GrpcError('INVALID_ARGUMENT', 'Decryption failed: the ciphertext is invalid.')
  }
}
