import { lengthPrefixed } from '../bytes.js'
import type { IndexKey } from '../engine.js'
import { uuidOfHex } from '../header.js'
import type { RangeBounds } from './rangeScale.js'
import type { TextParts } from './textPieces.js'

export const TOKEN_BYTES = 16

/** What makes a range index over one field what it is. */
export interface RangeParameters extends RangeBounds {
  readonly sparsity: number
  /** What the bounds count: `1`, `ms`, or the last decimal place, as `0.01`. */
  readonly unit: string
}

/** What makes a text index over one field what it is. */
export interface TextParameters extends TextParts {
  /** The names of its normalisers, in the order in which they are applied. */
  readonly normalize: readonly string[]
}

/** What sets the tokens of one range index apart from those of others under the same key: LP(context) ‖ LP(parameters). */
export function rangePrefix(context: string, { max, min, sparsity, step, unit }: RangeParameters): Buffer {
  return prefixOf(context, { max: String(max), min: String(min), sparsity, step: String(step), unit })
}

/** The same, of a text index. What it makes no tokens of is left out. */
export function textPrefix(context: string, parameters: TextParameters): Buffer {
  const { grams, normalize, prefix, suffix, wordPrefix, words } = parameters
  return prefixOf(context, { grams, normalize, prefix, suffix, wordPrefix, words: words || undefined })
}

/** @param parameters with their keys in order */
function prefixOf(context: string, parameters: object): Buffer {
  return Buffer.concat([lengthPrefixed(context), lengthPrefixed(JSON.stringify(parameters))])
}

/**
 * The tokens of each value, each the first 16 bytes of HMAC-SHA-256(key, prefix ‖ body), as UUIDs in the order of their
 * bytes and without duplicates: neither order nor number tells of what they were made, beyond how many differ.
 *
 * @param key derived for `textIndex` or `rangeIndex`
 * @param values what the tokens of each are made of
 */
export function tokenLists(key: IndexKey, prefix: Buffer, values: readonly (readonly Buffer[])[]): string[][] {
  const distinct = values.map(withoutDuplicates)
  const tokens = key.index(prefix, distinct.flat(), TOKEN_BYTES)
  let taken = 0
  return distinct.map(({ length }) => {
    const own = tokens.slice(taken, taken + length).map((token) => uuidOfHex(token.toString('hex')))
    taken += length
    return [...new Set(own)].sort()
  })
}

/** Of so many pieces, some are likely the same: to look for those costs less than their tokens. */
const MANY = 64

function withoutDuplicates(bodies: readonly Buffer[]): readonly Buffer[] {
  if (bodies.length <= MANY) return bodies
  return [...new Map(bodies.map((body) => [body.toString('latin1'), body])).values()]
}
