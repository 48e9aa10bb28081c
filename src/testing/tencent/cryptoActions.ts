import { randomBytes } from 'node:crypto'
import { ApiError } from './apiError.js'
import { seal } from './cmk.js'
import type { Cmks } from './cmks.js'
import { encryptionContext, integer, optionalText, type Parameters, requiredText } from './parameters.js'
import { answerer, SEALING, spend } from './sealedAnswer.js'

export interface World {
  readonly cmks: Cmks
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** An action of the API: the parameters it knows and what it answers. */
export interface Action {
  readonly takes: readonly string[]
  readonly run: (parameters: Parameters, world: World) => object
}

const MAX_PLAINTEXT_BYTES = 4096
const SPEC_BYTES = { AES_128: 16, AES_256: 32 } as const

/** The actions that use key material. */
export const cryptoActions: { readonly [name: string]: Action } = {
  GenerateDataKey: {
    takes: ['KeyId', 'KeySpec', 'NumberOfBytes', 'EncryptionContext', ...SEALING],
    run: (parameters, { cmks }) => {
      const cmk = cmks.forEncryption(requiredText(parameters, 'KeyId'))
      const answer = answerer(parameters)
      const plaintext = randomBytes(dataKeyBytes(parameters))
      const CiphertextBlob = seal(cmk, plaintext, encryptionContext(parameters))
      return { KeyId: cmk.keyId, Plaintext: answer(plaintext), CiphertextBlob, DataKeyId: '', TagCode: 0, TagMsg: '' }
    },
  },
  Encrypt: {
    takes: ['KeyId', 'Plaintext', 'EncryptionContext'],
    run: (parameters, { cmks }) => {
      const cmk = cmks.forEncryption(requiredText(parameters, 'KeyId'))
      const plaintext = decodePlaintext(requiredText(parameters, 'Plaintext'))
      const CiphertextBlob = seal(cmk, plaintext, encryptionContext(parameters))
      plaintext.fill(0)
      return { CiphertextBlob, KeyId: cmk.keyId }
    },
  },
  Decrypt: {
    takes: ['CiphertextBlob', 'EncryptionContext', ...SEALING],
    run: (parameters, { cmks }) => {
      const answer = answerer(parameters)
      const { cmk, plaintext } = cmks.open(requiredText(parameters, 'CiphertextBlob'), encryptionContext(parameters))
      return { KeyId: cmk.keyId, Plaintext: answer(plaintext) }
    },
  },
  ReEncrypt: {
    takes: ['CiphertextBlob', 'DestinationKeyId', 'SourceEncryptionContext', 'DestinationEncryptionContext'],
    run: reEncrypt,
  },
  GenerateRandom: {
    takes: ['NumberOfBytes'],
    run: (parameters) => {
      const bytes = integer(parameters, 'NumberOfBytes', { min: 1, max: 1024 })
      if (bytes === undefined) throw new ApiError('MissingParameter', 'The parameter NumberOfBytes is missing.')
      return { Plaintext: spend(randomBytes(bytes)) }
    },
  },
}

function reEncrypt(parameters: Parameters, { cmks }: World): object {
  const blob = requiredText(parameters, 'CiphertextBlob')
  const from = encryptionContext(parameters, 'SourceEncryptionContext')
  const to = encryptionContext(parameters, 'DestinationEncryptionContext')
  const { cmk, version, plaintext } = cmks.open(blob, from)
  const destination = cmks.forEncryption(optionalText(parameters, 'DestinationKeyId') || cmk.keyId)
  const same = destination === cmk && version === cmk.versions.length - 1 && from === to
  const CiphertextBlob = same ? blob : seal(destination, plaintext, to)
  plaintext.fill(0)
  return { CiphertextBlob, KeyId: destination.keyId, SourceKeyId: cmk.keyId, ReEncrypted: !same }
}

/** As with the real service, `NumberOfBytes` wins over `KeySpec`. */
function dataKeyBytes(parameters: Parameters): number {
  const bytes = integer(parameters, 'NumberOfBytes', { min: 1, max: 1024 })
  if (bytes !== undefined) return bytes
  const spec = optionalText(parameters, 'KeySpec')
  if (spec === 'AES_128' || spec === 'AES_256') return SPEC_BYTES[spec]
  throw new ApiError('InvalidParameter', 'KeySpec must be AES_128 or AES_256, or NumberOfBytes be given.')
}

function decodePlaintext(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') === text && bytes.length > 0 && bytes.length <= MAX_PLAINTEXT_BYTES) return bytes
  throw new ApiError(
    'InvalidParameterValue.InvalidPlaintext',
    `Plaintext must be base64 of 1 to ${MAX_PLAINTEXT_BYTES} bytes.`,
  )
}
