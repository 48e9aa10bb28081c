import { constants, createPublicKey, type KeyObject, publicEncrypt, type RsaPublicKey } from 'node:crypto'
import { ApiError } from './apiError.js'
import { optionalText, type Parameters } from './parameters.js'

/** The parameters that ask for an answer which only the caller's private key opens. */
export const SEALING = ['EncryptionPublicKey', 'EncryptionAlgorithm'] as const

const BITS = 2048

/** Tencent's names. SM2, its default, is not among them: OpenSSL encrypts with SM2 keys in no form that Tencent takes. */
const PADDINGS: { readonly [algorithm: string]: { readonly padding: number; readonly oaepHash?: string } } = {
  RSAES_PKCS1_V1_5: { padding: constants.RSA_PKCS1_PADDING },
  RSAES_OAEP_SHA_1: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
  RSAES_OAEP_SHA_256: { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' },
}

/** How a plaintext is answered: as base64, or as base64 of what was encrypted to the caller's key. It zeroes the bytes. */
export function answerer(parameters: Parameters): (plaintext: Buffer) => string {
  const pem = optionalText(parameters, 'EncryptionPublicKey')
  if (!pem) return spend
  const padding = PADDINGS[optionalText(parameters, 'EncryptionAlgorithm') || 'SM2']
  if (!padding)
    throw invalidParameter('EncryptionAlgorithm must be one of RSAES_…; the emulator has no SM2, the default.')
  const key = publicKey(pem)
  return (plaintext) => {
    const sealed = encrypted({ key, ...padding }, plaintext)
    plaintext.fill(0)
    return sealed.toString('base64')
  }
}

function encrypted(how: RsaPublicKey, plaintext: Buffer): Buffer {
  try {
    return publicEncrypt(how, plaintext)
  } catch {
    throw invalidParameter('The plaintext is too long to be encrypted to EncryptionPublicKey.')
  }
}

/** Encodes bytes for the answer and zeroes them: the emulator keeps no plaintext. */
export function spend(bytes: Buffer): string {
  const text = bytes.toString('base64')
  bytes.fill(0)
  return text
}

function publicKey(pem: string): KeyObject {
  const key = parsed(pem)
  const fits = key?.asymmetricKeyType === 'rsa' && key.asymmetricKeyDetails?.modulusLength === BITS
  if (!fits) throw invalidParameter(`EncryptionPublicKey must be the PEM of an RSA public key of ${BITS} bits.`)
  return key
}

function parsed(pem: string): KeyObject | undefined {
  try {
    return pem.includes('-----BEGIN PUBLIC KEY-----') ? createPublicKey(pem) : undefined
  } catch {
    return undefined
  }
}

function invalidParameter(message: string): ApiError {
  return new ApiError('InvalidParameter', message)
}
