import { nodeBody, nodesOver } from '../crypto/tokens/rangeCover.js'
import { piecesOf } from '../crypto/tokens/textPieces.js'
import { unitsOf } from '../crypto/tokens/units.js'
import { UnencodableValue } from '../crypto/unencodable.js'
import { normalized } from './indexText.js'
import { checkedValue, encodeValue, type ValueUse } from './slot.js'
import type { CipherRangeIndex, CipherTextIndex, CipherTokenIndex } from './tokenIndex.js'

/**
 * What the tokens of a stored value are made of.
 *
 * @throws FieldsealError `VALUE_INVALID` for a value that the field or the index cannot hold
 */
export function tokenBodies(index: CipherTokenIndex, value: unknown, use?: ValueUse): Buffer[] {
  return index.kind === 'text' ? piecesOf(textOf(index, value, use), index.parts) : nodesOf(index, value, use)
}

/**
 * A text as a text index takes it apart. JavaScript writes the last sigma of a word in lower case as another letter than
 * those before it, so that a text would not begin with its own beginning: both are one letter here.
 */
export function textOf(index: CipherTextIndex, value: unknown, use?: ValueUse): string {
  const text = normalized(index, value)
  encodeValue(index.sources[0]!, text, use)
  return foldsCase(index) ? (text as string).replaceAll('ς', 'σ') : (text as string)
}

/** Whether letters in upper and lower case are the same to a text index. */
export function foldsCase({ normalize }: CipherTextIndex): boolean {
  return normalize.includes('lowercase')
}

function nodesOf(index: CipherRangeIndex, value: unknown, use?: ValueUse): Buffer[] {
  const cell = checkedValue(index.sources[0]!, () => cellOf(index, value), use)
  return nodesOver(index.tree, cell).map(nodeBody)
}

function cellOf({ name, bounds, scale, tree, values }: CipherRangeIndex, value: unknown): number {
  const { floor, isWhole } = unitsOf(values, value, scale)
  if (!isWhole) throw new UnencodableValue(`has more than the ${scale} decimal places of ${name}`)
  const cell = tree.scale.cellOf(floor)
  if (cell === undefined) {
    throw new UnencodableValue(`is not within ${bounds.min} and ${bounds.max}, for which ${name} is made`)
  }
  return cell
}
