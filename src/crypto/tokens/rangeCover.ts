import type { RangeScale } from './rangeScale.js'

/**
 * A node of the tree over the cells of a scale: all cells whose numbers begin with the same bits. The root, over all of
 * them, is none.
 */
export interface RangeNode {
  /** How many bits they begin with: 1 to the scale's. */
  readonly level: number
  /** These bits as a number. */
  readonly prefix: number
}

/** A tree, as far as it is stored. */
export interface RangeTree {
  readonly scale: RangeScale
  /** Every how many levels there are nodes, counted from the cells upwards: 1 or more. */
  readonly sparsity: number
}

const BODY_BYTES = 9

/** The nodes over one cell, from the cell itself upwards: what is stored of a value. */
export function nodesOver({ scale, sparsity }: RangeTree, cell: number): RangeNode[] {
  return levelsOf(scale.bits, sparsity).map((level) => ({
    level,
    prefix: Math.floor(cell / 2 ** (scale.bits - level)),
  }))
}

/**
 * The fewest nodes that hold the cells from `first` to `last`, both included, and no other that can hold a value. A value
 * is in one of those cells if one of these nodes is over its cell, and none is over two of them.
 */
export function coverOf({ scale, sparsity }: RangeTree, first: number, last: number): RangeNode[] {
  const { bits } = scale
  const upwards = levelsOf(bits, sparsity)
  const downwards = upwards.toReversed()
  // Beyond the last cell there is nothing that a node could hold too much.
  const end = last >= scale.last ? 2 ** bits - 1 : last
  const nodes: RangeNode[] = []
  for (let cell = first; cell <= end; ) {
    const level = downwards.find((one) => cell % widthOf(bits, one) === 0 && cell + widthOf(bits, one) - 1 <= end)!
    nodes.push({ level, prefix: cell / widthOf(bits, level) })
    cell += widthOf(bits, level)
  }
  return nodes
}

/** What the token of a node is made of: level(1) ‖ prefix(8), big-endian. */
export function nodeBody({ level, prefix }: RangeNode): Buffer {
  const body = Buffer.alloc(BODY_BYTES)
  body.writeUInt8(level)
  body.writeBigUInt64BE(BigInt(prefix), 1)
  return body
}

/** The number of cells under a node. */
function widthOf(bits: number, level: number): number {
  return 2 ** (bits - level)
}

function levelsOf(bits: number, sparsity: number): number[] {
  return Array.from({ length: Math.ceil(bits / sparsity) }, (_, i) => bits - i * sparsity)
}
