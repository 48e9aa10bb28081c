import { types } from 'node:util'
import { invalidOptions } from '../invalidOptions.js'
import { type FormerFormat, noCiphertextOf, notOpened } from './formerFormat.js'
import { decryptMessage, MessageRefused } from './openPgp.js'

const LIBRARY = 'pgcrypto'
const invalid = invalidOptions('pgcrypto')

/** What `pgcrypto` takes. */
export interface PgcryptoOptions {
  /** What `pgp_sym_encrypt` was given; a list of them if older rows have another one. */
  readonly passphrase: string | readonly string[]
}

/**
 * Reads what `pgp_sym_encrypt` and `pgp_sym_encrypt_bytea` of PostgreSQL's extension pgcrypto have made: in a `bytea`
 * column as it is, in a text column by `armor`, or by `encode` as `hex` or `base64`. It decrypts in this process, so that
 * the passphrase is in no statement. The field's column may hold nothing else but these and our ciphertexts.
 *
 * Not read: what was made with `disable-mdc=1`, with an `s2k-count` above 4194304, or with another cipher than AES, and what `pgp_pub_encrypt` and the raw
 * `encrypt` have made.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 *
 * @example
 * ```ts
 * import { pgcrypto } from 'fieldseal/former-formats'
 *
 * const migratingFrom = { 'Patient.ssn': pgcrypto({ passphrase: process.env.PGCRYPTO_PASSPHRASE! }) }
 * ```
 */
export function pgcrypto({ passphrase }: PgcryptoOptions): FormerFormat {
  const passphrases = [passphrase].flat() as readonly string[]
  if (passphrases.length === 0 || !passphrases.every((text) => typeof text === 'string' && text !== ''))
    throw invalid('needs "passphrase": a text, or a list of texts')
  return {
    library: LIBRARY,
    isAuthenticated: true,
    columns: ['Bytes', 'String'],
    decrypt: (stored) => decrypt(passphrases, stored),
  }
}

/** A message does not say which passphrase it is for. */
function decrypt(passphrases: readonly string[], stored: unknown): Buffer {
  const message = messageOf(stored)
  try {
    for (const passphrase of passphrases) {
      const data = decryptMessage(message, passphrase)
      if (data !== undefined) return data
    }
  } catch (error) {
    if (error instanceof MessageRefused) throw noCiphertextOf(LIBRARY, error.message)
    throw error
  }
  throw notOpened(LIBRARY, 'the passphrase is another one')
}

function messageOf(stored: unknown): Buffer {
  if (types.isUint8Array(stored)) return Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  if (typeof stored !== 'string') return Buffer.alloc(0)
  if (stored.startsWith(ARMOR)) return Buffer.from(armored(stored), 'base64')
  return /^(?:[0-9a-f]{2})+$/.test(stored) ? Buffer.from(stored, 'hex') : Buffer.from(stored, 'base64')
}

const ARMOR = '-----BEGIN PGP MESSAGE-----'

/** What stands between the empty line after the headers and the checksum, which the message itself has a better one of. */
function armored(text: string): string {
  const lines = text.split(/\r?\n/)
  const from = lines.indexOf('') + 1
  const end = lines.findIndex(
    (line, position) => position >= from && (line.startsWith('=') || line.startsWith('-----')),
  )
  return lines.slice(from, end).join('')
}
