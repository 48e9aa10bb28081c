import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { decodeBase64url } from '../../crypto/bytes.js'
import { AzureApiError, badParameter } from './azureApiError.js'
import type { HsmKey, HsmKeyVersion } from './hsmKey.js'

/** The body of a request. */
export type Parameters = { readonly [name: string]: unknown }

/** A version of a key, and what is asked of it. */
export interface CryptoRequest {
  readonly key: HsmKey
  readonly version: HsmKeyVersion
  readonly parameters: Parameters
  /** Seconds since the epoch. */
  readonly now: number
}

/** Bits of the key by algorithm. */
const ALGORITHMS: { readonly [algorithm: string]: number } = { A128GCM: 128, A192GCM: 192, A256GCM: 256 }
const IV_BYTES = 12
const TAG_BYTES = 16

/** Encrypts; the service makes the IV, and takes none. */
export function encrypt(request: CryptoRequest): object {
  const { version, parameters } = request
  const cipherName = expectAlgorithm(request)
  expectUsable(request, 'encrypt')
  expectDates(request)
  if (parameters.iv !== undefined) throw badParameter('The IV is made by the service: iv must not be given.')
  const [plaintext, aad] = [requiredBytes(parameters, 'value'), optionalBytes(parameters, 'aad')]
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv(cipherName, version.material, iv).setAAD(aad)
  const value = Buffer.concat([cipher.update(plaintext), cipher.final()])
  plaintext.fill(0)
  const parts = { value, iv, tag: cipher.getAuthTag(), ...(aad.length === 0 ? {} : { aad }) }
  return Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, bytes.toString('base64url')]))
}

/** Decrypts, also with a version that has expired or is not valid yet: "date-time controlled operations". */
export function decrypt(request: CryptoRequest): object {
  const { version, parameters } = request
  const cipherName = expectAlgorithm(request)
  expectUsable(request, 'decrypt')
  const [iv, tag] = [requiredBytes(parameters, 'iv'), requiredBytes(parameters, 'tag')]
  if (iv.length !== IV_BYTES || tag.length !== TAG_BYTES) throw badParameter('iv takes 12 bytes, and tag 16.')
  const decipher = createDecipheriv(cipherName, version.material, iv)
    .setAAD(optionalBytes(parameters, 'aad'))
    .setAuthTag(tag)
  const plaintext = decipher.update(requiredBytes(parameters, 'value'))
  try {
    decipher.final()
    return { value: plaintext.toString('base64url') }
  } catch {
    throw badParameter('Decryption failed.')
  } finally {
    plaintext.fill(0)
  }
}

/** learn.microsoft.com/azure/key-vault/keys/about-keys-details#key-attributes */
function expectUsable({ version }: CryptoRequest, operation: string): void {
  if (!version.enabled)
    throw new AzureApiError('KeyDisabled', `Operation ${operation} is not allowed on a disabled key.`)
  if (version.operations.includes(operation)) return
  throw new AzureApiError('KeyOperationForbidden', `Operation ${operation} is not permitted on this key.`)
}

function expectDates({ version: { notBefore, expires }, now }: CryptoRequest): void {
  if (notBefore !== undefined && now < notBefore)
    throw new AzureApiError('KeyNotYetValid', 'Operation encrypt is not allowed on a key that is not yet valid.')
  if (expires !== undefined && now >= expires)
    throw new AzureApiError('KeyExpired', 'Operation encrypt is not allowed on an expired key.')
}

function expectAlgorithm({ key, parameters }: CryptoRequest): 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' {
  const algorithm = String(parameters.alg)
  const size = Object.hasOwn(ALGORITHMS, algorithm) ? ALGORITHMS[algorithm] : undefined
  if (size === undefined) throw badParameter('The algorithm does not exist, or the emulator does not know it.')
  if (key.type === 'oct-HSM' && key.size === size) return `aes-${size as 128 | 192 | 256}-gcm`
  throw badParameter(`Key and algorithm are incompatible: the key is of type ${key.type} with ${key.size} bits.`)
}

function requiredBytes(parameters: Parameters, name: string): Buffer {
  const text = parameters[name]
  const bytes = typeof text === 'string' ? decodeBase64url(text) : null
  if (bytes && bytes.length > 0) return bytes
  throw badParameter(`Property ${name} has invalid value`)
}

function optionalBytes(parameters: Parameters, name: string): Buffer {
  return parameters[name] === undefined ? Buffer.alloc(0) : requiredBytes(parameters, name)
}
