import { createSecretKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { decodeKey } from '../crypto/strictDecode.js'
import { FieldsealError } from '../errors.js'

const KEK_BYTES = 32

/** Where a local KEK comes from: exactly one of these. */
export interface KekSource {
  /** The KEK itself: 32 bytes as base64 or hex. */
  readonly key?: string | undefined
  /** A file that holds 32 raw bytes, or their base64 or hex. */
  readonly keyFile?: string | undefined
  /** The name of an environment variable that holds base64 or hex. */
  readonly env?: string | undefined
}

/** Reads the KEK and zeroes every copy of its bytes but the `KeyObject`'s. */
export function loadKek(source: KekSource): KeyObject {
  const bytes = kekBytes(source)
  try {
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

function kekBytes({ key, keyFile, env }: KekSource): Buffer {
  if ([key, keyFile, env].filter((given) => given !== undefined).length !== 1) {
    throw invalidKek('localKms needs exactly one of the options "key", "keyFile" and "env"')
  }
  if (key !== undefined) return fromText(key, 'The option "key" of localKms')
  if (keyFile !== undefined) return fromFile(keyFile)
  const text = process.env[String(env)]
  if (!text) throw invalidKek(`The environment variable ${env}, named by the option "env" of localKms, is not set`)
  return fromText(text, `The environment variable ${env}`)
}

function fromFile(file: string): Buffer {
  const bytes = readKeyFile(file)
  if (bytes.length === KEK_BYTES) return bytes
  try {
    return fromText(bytes.toString('latin1'), `The file ${file}, named by the option "keyFile" of localKms,`)
  } finally {
    bytes.fill(0)
  }
}

function readKeyFile(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw invalidKek(`The file ${file}, named by the option "keyFile" of localKms, cannot be read`, { cause })
  }
}

function fromText(given: unknown, what: string): Buffer {
  const text = typeof given === 'string' ? given.trim() : ''
  const bytes = decodeKey(text, 'base64') ?? decodeKey(text, 'hex')
  if (!bytes) throw invalidKek(`${what} must hold ${KEK_BYTES} bytes as base64 (44 characters) or hex (64 characters)`)
  return bytes
}

function invalidKek(what: string, options?: { cause: unknown }): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `${what}. Make a key with: openssl rand -base64 32`, options)
}
