import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Row } from './rows.js'

/*
 * What `node:crypto` alone needs: one AES-256-GCM call sequence and one base64url conversion per value, and nothing
 * else: no tenants, no key management, no checks of form.
 */

const KEY = randomBytes(32)
const AAD = randomBytes(66)

export function bareEncrypt(value: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', KEY, nonce)
  cipher.setAAD(AAD)
  return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

export function bareDecrypt(text: string): string {
  const bytes = Buffer.from(text, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12))
  decipher.setAAD(AAD)
  decipher.setAuthTag(bytes.subarray(-16))
  return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
}

/** Copies of rows with their fields changed. */
export function mapFields(rows: readonly Row[], fields: readonly string[], change: (text: string) => string): Row[] {
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(fields.map((field) => [field, change(row[field] as string)])),
  }))
}
