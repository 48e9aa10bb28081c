import type { KeyObject } from 'node:crypto'
import { aadOf } from '../crypto/aad.js'
import type { ValueKey } from '../crypto/batch.js'
import { textHead } from '../crypto/ciphertext.js'
import { currentEngine } from '../crypto/engine.js'
import { encodeHeader, FLAG_PADDED, SUITE_AES_256_GCM } from '../crypto/header.js'
import { DEK_BYTES, deriveWith } from '../crypto/keys.js'
import { nodeEngine } from '../crypto/nodeEngine.js'
import { FieldsealError } from '../errors.js'
import type { DekIdentity, Purpose } from './kms.js'

/**
 * An unwrapped DEK as the process holds it: only the key derived for its purpose, as a `KeyObject`, and what can be
 * computed once for all values under it.
 */
export class Dek {
  readonly id: string
  readonly tenant: string
  readonly purpose: Purpose
  readonly key: KeyObject
  /** The key as the engine works with it, on whole batches of values; of use for `encrypt` only. */
  readonly values: ValueKey
  /** The header of its ciphertexts, without flags. */
  readonly header: Buffer
  /** Prefix and header as text. */
  readonly head: string
  readonly #aads = new Map<string, Buffer>()

  /** Takes over `bytes` and zeroes them. */
  constructor(identity: DekIdentity, bytes: Buffer, engine = currentEngine()) {
    try {
      if (bytes.length !== DEK_BYTES) throw wrongLength(identity)
      this.id = identity.key
      this.tenant = identity.tenant
      this.purpose = identity.purpose
      const valueEngine = identity.purpose === 'encrypt' ? engine : nodeEngine
      const { key, made } = deriveWith(bytes, identity.purpose, (derived, raw) => valueEngine.open(derived, raw))
      this.key = key
      this.values = made
      this.header = encodeHeader({ suite: SUITE_AES_256_GCM, flags: 0, dekId: identity.key })
      this.head = textHead(this.header)
    } finally {
      bytes.fill(0)
    }
  }

  /** The AAD of a field's ciphertexts under this DEK, without bound values. */
  aad(context: string): Buffer {
    let aad = this.#aads.get(context)
    if (!aad) {
      aad = aadOf(this.header, this.tenant, context)
      this.#aads.set(context, aad)
    }
    return aad
  }

  /** The header and AAD of a field's padded ciphertexts. */
  padded(context: string): { header: Buffer; aad: Buffer } {
    const header = encodeHeader({ suite: SUITE_AES_256_GCM, flags: FLAG_PADDED, dekId: this.id })
    return { header, aad: aadOf(header, this.tenant, context) }
  }
}

function wrongLength(identity: DekIdentity): FieldsealError {
  return new FieldsealError('KEY_INVALID', `the KMS returned DEK ${identity.key} with a length other than 32 bytes`)
}
