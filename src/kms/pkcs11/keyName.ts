import { CKA_CLASS, CKA_ID, CKA_LABEL, CKO_SECRET_KEY, type Pkcs11Attribute } from './pkcs11Module.js'

const URI = 'pkcs11:'
const MOST_CHARACTERS = 256

/** How the options name a KEK: by `CKA_LABEL`, by `CKA_ID` or by both. */
export interface KeyName {
  readonly label: string | undefined
  readonly id: Buffer | undefined
}

/** Whether a text can name a KEK: it is a label, or a PKCS#11 URI with `object` or `id`. */
export function isKeyName(value: unknown): value is string {
  return typeof value === 'string' && parseKeyName(value) !== null
}

/**
 * Reads a label, or of a PKCS#11 URI (RFC 7512) the attributes `object`, `id` and `type=secret-key`. `null` for anything
 * else: an attribute that is not looked at would be one that does not count.
 */
export function parseKeyName(text: string): KeyName | null {
  if (text === '' || text.length > MOST_CHARACTERS) return null
  if (!text.startsWith(URI)) return { label: text, id: undefined }
  const parts = text.slice(URI.length).split(';').map(attributeOf)
  const names = parts.map((part) => part?.name)
  if (names.some((name) => name === undefined) || new Set(names).size < names.length) return null
  const valueNamed = (wanted: string) => parts.find((part) => part?.name === wanted)?.value
  const [id, type] = [valueNamed('id'), valueNamed('type')?.toString('utf8')]
  const label = valueNamed('object')?.toString('utf8')
  if (type !== undefined && type !== 'secret-key') return null
  return label || id?.length ? { label, id } : null
}

function attributeOf(part: string): { name: string; value: Buffer } | undefined {
  const [name = '', text = '', ...more] = part.split('=')
  const known = name === 'object' || name === 'id' || name === 'type'
  return known && more.length === 0 && PERCENT_ENCODED.test(text) ? { name, value: decode(text) } : undefined
}

/** A question mark would begin attributes of another kind. */
const PERCENT_ENCODED = /^(?:[^%\s?]|%[0-9A-Fa-f]{2})+$/

function decode(text: string): Buffer {
  const pieces = text.split(/(%[0-9A-Fa-f]{2})/)
  return Buffer.concat(
    pieces.map((piece) => (piece.startsWith('%') ? Buffer.from(piece.slice(1), 'hex') : Buffer.from(piece, 'utf8'))),
  )
}

/** Finds the key, and others of its name. */
export function templateOf({ label, id }: KeyName): Pkcs11Attribute[] {
  const template: Pkcs11Attribute[] = [{ type: CKA_CLASS, value: CKO_SECRET_KEY }]
  if (label) template.push({ type: CKA_LABEL, value: Buffer.from(label, 'utf8') })
  if (id?.length) template.push({ type: CKA_ID, value: id })
  return template
}
