import { crc32c } from '../../kms/google/crc32c.js'
import type { Action, Fields } from './action.js'
import { type CryptoKeyVersion, seal, unseal, versionOf } from './cryptoKey.js'
import { GrpcError } from './grpcError.js'

const KIB = 1024
const MOST = 64 * KIB
/** Of plaintext and additional data together, with a key of Cloud HSM. */
const MOST_OF_HSM = 8 * KIB

/** https://cloud.google.com/kms/docs/reference/rpc/google.cloud.kms.v1#google.cloud.kms.v1.KeyManagementService.Encrypt */
export const encrypt: Action = {
  permission: 'cloudkms.cryptoKeyVersions.useToEncrypt',
  quota: 'crypto_requests',
  resource: ({ name }) => keyOf(String(name)),
  run: (request, { keyRings }) => {
    const { name, plaintext, additionalAuthenticatedData: aad } = read(request, 'plaintext')
    const version = isVersion(name) ? keyRings.version(name) : (keyRings.key(name).primary ?? withoutPrimary(name))
    checkSizes(version, plaintext, aad)
    const ciphertext = seal(version, plaintext, aad)
    return {
      name: version.name,
      ciphertext,
      ciphertextCrc32c: { value: crc32c(ciphertext) },
      verifiedPlaintextCrc32c: verified(request, 'plaintext'),
      verifiedAdditionalAuthenticatedDataCrc32c: verified(request, 'additionalAuthenticatedData'),
      protectionLevel: version.protectionLevel,
    }
  },
}

/** https://cloud.google.com/kms/docs/reference/rpc/google.cloud.kms.v1#google.cloud.kms.v1.KeyManagementService.Decrypt */
export const decrypt: Action = {
  permission: 'cloudkms.cryptoKeyVersions.useToDecrypt',
  quota: 'crypto_requests',
  resource: ({ name }) => String(name),
  run: (request, { keyRings }) => {
    const { name, ciphertext, additionalAuthenticatedData: aad } = read(request, 'ciphertext')
    const key = keyRings.key(name)
    verified(request, 'ciphertext')
    verified(request, 'additionalAuthenticatedData')
    const version = versionOf(key, ciphertext)
    if (!version)
      throw new GrpcError('INVALID_ARGUMENT', "Decryption failed: verify that 'name' refers to the correct CryptoKey.")
    const plaintext = unseal(version, ciphertext, aad)
    return {
      plaintext,
      plaintextCrc32c: { value: crc32c(plaintext) },
      usedPrimary: version === key.primary,
      protectionLevel: version.protectionLevel,
    }
  },
}

type Bytes = 'plaintext' | 'ciphertext' | 'additionalAuthenticatedData'

function read<Name extends Bytes>(request: Fields, data: Name) {
  const { name, additionalAuthenticatedData = Buffer.alloc(0) } = request
  const bytes = request[data] as Buffer
  if (!name || bytes.length === 0)
    throw new GrpcError('INVALID_ARGUMENT', `The field ${name ? data : 'name'} is required.`)
  const fields = { name, additionalAuthenticatedData, [data]: bytes }
  return fields as { readonly name: string; readonly additionalAuthenticatedData: Buffer } & {
    readonly [N in Name]: Buffer
  }
}

/** Whether a checksum came; one that does not match is an error, https://cloud.google.com/kms/docs/data-integrity-guidelines */
function verified(request: Fields, field: Bytes): boolean {
  const sum = request[`${field}Crc32c`] as { readonly value: string | number } | null | undefined
  if (!sum) return false
  if (String(sum.value) === String(crc32c(request[field] as Buffer))) return true
  const name = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  throw new GrpcError(
    'INVALID_ARGUMENT',
    `The checksum in field ${name}_crc32c did not match the data in field ${name}.`,
  )
}

function checkSizes({ protectionLevel }: CryptoKeyVersion, plaintext: Buffer, aad: Buffer): void {
  const fits =
    protectionLevel === 'HSM'
      ? plaintext.length + aad.length <= MOST_OF_HSM
      : plaintext.length <= MOST && aad.length <= MOST
  if (fits) return
  const most = protectionLevel === 'HSM' ? '8KiB together' : '64KiB each'
  const message = `plaintext and additional_authenticated_data must be no larger than ${most}.`
  throw new GrpcError('INVALID_ARGUMENT', message)
}

function isVersion(name: string): boolean {
  return name.includes('/cryptoKeyVersions/')
}

function keyOf(name: string): string {
  return name.split('/cryptoKeyVersions/')[0]!
}

function withoutPrimary(name: string): never {
  throw new GrpcError('FAILED_PRECONDITION', `${name} has no primary version.`)
}
