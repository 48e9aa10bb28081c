import { hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { lengthPrefixed } from '../crypto/bytes.js'
import { DEK_BYTES } from '../crypto/keys.js'
import { FieldsealError } from '../errors.js'
import { encryptionContext } from '../keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../keys/kms.js'
import { printable } from '../printable.js'
import { type KekSource, loadKek } from './kek.js'
import { seal, unwrapDek } from './keyWrap.js'
import { localValues } from './localValues.js'

export type { KekSource } from './kek.js'

/** Options of `localKms`. */
export interface LocalKmsOptions extends KekSource {
  /** Allows it where NODE_ENV is `production`; `false` unless given. */
  readonly allowInProduction?: boolean | undefined
}

const PREFIX = 'fslk1.'
const LABEL = lengthPrefixed('fieldseal/1 local-kms')
const NAMES = ['key', 'keyFile', 'env', 'allowInProduction']

/**
 * DEKs wrapped by one KEK that your process holds itself: for development and tests. Who takes over the process or
 * reads its files has the KEK and with it all data; a KMS would keep it. A wrapped DEK is
 * `fslk1.` ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)), AAD = LP("fieldseal/1 local-kms") ‖ LP(encryption context).
 *
 * @throws FieldsealError `OPTIONS_INVALID` for a KEK that is missing or not 32 bytes, and in production unless allowed.
 * Its methods throw `KMS_KEY_UNUSABLE` for a DEK under another KEK, `KMS_REFUSED` for a changed one, `TENANT_INVALID`.
 * @example
 * ```ts
 * import { localKms } from 'fieldseal/local-kms'
 *
 * const kms = localKms({ env: 'FIELDSEAL_KEK' }) // FIELDSEAL_KEK=$(openssl rand -base64 32)
 * ```
 */
export function localKms(options: LocalKmsOptions): Kms {
  checkOptions(options)
  const kek = loadKek(options)
  const kekId = idOf(kek)
  return {
    name: 'local',
    ...localValues(kek, kekId),
    generate: async (identity) => {
      const aad = aadOf(identity)
      const dek = randomBytes(DEK_BYTES)
      return { dek, wrapped: seal({ prefix: PREFIX, key: kek, aad }, dek), kekId }
    },
    unwrap: async (wrapped, identity) => {
      if (wrapped.kekId !== kekId) throw otherKek(wrapped, kekId)
      return unwrap(kek, wrapped, aadOf(identity))
    },
    wrap: async (dek, identity) => {
      const wrapping = { prefix: PREFIX, key: kek, aad: aadOf(identity) }
      return { wrapped: seal(wrapping, dek), kekId }
    },
    rewrap: async (wrapped) => {
      if (wrapped.kekId !== kekId) throw otherKek(wrapped, kekId)
      return wrapped
    },
  }
}

function checkOptions(options: LocalKmsOptions): void {
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) {
    const message = `The option "${unknown}" of localKms does not exist; there are ${NAMES.join(', ')}.`
    throw new FieldsealError('OPTIONS_INVALID', message)
  }
  if (process.env.NODE_ENV !== 'production' || options.allowInProduction === true) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    'localKms keeps the KEK beside the data it protects, so it does not start with NODE_ENV=production. Use a KMS, such ' +
      'as tencentKms, or accept that with allowInProduction: true.',
  )
}

/** Names the KEK without telling anything about it: a derived check value. */
function idOf(kek: KeyObject): string {
  const check = Buffer.from(hkdfSync('sha256', kek, Buffer.alloc(0), 'fieldseal/1 local-kms check value', 8))
  return `local:${check.toString('hex')}`
}

function aadOf(identity: DekIdentity): Buffer {
  return Buffer.concat([LABEL, lengthPrefixed(encryptionContext(identity))])
}

function unwrap(kek: KeyObject, { wrapped, kekId }: WrappedDek, aad: Buffer): Buffer {
  const dek = unwrapDek({ prefix: PREFIX, key: kek, aad }, wrapped)
  if (!dek) throw refused(kekId)
  return dek
}

function otherKek(wrapped: WrappedDek, kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `The DEK is wrapped by the KEK ${printable(wrapped.kekId)}, and localKms was given the KEK ${kekId}. Give it the KEK of then.`,
  )
}

function refused(kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_REFUSED',
    `The wrapped DEK does not open under the KEK ${kekId}: it was changed, or it belongs to another DEK id, purpose or ` +
      'tenant. Compare its row of the keys table with a backup.',
  )
}
