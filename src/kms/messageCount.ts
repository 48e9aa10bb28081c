import { FieldsealError } from '../errors.js'
import { MOST_MESSAGES } from '../keys/quota/rotation.js'

/** From here on it is time to think of another key. */
const NEAR = MOST_MESSAGES / 2

/**
 * Encryptions with random nonces under one key that has no row in the keys table to count them in. It knows this process
 * only: what others do with the same key, and what it did before a restart, comes on top.
 */
export class MessageCount {
  readonly #key: string
  #count = 0

  /** @param key how a message calls the key */
  constructor(key: string) {
    this.#key = key
  }

  /** @throws FieldsealError `KMS_KEY_UNUSABLE` beyond what NIST SP 800-38D §8.3 allows, before anything is encrypted */
  add(messages = 1): void {
    if (this.#count + messages > MOST_MESSAGES) throw usedUp(this.#key)
    const before = this.#count
    this.#count += messages
    if (before < NEAR && this.#count >= NEAR) warn(this.#key)
  }
}

const counts = new Map<string, MessageCount>()

/** The one count of a key in this process, however many objects encrypt under it. */
export function messageCountOf(key: string): MessageCount {
  const count = counts.get(key) ?? new MessageCount(key)
  counts.set(key, count)
  return count
}

function warn(key: string): void {
  const message =
    `This process has encrypted 2^31 messages under ${key}, half of what is safe with random nonces (NIST SP 800-38D): ` +
    NEXT
  process.emitWarning(message, { type: 'FieldsealWarning', code: 'FIELDSEAL_KEK_NEAR_LIMIT' })
}

function usedUp(key: string): FieldsealError {
  const message = `This process has encrypted 2^32 messages under ${key}, as many as NIST SP 800-38D allows: ${NEXT}`
  return new FieldsealError('KMS_KEY_UNUSABLE', message)
}

const NEXT = 'make a new KEK, or take a KMS, and rewrap the DEKs with "from".'
