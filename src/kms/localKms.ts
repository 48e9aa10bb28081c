import { hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { lengthPrefixed } from '../crypto/bytes.js'
import { DEK_BYTES } from '../crypto/keys.js'
import { FieldsealError, quoted } from '../errors.js'
import { encryptionContext } from '../keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../keys/kms.js'
import { notDevelopment } from './developmentOnly.js'
import { type KekSource, loadKek } from './kek.js'
import { seal, unwrapDek } from './keyWrap.js'
import { localValues } from './localValues.js'
import { messageCountOf } from './messageCount.js'

export type { KekSource } from './kek.js'

/** Options of `localKms`. */
export interface LocalKmsOptions extends KekSource {
  /** Allows it where NODE_ENV is set and neither `development` nor `test`; `false` unless given. */
  readonly allowInProduction?: boolean | undefined
}

const PREFIX = 'fslk1.'
const LABEL = lengthPrefixed('fieldseal/1 local-kms')
const NAMES = ['key', 'keyFile', 'env', 'allowInProduction']

/**
 * DEKs wrapped by one KEK that your process holds itself: for development and tests. Who takes over the process or
 * reads its files has the KEK and with it all data; a KMS would keep it. A wrapped DEK is
 * `fslk1.` ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)), AAD = LP("fieldseal/1 local-kms") ‖ LP(encryption context).
 * What is encrypted under the KEK is counted in this process, up to the 2³² messages that NIST SP 800-38D allows; other
 * processes and earlier ones, which it does not know of, count on top.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for a KEK that is missing or not 32 bytes, and where NODE_ENV is set and neither
 * `development` nor `test`, unless allowed.
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
  const count = messageCountOf(`the KEK ${kekId}`)
  const wrap = (dek: Buffer, identity: DekIdentity) => {
    const wrapping = { prefix: PREFIX, key: kek, aad: aadOf(identity) }
    count.add()
    return { wrapped: seal(wrapping, dek), kekId }
  }
  const unwrap = (wrapped: WrappedDek, identity: DekIdentity) => {
    if (wrapped.kekId !== kekId) throw otherKek(wrapped, kekId)
    const dek = unwrapDek({ prefix: PREFIX, key: kek, aad: aadOf(identity) }, wrapped.wrapped)
    if (!dek) throw wrappedDekRefused(kekId)
    return dek
  }
  return {
    name: 'local',
    ...localValues(kek, kekId),
    generate: async (identity) => {
      const dek = randomBytes(DEK_BYTES)
      return { dek, ...wrap(dek, identity) }
    },
    unwrap: async (wrapped, identity) => unwrap(wrapped, identity),
    wrap: async (dek, identity) => wrap(dek, identity),
    rewrap: async (wrapped, identity) => {
      unwrap(wrapped, identity).fill(0)
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
  const why = options.allowInProduction === true ? undefined : notDevelopment()
  if (why === undefined) return
  throw new FieldsealError(
    'OPTIONS_INVALID',
    `localKms keeps the KEK beside the data it protects, so it starts for development and tests only: ${why}. Use a KMS, ` +
      'such as tencentKms, or accept that with allowInProduction: true.',
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

function otherKek(wrapped: WrappedDek, kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_KEY_UNUSABLE',
    `The DEK is wrapped by the KEK ${quoted(wrapped.kekId)}, and localKms was given the KEK ${quoted(kekId)}. Give it the ` +
      'KEK of then, or take its DEKs over: $encryption.rewrap({ from: localKms(…) }). If it never was yours, the row of ' +
      'the keys table was changed: compare it with a backup.',
  )
}

function wrappedDekRefused(kekId: string): FieldsealError {
  return new FieldsealError(
    'KMS_REFUSED',
    `The wrapped DEK does not open under the KEK ${kekId}: it was changed, or it belongs to another DEK id, purpose or ` +
      'tenant. Compare its row of the keys table with a backup.',
  )
}
