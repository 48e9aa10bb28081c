import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { coverOf, nodeBody, nodesOver, type RangeNode, type RangeTree } from '../../../src/crypto/tokens/rangeCover.js'
import { RangeScale } from '../../../src/crypto/tokens/rangeScale.js'

const treeOf = (cells: number, sparsity: number): RangeTree => ({
  scale: new RangeScale({ min: 0n, max: BigInt(cells) - 1n, step: 1n }),
  sparsity,
})

const nameOf = ({ level, prefix }: RangeNode) => `${level}/${prefix}`

/** How many nodes of a cover are over a cell. */
function countOver(tree: RangeTree, cover: readonly RangeNode[], cell: number): number {
  const names = new Set(nodesOver(tree, cell).map(nameOf))
  return cover.filter((node) => names.has(nameOf(node))).length
}

/** All nodes of a tree, with the cells under each. */
function allNodes(tree: RangeTree) {
  const { bits } = tree.scale
  const levels = nodesOver(tree, 0).map(({ level }) => level)
  return levels.flatMap((level) =>
    Array.from({ length: 2 ** level }, (_, prefix) => {
      const width = 2 ** (bits - level)
      return { level, prefix, first: prefix * width, last: (prefix + 1) * width - 1 }
    }),
  )
}

const intervals = fc
  .record({ cells: fc.integer({ min: 2, max: 70 }), sparsity: fc.integer({ min: 1, max: 7 }) })
  .chain(({ cells, sparsity }) =>
    fc.record({
      tree: fc.constant(treeOf(cells, sparsity)),
      ends: fc.array(fc.integer({ min: 0, max: cells - 1 }), { minLength: 2, maxLength: 2 }),
    }),
  )
  .map(({ tree, ends }) => ({ tree, first: Math.min(...ends), last: Math.max(...ends) }))

describe('the cover of an interval', () => {
  it('has one node over each cell of the interval, and none over any other', () => {
    fc.assert(
      fc.property(intervals, ({ tree, first, last }) => {
        const cover = coverOf(tree, first, last)
        for (let cell = 0; cell <= tree.scale.last; cell++) {
          expect(countOver(tree, cover, cell)).toBe(cell >= first && cell <= last ? 1 : 0)
        }
      }),
    )
  })

  it('has the fewest nodes: all that are inside of the interval, less those inside of another', () => {
    fc.assert(
      fc.property(intervals, ({ tree, first, last }) => {
        const end = last === tree.scale.last ? 2 ** tree.scale.bits - 1 : last
        const inside = allNodes(tree).filter((node) => node.first >= first && node.last <= end)
        const largest = inside.filter(
          (node) =>
            !inside.some((other) => other.level < node.level && other.first <= node.first && other.last >= node.last),
        )
        expect(coverOf(tree, first, last).map(nameOf).sort()).toEqual(largest.map(nameOf).sort())
      }),
    )
  })

  it('takes at most as many nodes as the figures in the documentation say', () => {
    const tree = treeOf(2 ** 32, 2)
    expect(nodesOver(tree, 2 ** 32 - 1)).toHaveLength(16)
    const cover = coverOf(tree, 1, 2 ** 32 - 2)
    expect(cover.length).toBe(2 * 3 * 15 + 2)
    expect(countOver(tree, cover, 2 ** 31)).toBe(1)
    expect(countOver(tree, cover, 0)).toBe(0)
    expect(countOver(tree, cover, 2 ** 32 - 1)).toBe(0)
  })

  it('never names the root, which is over everything', () => {
    expect(coverOf(treeOf(16, 1), 0, 15)).toEqual([
      { level: 1, prefix: 0 },
      { level: 1, prefix: 1 },
    ])
    expect(coverOf(treeOf(16, 4), 0, 15)).toHaveLength(16)
  })

  it('writes a node as its level and its prefix of 8 bytes', () => {
    expect(nodeBody({ level: 17, prefix: 0x1abcd }).toString('hex')).toBe('11000000000001abcd')
  })
})
