import { ciphertext, cut, dim, plaintext } from './terminal.js'

/** A value as an app has it, short enough for a cell. */
export function showPlain(value: unknown, length: number): string {
  if (value === null || value === undefined) return dim('NULL')
  if (value instanceof Uint8Array) return plaintext(`${value.length} bytes: ${cut(hex(value), length - 12)}`)
  if (value instanceof Date) return value.toISOString().slice(0, 16).replace('T', ' ')
  return plaintext(cut(typeof value === 'string' ? value : JSON.stringify(value), length))
}

/** A value as the database has it: the beginning and how much there is. */
export function showStored(value: unknown, length: number): string {
  if (value === null || value === undefined) return dim('NULL')
  if (value instanceof Uint8Array) return cipher(`\\x${hex(value)}`, `${value.length} bytes`, length)
  if (typeof value === 'string' && value.startsWith('fs1.')) return cipher(value, `${value.length} characters`, length)
  return showPlain(value, length)
}

function cipher(text: string, size: string, length: number): string {
  return `${ciphertext(cut(text, length - size.length - 3))} ${dim(`(${size})`)}`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
