import { randomBytes } from 'node:crypto'
import { AwsApiError, invalid } from './awsApiError.js'
import { authorize } from './awsCredentials.js'
import type { AwsKey } from './awsKey.js'
import { keyIdOf, openBlob, sealBlob } from './ciphertextBlob.js'
import { choice, contextOf, integer, optionalText, type Parameters, requiredBytes, requiredText } from './parameters.js'
import { type Action, usableKey, type World } from './world.js'

/** docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html and API_Decrypt.html */
const MOST_PLAINTEXT_BYTES = 4096
const MOST_BLOB_BYTES = 6144
const SPEC_BYTES: { readonly [spec: string]: number } = { AES_128: 16, AES_256: 32 }
const SYMMETRIC = 'SYMMETRIC_DEFAULT'

/** The actions that use key material; all share one request quota. */
export const cryptoActions: { readonly [name: string]: Action } = {
  GenerateDataKey: (parameters, world) => {
    const { plaintext, ...answer } = dataKey('GenerateDataKey', parameters, world)
    return { ...answer, Plaintext: spend(plaintext) }
  },
  GenerateDataKeyWithoutPlaintext: (parameters, world) => {
    const { plaintext, ...answer } = dataKey('GenerateDataKeyWithoutPlaintext', parameters, world)
    plaintext.fill(0)
    return answer
  },
  Encrypt: (parameters, world) => {
    const encryptionContext = contextOf(parameters)
    const key = usableKey(requiredText(parameters, 'KeyId'), { permission: 'kms:Encrypt', encryptionContext }, world)
    choice(parameters, 'EncryptionAlgorithm', [SYMMETRIC])
    const plaintext = requiredBytes(parameters, 'Plaintext', MOST_PLAINTEXT_BYTES)
    const blob = sealBlob(key, plaintext, encryptionContext)
    plaintext.fill(0)
    return { CiphertextBlob: blob.toString('base64'), KeyId: key.arn, EncryptionAlgorithm: SYMMETRIC }
  },
  Decrypt: (parameters, world) => {
    choice(parameters, 'EncryptionAlgorithm', [SYMMETRIC])
    const { key, opened } = openOf(
      parameters,
      { keyId: 'KeyId', context: 'EncryptionContext', permission: 'kms:Decrypt' },
      world,
    )
    const { material, plaintext } = opened
    const answer = { KeyId: key.arn, EncryptionAlgorithm: SYMMETRIC, KeyMaterialId: material.id }
    return { ...answer, Plaintext: spend(plaintext) }
  },
  ReEncrypt: (parameters, world) => {
    const source = { keyId: 'SourceKeyId', context: 'SourceEncryptionContext', permission: 'kms:ReEncryptFrom' }
    const { key, opened } = openOf(parameters, source, world)
    const encryptionContext = contextOf(parameters, 'DestinationEncryptionContext')
    const use = { permission: 'kms:ReEncryptTo', encryptionContext }
    const destination = usableKey(requiredText(parameters, 'DestinationKeyId'), use, world)
    const blob = sealBlob(destination, opened.plaintext, encryptionContext)
    opened.plaintext.fill(0)
    return {
      CiphertextBlob: blob.toString('base64'),
      SourceKeyId: key.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: SYMMETRIC,
      DestinationEncryptionAlgorithm: SYMMETRIC,
      SourceKeyMaterialId: opened.material.id,
      DestinationKeyMaterialId: destination.materials.at(-1)?.id,
    }
  },
  GenerateRandom: (parameters, { credential }) => {
    authorize(credential, 'kms:GenerateRandom', '*')
    const bytes = integer(parameters, 'NumberOfBytes', { min: 1, max: 1024 })
    if (bytes === undefined) throw invalid('NumberOfBytes is required.')
    return { Plaintext: spend(randomBytes(bytes)) }
  },
}

function dataKey(action: string, parameters: Parameters, world: World) {
  const encryptionContext = contextOf(parameters)
  const key = usableKey(requiredText(parameters, 'KeyId'), { permission: `kms:${action}`, encryptionContext }, world)
  const plaintext = randomBytes(dataKeyBytes(parameters))
  const CiphertextBlob = sealBlob(key, plaintext, encryptionContext).toString('base64')
  return { plaintext, CiphertextBlob, KeyId: key.arn, KeyMaterialId: key.materials.at(-1)?.id }
}

interface Opening {
  /** The names of the parameters. */
  readonly keyId: string
  readonly context: string
  readonly permission: string
}

function openOf(parameters: Parameters, { keyId, context, permission }: Opening, world: World) {
  const blob = requiredBytes(parameters, 'CiphertextBlob', MOST_BLOB_BYTES)
  const encryptionContext = contextOf(parameters, context)
  const identifier = optionalText(parameters, keyId) ?? sourceOf(blob, world).arn
  const key = usableKey(identifier, { permission, encryptionContext }, world)
  return { key, opened: openBlob(key, blob, encryptionContext) }
}

/** Of a symmetric ciphertext the service finds the key itself, if it is of this account and region. */
function sourceOf(blob: Buffer, { keys }: World): AwsKey {
  const keyId = keyIdOf(blob)
  const found = keys.list.find((key) => key.keyId === keyId)
  if (found) return found
  const message =
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.'
  throw new AwsApiError('AccessDeniedException', message)
}

/** Either of the two, not both. */
function dataKeyBytes(parameters: Parameters): number {
  const bytes = integer(parameters, 'NumberOfBytes', { min: 1, max: 1024 })
  const spec = optionalText(parameters, 'KeySpec')
  if ((bytes === undefined) === (spec === undefined))
    throw invalid('Please specify either number of bytes or key spec.')
  const size = bytes ?? SPEC_BYTES[spec ?? '']
  if (size !== undefined) return size
  throw invalid(`Value '${spec}' at 'keySpec' must be one of AES_256, AES_128`)
}

/** Makes a plaintext the text of an answer, and leaves zeros. */
function spend(plaintext: Buffer): string {
  const text = plaintext.toString('base64')
  plaintext.fill(0)
  return text
}
