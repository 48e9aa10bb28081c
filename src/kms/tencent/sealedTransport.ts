import { webcrypto } from 'node:crypto'

/** What asks Tencent KMS to encrypt the plaintext of its answer. */
export interface SealedRequest {
  /** PEM of a SubjectPublicKeyInfo; Tencent takes RSA keys of 2,048 bits. */
  readonly EncryptionPublicKey: string
  /** Tencent takes SM2 unless it is named. */
  readonly EncryptionAlgorithm: 'RSAES_OAEP_SHA_256'
}

/** A key pair to which answers are encrypted. */
export interface SealedTransport {
  readonly request: SealedRequest
  /** The plaintext of an answer, in memory of its own; `null` for one that was not encrypted to this key pair. */
  open(text: unknown): Promise<Buffer | null>
}

const BITS = 2048
const RSA_OAEP = { name: 'RSA-OAEP', hash: 'SHA-256' } as const
const EXPONENT = new Uint8Array([1, 0, 1])

let ofThisProcess: Promise<SealedTransport> | undefined

/**
 * The key pair of this process, made at the first use. WebCrypto keeps the private key where JavaScript cannot read it,
 * and works outside the main thread: decrypting takes about a millisecond.
 */
export function sealedTransport(): Promise<SealedTransport> {
  ofThisProcess ??= makeTransport().catch((error: unknown) => {
    ofThisProcess = undefined
    throw error
  })
  return ofThisProcess
}

async function makeTransport(): Promise<SealedTransport> {
  const algorithm = { ...RSA_OAEP, modulusLength: BITS, publicExponent: EXPONENT }
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])
  const EncryptionPublicKey = pem(Buffer.from(await webcrypto.subtle.exportKey('spki', publicKey)))
  return {
    request: { EncryptionPublicKey, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' },
    open: async (text) => {
      const sealed = decodeSealed(text)
      return sealed && decrypt(privateKey, sealed)
    },
  }
}

async function decrypt(key: webcrypto.CryptoKey, sealed: Buffer): Promise<Buffer | null> {
  return webcrypto.subtle.decrypt(RSA_OAEP, key, sealed).then(
    (bytes) => Buffer.from(bytes),
    () => null,
  )
}

/** Canonical base64 of exactly one RSA block. */
function decodeSealed(text: unknown): Buffer | null {
  if (typeof text !== 'string' || text.length !== Math.ceil(BITS / 8 / 3) * 4) return null
  const sealed = Buffer.from(text, 'base64')
  return sealed.length === BITS / 8 && sealed.toString('base64') === text ? sealed : null
}

function pem(spki: Buffer): string {
  const lines = spki.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN PUBLIC KEY-----', ...lines, '-----END PUBLIC KEY-----', ''].join('\n')
}
