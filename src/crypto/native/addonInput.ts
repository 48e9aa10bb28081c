import { lengthPrefixed } from '../bytes.js'
import type { Ciphertext } from '../ciphertext.js'
import type { EncryptInput } from '../engine.js'
import { writeBoundLengths, writeLengths } from './addonFrame.js'

/** As the addon numbers them: text of Latin-1 alone, other text, and bytes. */
const ENCODING = { latin1: 0, wide: 1, bytes: 2 } as const
/** Over at once for a string that V8 holds with one byte for each character. */
const WIDE = /[\u0100-\uffff]/
const WIDE_CHARACTERS = /[\u0100-\uffff]/g

/** What is encrypted or indexed; a string is taken as UTF-8. */
export type Text = string | Uint8Array

export interface TextInput {
  readonly input: string | Buffer
  readonly encoding: number
}

/** All texts as one, their lengths in the frame: strings stay strings if all are, and bytes are a copy. */
export function textInput(texts: readonly Text[]): TextInput {
  if (areStrings(texts)) {
    writeLengths(texts)
    const input = joined(texts)
    return { input, encoding: WIDE.test(input) ? ENCODING.wide : ENCODING.latin1 }
  }
  const bytes = texts.map((text) => (typeof text === 'string' ? Buffer.from(text) : text))
  writeLengths(bytes)
  return { input: Buffer.concat(bytes), encoding: ENCODING.bytes }
}

/** All ciphertexts as one. A character that the addon would cut to a byte becomes another that base64url has not. */
export function storedInput(stored: readonly Ciphertext[]): string | Buffer {
  if (areStrings(stored)) {
    const input = joined(stored)
    return WIDE.test(input) ? input.replace(WIDE_CHARACTERS, '\u00ff') : input
  }
  if (stored.some((ciphertext) => typeof ciphertext === 'string')) throw new TypeError('text and bytes in one batch')
  return Buffer.concat(stored as readonly Uint8Array[])
}

function joined(texts: readonly string[]): string {
  return texts.length === 1 ? texts[0]! : texts.join('')
}

/** LP(each bound text) of each value, a character for each byte; the lengths in the frame. */
export function boundInput(bound: EncryptInput['bound']): string | undefined {
  if (!bound) return undefined
  const each = bound.map((texts) => (texts.length === 1 ? prefixed(texts[0]!) : texts.map(prefixed).join('')))
  writeBoundLengths(each)
  return each.join('')
}

function prefixed(text: string): string {
  const short = text.length < 256 && Buffer.byteLength(text) === text.length
  return short ? `\0\0\0${String.fromCharCode(text.length)}${text}` : lengthPrefixed(text).toString('latin1')
}

function areStrings(values: readonly Text[]): values is readonly string[] {
  for (const value of values) if (typeof value !== 'string') return false
  return true
}
