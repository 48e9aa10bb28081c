import type { FormerFormat } from './formerFormat.js'
import { formatUnder } from './prismaFieldEncryption.js'

/**
 * For fields of which nobody has said which library they come from: ciphertexts that are told by their beginning must not
 * be taken for plaintext. It has no keys.
 */
export const UNEXPECTED_FORMAT: FormerFormat = formatUnder(new Map())
