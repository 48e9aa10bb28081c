import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/*
 * What `node:crypto` alone needs: one AES-256-GCM call sequence and one base64url conversion per value, and nothing
 * else. Everything above it is the library's own cost.
 */

const KEY = randomBytes(32)
const AAD = randomBytes(66)

export function bareEncrypt(values: readonly string[]): string[] {
  return values.map((value) => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce)
    cipher.setAAD(AAD)
    return Buffer.concat([nonce, cipher.update(value, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    )
  })
}

export function bareDecrypt(ciphertexts: readonly string[]): string[] {
  return ciphertexts.map((text) => {
    const bytes = Buffer.from(text, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12))
    decipher.setAAD(AAD)
    decipher.setAuthTag(bytes.subarray(-16))
    return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
  })
}
