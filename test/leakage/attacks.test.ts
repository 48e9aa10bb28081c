import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { nodesOver } from '../../src/crypto/tokens/rangeCover.js'
import { RangeScale } from '../../src/crypto/tokens/rangeScale.js'
import { within, withinDistance } from '../../src/leakage/closeness.js'
import { attackEquality, groupsOfBits } from '../../src/leakage/equalityAttack.js'
import { skewOf } from '../../src/leakage/groups.js'
import { attackOrder } from '../../src/leakage/orderAttack.js'
import { countBelow, inOrder } from '../../src/leakage/placedValues.js'
import { attackPrefixes } from '../../src/leakage/prefixAttack.js'
import { randomFrom, shuffled } from '../../src/leakage/random.js'
import { attackRange, rangeTokensOf } from '../../src/leakage/rangeAttack.js'
import { matchByRank } from '../../src/leakage/rankMatching.js'
import { sizesOf, tokenSetsOf } from '../../src/leakage/tokenSets.js'
import { tokenTreeOf } from '../../src/leakage/tokenTree.js'
import { attackWords } from '../../src/leakage/wordAttack.js'

const random = () => randomFrom(7)
const treeOf = (cells: number, sparsity: number) => ({
  scale: new RangeScale({ min: 0n, max: BigInt(cells) - 1n, step: 1n }),
  sparsity,
})

const rows = fc
  .record({ cells: fc.integer({ min: 2, max: 300 }), sparsity: fc.integer({ min: 1, max: 5 }), seed: fc.nat() })
  .chain(({ cells, ...rest }) =>
    fc.record({
      tree: fc.constant(treeOf(cells, rest.sparsity)),
      seed: fc.constant(rest.seed),
      values: fc.array(fc.integer({ min: 0, max: cells - 1 }), { minLength: 1, maxLength: 60 }),
    }),
  )

describe('what a snapshot shows', () => {
  it('is who shares a token with whom, and nothing of what tokens are made of', () => {
    fc.assert(
      fc.property(rows, ({ tree, values, seed }) => {
        const sets = rangeTokensOf(Float64Array.from(values), tree, randomFrom(seed))
        const own = values.map((_, row) => [...sets.tokens.subarray(sets.starts[row]!, sets.starts[row + 1]!)])
        for (const [row, tokens] of own.entries()) {
          expect(tokens).toEqual([...new Set(tokens)].sort((one, other) => one - other))
          const shared = own.map((other) => other.filter((token) => tokens.includes(token)).length)
          expect(shared).toEqual(values.map((value) => sharedNodes(tree, value, values[row]!)))
        }
      }),
    )
  })

  it('numbers tokens by lot: other lots, other numbers', () => {
    const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const numbers = [1, 2, 3].map((seed) => String(tokenSetsOf(values, (value) => [value], randomFrom(seed)).tokens))
    expect(new Set(numbers).size).toBe(3)
    expect(sizesOf(tokenSetsOf(['a', 'b', 'a'], (value) => [value, value], random())).toSorted()).toEqual(
      Int32Array.of(1, 2),
    )
  })
})

function sharedNodes(tree: ReturnType<typeof treeOf>, one: number, other: number): number {
  const nodes = new Set(nodesOver(tree, one).map(({ level, prefix }) => `${level}/${prefix}`))
  return nodesOver(tree, other).filter(({ level, prefix }) => nodes.has(`${level}/${prefix}`)).length
}

describe('the tree that is rebuilt from token sets', () => {
  it('has the tokens of each row in the order of their width: rows share one where they share its interval', () => {
    fc.assert(
      fc.property(rows, ({ tree, values, seed }) => {
        const sets = rangeTokensOf(Float64Array.from(values), tree, randomFrom(seed))
        const rebuilt = tokenTreeOf(sets)
        const nodes = values.map((value) => nodesOver(tree, value).reverse())
        for (const [row, own] of nodes.entries()) {
          for (const [i, node] of own.entries()) {
            const token = rebuilt.chainOf(row)[i]!
            const sharing = nodes.map((other) => other[i]!.prefix === node.prefix)
            expect(values.map((_, other) => rebuilt.chainOf(other)[i] === token)).toEqual(sharing)
            const siblings = i === 0 ? rebuilt.roots : rebuilt.childrenOf(rebuilt.chainOf(row)[i - 1]!)
            expect(siblings).toContain(token)
          }
        }
      }),
    )
  })
})

describe('matching by rank', () => {
  const weights = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 })

  it('is the likeliest of all pairings', () => {
    fc.assert(
      fc.property(weights, weights, (seen, known) => {
        const expected = seen.map((_, i) => known[i] ?? 1)
        const weighed = (list: readonly number[]) => list.map((weight, item) => ({ item, weight }))
        const pairs = matchByRank(weighed(seen), weighed(expected), random())
        const likelihood = (pairing: readonly (readonly [number, number])[]) =>
          pairing.reduce((sum, [one, other]) => sum + seen[one]! * Math.log(expected[other]!), 0)
        const best = Math.max(
          ...permutations(expected.map((_, i) => i)).map((order) =>
            likelihood(order.map((other, one) => [one, other])),
          ),
        )
        expect(likelihood(pairs)).toBeCloseTo(best, 9)
      }),
    )
  })

  it('draws lots between what weighs the same, and leaves over what has no partner', () => {
    const same = ['a', 'b', 'c', 'd', 'e', 'f'].map((item) => ({ item, weight: 1 }))
    const drawn = [1, 2, 3, 4].map((seed) => String(matchByRank(same, same.slice(0, 2), randomFrom(seed))))
    expect(new Set(drawn).size).toBeGreaterThan(1)
    expect(matchByRank(same, same.slice(0, 2), random())).toHaveLength(2)
    expect(matchByRank(same.slice(0, 1), same, random())).toHaveLength(1)
  })
})

function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]]
  return items.flatMap((item, i) => permutations(items.toSpliced(i, 1)).map((others) => [item, ...others]))
}

describe('closeness', () => {
  const number = fc.integer({ min: -1_000, max: 1_000 })

  it('has a guess for an interval exactly if one guess is close to both of its ends, and so to all between', () => {
    for (const closeness of [within(0.05), within(0.3), withinDistance(40)]) {
      fc.assert(
        fc.property(number, fc.nat(200), (low, width) => {
          const guess = closeness.guessFor(low, low + width)
          const all = Array.from({ length: width + 1 }, (_, i) => low + i)
          const isGood = (one: number) => all.every((value) => closeness.isClose(one, value))
          if (guess === undefined) expect(all.some(isGood)).toBe(false)
          else
            expect(all.every((value) => Math.abs(guess - value) < 1e-9 || closeness.isClose(guess, value))).toBe(true)
        }),
      )
    }
  })
})

describe('the attack on equality', () => {
  const known = [...Array(60).fill('often'), ...Array(30).fill('less'), ...Array(10).fill('seldom')]

  it('names the groups of a skewed column', () => {
    const groups = [...Array(6).fill(1), ...Array(3).fill(0), 2]
    const guesses = attackEquality(groups, known, '', random())
    expect(guesses).toEqual([...Array(6).fill('often'), ...Array(3).fill('less'), 'seldom'])
  })

  it('guesses the same for what is in more groups than there are values known', () => {
    expect(attackEquality([1, 1, 2], ['a'], 'other', random())).toEqual(['a', 'a', 'other'])
  })

  it('sees fewer groups of fewer bits, and as many as there are values of many', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i % 500)
    const distinct = (bits: number) => skewOf(groupsOfBits(values, bits, random())).distinct
    expect(distinct(128)).toBe(500)
    expect(distinct(8)).toBeLessThanOrEqual(256)
    expect(distinct(8)).toBeGreaterThan(180)
    const groups = groupsOfBits(values, 8, random())
    expect(groups.slice(0, 500)).toEqual(groups.slice(500))
  })
})

describe('the attack on a range index', () => {
  it('finds no more than chance where all siblings are alike, and everything where one interval holds all', () => {
    const tree = treeOf(256, 2)
    const line = { scale: tree.scale, valueAt: (cell: number) => cell + 1_000 }
    const place = (cells: readonly number[]) => ({
      cells: Float64Array.from(cells),
      values: Float64Array.from(cells, (cell) => cell + 1_000),
    })
    const even = shuffled(
      Array.from({ length: 2_048 }, (_, i) => i % 256),
      random(),
    )
    const attack = (cells: readonly number[], known: readonly number[], share: number) => {
      const { values, cells: own } = place(cells)
      const knowledge = { line, sparsity: 2, known: inOrder(place(known)), closeness: within(share) }
      const guesses = attackRange(rangeTokensOf(own, tree, random()), knowledge, random())
      return values.filter((value, i) => within(share).isClose(guesses[i]!, value)).length / values.length
    }
    expect(attack(even, even, 0.002)).toBeLessThan(0.15)
    expect(attack([17, 17, 17], [17], 0)).toBe(1)
  })

  it('has a guess for every row', () => {
    fc.assert(
      fc.property(rows, ({ tree, values, seed }) => {
        const cells = Float64Array.from(values)
        const line = { scale: tree.scale, valueAt: (cell: number) => cell - 20 }
        const known = inOrder({ cells: cells.slice(0, 5), values: cells.slice(0, 5).map(line.valueAt) })
        const knowledge = { line, sparsity: tree.sparsity, known, closeness: within(0.05) }
        const guesses = attackRange(rangeTokensOf(cells, tree, randomFrom(seed)), knowledge, randomFrom(seed))
        expect([...guesses].filter(Number.isNaN)).toEqual([])
      }),
    )
  })
})

describe('the attack on order', () => {
  it('gives every row the known value of the same rank', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 50 }), (values) => {
        const known = Float64Array.from(values).sort()
        expect([...attackOrder(Float64Array.from(values), known)]).toEqual(values)
      }),
    )
  })
})

describe('the attacks on text', () => {
  /** Names, some of them very frequent. */
  const names = (seed: number) => {
    const draw = randomFrom(seed)
    const pick = (list: readonly string[]) => list[Math.floor(list.length * draw() ** 3)]!
    const first = ['maria', 'anna', 'peter', 'jan', 'olga', 'ivan', 'zoe', 'quentin']
    const last = ['smith', 'smythe', 'jones', 'li', 'garcia', 'novak', 'ito', 'okafor']
    return Array.from({ length: 2_000 }, () => `${pick(first)} ${pick(last)}`)
  }
  const share = (count: number) => count / 2_000

  it('names most words of most rows', () => {
    const [attacked, known] = [names(1), names(2)].map((texts) => texts.map((text) => text.split(' ')))
    const { whole, part } = attackWords(attacked!, known!, random())
    expect(share(part)).toBeGreaterThan(0.8)
    expect(share(whole)).toBeGreaterThan(0.3)
  })

  it('names beginnings, and goes on inside of them', () => {
    const { whole, part } = attackPrefixes(names(1), names(2), [2, 10], random())
    expect(share(part)).toBeGreaterThan(0.9)
    expect(share(whole)).toBeGreaterThan(0.6)
    const short = attackPrefixes(names(1), names(2), [2, 3], random())
    expect(short.whole).toBeLessThan(whole)
  })

  it('finds nothing in random text, and nothing where there is no token', () => {
    const draw = random()
    const texts = (count: number) => Array.from({ length: count }, () => String(draw()))
    expect(attackPrefixes(texts(500), texts(500), [2, 10], random()).whole).toBe(0)
    expect(attackWords([[]], [['a']], random())).toEqual({ whole: 0, part: 0 })
    expect(attackPrefixes(['a'], ['a'], [2, 10], random())).toEqual({ whole: 0, part: 0 })
  })
})

describe('the skew of values', () => {
  it('counts them, and says how much a group tells', () => {
    expect(skewOf(['a', 'b', 'a', 'b'])).toEqual({ rows: 4, distinct: 2, largest: 2, single: 0, entropy: 1 })
    expect(skewOf(['a', 'b', 'c', 'd'])).toMatchObject({ distinct: 4, largest: 1, single: 4, entropy: 2 })
    expect(skewOf(['a', 'a'])).toMatchObject({ distinct: 1, largest: 2, single: 0 })
  })
})

describe('what is in order', () => {
  it('is counted up to a bound', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -20, max: 20 })), fc.integer({ min: -21, max: 21 }), (values, bound) => {
        const sorted = Float64Array.from(values).sort()
        expect(countBelow(sorted, bound)).toBe(values.filter((value) => value < bound).length)
      }),
    )
  })
})
