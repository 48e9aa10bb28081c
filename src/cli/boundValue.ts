import type { BoundColumnSchema } from '../schema/encryptionSchema.js'

/** What a column that ciphertexts are bound to holds, as a client would give it, of what PostgreSQL writes as text. */
export function boundValue(type: BoundColumnSchema['type'] | undefined, text: string | null): unknown {
  if (text === null) return null
  return type === 'Int' ? Number(text) : type === 'BigInt' ? BigInt(text) : text
}
