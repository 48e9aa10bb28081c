import { lengthPrefixed } from '../crypto/bytes.js'
import { FieldsealError } from '../errors.js'
import { type CipherField, type CipherIndex, encodeValue, type ValueUse } from './slot.js'

/** What an index makes of a text before anything else. */
export interface Normalizing {
  /** `Model.column`, for messages. */
  readonly name: string
  /** The names of its normalisers, and what they do; applied in this order. */
  readonly normalize: readonly string[]
  readonly normalizers: readonly Normalize[]
}

/**
 * What the HMAC of a blind index is made of: the normalised value, or those of all sources with their lengths.
 *
 * @throws FieldsealError `VALUE_INVALID` for a value that the field cannot hold
 */
export function indexMessage(index: CipherIndex, values: readonly unknown[], use?: ValueUse): string | Buffer {
  const plaintexts = index.sources.map((field, i) => encodeValue(field, normalizedFor(index, field, values[i]), use))
  return plaintexts.length === 1 ? plaintexts[0]! : Buffer.concat(plaintexts.map(lengthPrefixed))
}

/**
 * What a blind index is made from, as text: the same for values that it takes for equal, and only for these.
 *
 * @throws FieldsealError `VALUE_INVALID` for a value that the field cannot hold
 */
export function indexedText(index: CipherIndex, values: readonly unknown[], use: ValueUse): string {
  const message = indexMessage(index, values, use)
  return typeof message === 'string' ? message : message.toString('latin1')
}

/** Only free text is normalised: a decimal or a date that is written as a text has a form of its own. */
function normalizedFor(index: CipherIndex, { kind }: CipherField, value: unknown): unknown {
  return kind === 'String' ? normalized(index, value) : value
}

/**
 * A text as an index takes it; anything else as it is.
 *
 * @throws FieldsealError `VALUE_INVALID` when a normaliser of the application fails
 */
export function normalized(index: Normalizing, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return index.normalizers.reduce((text, normalize, i) => normalizedBy(index, normalize, text, i), value)
}

function normalizedBy({ name, normalize: names }: Normalizing, normalize: Normalize, text: string, i: number): string {
  let result: unknown
  try {
    result = normalize(text)
  } catch {
    throw badNormalizer(name, names[i]!, 'threw an error')
  }
  if (typeof result !== 'string') throw badNormalizer(name, names[i]!, 'answered with something other than a string')
  return result
}

type Normalize = (text: string) => string

/** Without the cause: what it says may quote the value. */
function badNormalizer(index: string, name: string, what: string): FieldsealError {
  const message = `${index} cannot be made: its normalizer "${name}" ${what}; it must map every text to a text`
  return new FieldsealError('VALUE_INVALID', message)
}
