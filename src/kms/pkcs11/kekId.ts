/** Bytes of a check value: enough that no two KEKs have the same one, too few to serve for anything. */
const CHECK_BYTES = 8

const MOST_NAME = 200

const KEK_ID = /^\S{1,200}#([0-9a-f]{16})$/

/**
 * The id of a KEK, as the keys table has it: its label, percent-encoded, for people, and a check value that the token
 * computes with it. Only the check value counts: a key that is deleted and made again under its label has another one, and
 * one that is renamed, or cloned to another token, keeps it.
 */
export function kekIdOf(label: string, check: string): string {
  let name = ''
  for (const character of label.toWellFormed()) {
    const next = name + encodeURIComponent(character)
    if (next.length > MOST_NAME) break
    name = next
  }
  return `${name || 'unnamed'}#${check}`
}

/** The check value in a KEK's id; `null` if it is the id of no KEK of this kind. */
export function checkOf(kekId: string): string | null {
  return KEK_ID.exec(kekId)?.[1] ?? null
}

/** The check value, of what the token made of the block below. */
export function checkValueOf(block: Buffer): string {
  return block.toString('hex', 0, CHECK_BYTES)
}

/**
 * What the token encrypts for the check value, with AES-ECB. AES-GCM uses the KEK on the block of zeros (which so must never
 * be shown: it is the key that authenticates) and on nonce ‖ counter; this one, with a counter of 1.8 × 10⁹, is none of a
 * message of less than 29 GB.
 */
export const CHECK_BLOCK: Buffer = Buffer.from('fieldseal kek id', 'latin1')
