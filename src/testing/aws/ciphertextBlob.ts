import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { AwsApiError } from './awsApiError.js'
import type { AwsKey, KeyMaterial } from './awsKey.js'

/** What an encryption context is before it is bound: a map of strings. */
export type Context = { readonly [key: string]: string }

/** How the service's blobs begin, too. */
const MAGIC = Buffer.from([1, 2, 2, 0, 0x78])
const MATERIAL = 32
const SALT = 32
const TAG = 16
/** Each blob has a key of its own, so the nonce may be constant. */
const NONCE = Buffer.alloc(12)

/** Seals under the newest key material: magic ‖ length and text of the key id ‖ id of the material ‖ salt ‖ sealed. */
export function sealBlob({ keyId, materials }: AwsKey, plaintext: Buffer, context: Context): Buffer {
  const material = materials.at(-1)!
  const salt = randomBytes(SALT)
  const head = Buffer.concat([MAGIC, lengthPrefixed(keyId), Buffer.from(material.id, 'hex'), salt])
  const cipher = createCipheriv('aes-256-gcm', blobKey(material, salt), NONCE).setAAD(aadOf(head, context))
  return Buffer.concat([head, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** @throws AwsApiError `InvalidCiphertextException`, `IncorrectKeyException` */
export function openBlob(key: AwsKey, blob: Buffer, context: Context): { material: KeyMaterial; plaintext: Buffer } {
  const { keyId, materialId, salt, head, sealed } = partsOf(blob)
  if (keyId !== key.keyId) {
    const message = 'The key ID in the request does not identify a CMK that can perform this operation.'
    throw new AwsApiError('IncorrectKeyException', message)
  }
  const material = key.materials.find(({ id }) => id === materialId)
  if (!material) throw invalidCiphertext()
  try {
    const decipher = createDecipheriv('aes-256-gcm', blobKey(material, salt), NONCE).setAAD(aadOf(head, context))
    decipher.setAuthTag(sealed.subarray(-TAG))
    return { material, plaintext: Buffer.concat([decipher.update(sealed.subarray(0, -TAG)), decipher.final()]) }
  } catch {
    throw invalidCiphertext()
  }
}

/** The id of the key that a blob was sealed with. */
export function keyIdOf(blob: Buffer): string {
  return partsOf(blob).keyId
}

function partsOf(blob: Buffer) {
  const idEnd = MAGIC.length + 1 + (blob[MAGIC.length] ?? 0)
  const [materialEnd, saltEnd] = [idEnd + MATERIAL, idEnd + MATERIAL + SALT]
  if (!blob.subarray(0, MAGIC.length).equals(MAGIC) || blob.length <= saltEnd + TAG) throw invalidCiphertext()
  return {
    keyId: blob.subarray(MAGIC.length + 1, idEnd).toString(),
    materialId: blob.subarray(idEnd, materialEnd).toString('hex'),
    salt: blob.subarray(materialEnd, saltEnd),
    head: blob.subarray(0, saltEnd),
    sealed: blob.subarray(saltEnd),
  }
}

function blobKey({ bytes }: KeyMaterial, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', bytes, salt, 'aws-kms-emulator blob', 32))
}

/** The order of the fields does not count, their text does. */
function aadOf(head: Buffer, context: Context): Buffer {
  const fields = Object.keys(context).sort()
  return Buffer.concat([head, Buffer.from(JSON.stringify(fields.map((name) => [name, context[name]])))])
}

function lengthPrefixed(text: string): Buffer {
  return Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)])
}

/** The service says no more than this, either: its message is null. */
function invalidCiphertext(): AwsApiError {
  return new AwsApiError('InvalidCiphertextException', '')
}
