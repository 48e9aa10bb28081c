import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { lengthPrefixed } from '../crypto/bytes.js'
import { decodeKey } from '../crypto/strictDecode.js'
import { invalidOptions } from '../invalidOptions.js'

const invalid = invalidOptions('auditLog')

const BYTES = 32
const ID_LABEL = lengthPrefixed('fieldseal/1 audit key id')

/** The key of an audit log: 32 bytes, or these as base64 or as hexadecimal digits. */
export type AuditLogKey = string | Uint8Array

/** Makes and checks the MACs of entries. */
export class MacKey {
  /** Says which key an entry is under: the first 8 bytes of an HMAC, as hexadecimal digits. */
  readonly id: string
  readonly #key: KeyObject

  /**
   * @param name the option, for messages
   * @throws FieldsealError `OPTIONS_INVALID`
   */
  constructor(key: unknown, name: string) {
    const bytes = bytesOf(key, name)
    this.#key = createSecretKey(bytes)
    bytes.fill(0)
    this.id = this.mac(ID_LABEL).subarray(0, 8).toString('hex')
  }

  /** HMAC-SHA-256 (RFC 2104): 32 bytes. */
  mac(message: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(message).digest()
  }

  verifies(message: Buffer, mac: Buffer): boolean {
    return mac.length === BYTES && timingSafeEqual(this.mac(message), mac)
  }
}

/** A copy of its own, to be zeroed. */
function bytesOf(key: unknown, name: string): Buffer {
  const bytes = key instanceof Uint8Array ? Buffer.from(key) : decoded(key)
  if (bytes?.length === BYTES) return bytes
  throw invalid(`"${name}" must be ${BYTES} bytes, or these as base64: make one with \`openssl rand -base64 ${BYTES}\``)
}

function decoded(key: unknown): Buffer | null {
  const text = typeof key === 'string' ? key.trim() : key
  return decodeKey(text, 'base64') ?? decodeKey(text, 'hex')
}
