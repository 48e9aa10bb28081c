import { uuidOfHex } from './header.js'

const UUID_HEX = /^[0-9a-f]{32}$/

/** PostgreSQL takes a UUID in any case, with braces and with hyphens left out, and returns it in this one form. */
export function canonicalUuid(text: string): string | undefined {
  const hex = text.toLowerCase().replace(/[{}-]/g, '')
  return UUID_HEX.test(hex) ? uuidOfHex(hex) : undefined
}
