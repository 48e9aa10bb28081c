import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, randomUUID } from 'node:crypto'
import { ApiError } from './apiError.js'

export type CmkState = 'Enabled' | 'Disabled' | 'PendingDelete' | 'PendingImport' | 'Archived'

/** A customer master key (Tencent's word for the KEK) with all versions of its key material, oldest first. */
export interface Cmk {
  readonly keyId: string
  alias: string
  description: string
  state: CmkState
  rotation: boolean
  readonly versions: Buffer[]
  /** Seconds since the epoch, as in the API. */
  readonly createTime: number
  lastRotateTime: number
  deletionDate: number
}

/** What a ciphertext blob was sealed with. */
export interface BlobKey {
  readonly keyId: string
  readonly version: number
}

export function newCmk(options: { alias: string; keyId?: string; description?: string; now: number }): Cmk {
  const { alias, keyId = randomUUID(), description = '', now } = options
  const versions = [randomBytes(32)]
  const createTime = Math.floor(now / 1000)
  return {
    keyId,
    alias,
    description,
    state: 'Enabled',
    rotation: false,
    versions,
    createTime,
    lastRotateTime: 0,
    deletionDate: 0,
  }
}

/** Seals under the newest version, in the outer form of Tencent's blobs: base64, `-k-`, base64, `-k-`, base64. */
export function seal(cmk: Cmk, plaintext: Buffer, context: string): string {
  const version = cmk.versions.length - 1
  const salt = randomBytes(32)
  const cipher = createCipheriv('aes-256-gcm', blobKey(cmk, version, salt), NONCE).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
  return [Buffer.from(`${cmk.keyId}#${version}`), salt, sealed].map((part) => part.toString('base64')).join('-k-')
}

/** Opens a blob of this CMK; the context must be the same text. */
export function unseal(cmk: Cmk, blob: string, context: string): Buffer {
  const [, salt, sealed] = parts(blob)
  try {
    const key = blobKey(cmk, blobKeyOf(blob).version, salt)
    const decipher = createDecipheriv('aes-256-gcm', key, NONCE).setAAD(Buffer.from(context))
    decipher.setAuthTag(sealed.subarray(-TAG))
    return Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()])
  } catch {
    throw invalidCiphertext()
  }
}

export function blobKeyOf(blob: string): BlobKey {
  const [head] = parts(blob)
  const [, keyId = '', version = ''] = /^([\w-]+)#(\d{1,6})$/.exec(head.toString()) ?? []
  if (!keyId) throw invalidCiphertext()
  return { keyId, version: Number(version) }
}

const TAG = 16
/** Each blob has a key of its own, so the nonce may be constant. */
const NONCE = Buffer.alloc(12)

function blobKey(cmk: Cmk, version: number, salt: Buffer): Buffer {
  const material = cmk.versions[version]
  if (!material) throw invalidCiphertext()
  return Buffer.from(hkdfSync('sha256', material, salt, 'kms-emulator blob', 32))
}

function parts(blob: string): [head: Buffer, salt: Buffer, sealed: Buffer] {
  const [head, salt, sealed, ...more] = blob.split('-k-').map(decode)
  if (!head || !salt || !sealed || more.length > 0 || sealed.length <= TAG) throw invalidCiphertext()
  return [head, salt, sealed]
}

/** Only canonical base64, so that no character of a blob can be changed unnoticed. */
function decode(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64')
  return bytes.toString('base64') === part ? bytes : undefined
}

function invalidCiphertext(): ApiError {
  return new ApiError(
    'InvalidParameterValue.InvalidCiphertext',
    'The ciphertext or its encryption context is not valid.',
  )
}
