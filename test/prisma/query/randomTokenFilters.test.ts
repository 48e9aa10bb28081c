import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { FixtureClient } from '../fixtureClient.js'
import { openTokenTwins, PERSONS, type Twins } from '../tokenTwins.js'

const RUNS = Number(process.env.FIELDSEAL_PROPERTY_RUNS ?? 300)

let twins: Twins
beforeAll(async () => {
  twins = await openTokenTwins()
  await twins.reset()
}, 120_000)
afterAll(() => twins?.close())

type Where = { readonly [key: string]: unknown }

/** Mostly one of the values that rows have, so that bounds meet them. */
const near = <T>(stored: readonly T[], any: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...stored) }, { weight: 1, arbitrary: any })

const of = <Name extends keyof (typeof PERSONS)[number]>(name: Name) =>
  PERSONS.map((person) => person[name]).filter((value): value is NonNullable<typeof value> => value != null)

const age = near(of('age') as number[], fc.integer({ min: -10, max: 140 }))
const pay = near(
  (of('pay') as string[]).filter((text) => Number.isInteger(Number(text) * 4)),
  fc.integer({ min: -260, max: 260 }).map((quarters) => String(quarters / 4)),
)
const offStep = fc.integer({ min: -6_000, max: 6_000 }).map((hundredths) => String(hundredths / 100))
const day = fc.integer({ min: -3, max: 370 }).map((days) => new Date(Date.UTC(1990, 0, 1 + days)))
const budget = near([-1_000n, 999n], fc.bigInt({ min: -1_100n, max: 1_100n }))

function bounds(value: fc.Arbitrary<unknown>): fc.Arbitrary<Where> {
  const options = { requiredKeys: [] as never[], noNullPrototype: true }
  return negatable(fc.record({ gt: value, gte: value, lt: value, lte: value }, options))
}

/** Bounds on the steps of an index that does not tell all values apart: what comes just after one is on no step. */
function steps(value: fc.Arbitrary<unknown>): fc.Arbitrary<Where> {
  return negatable(fc.record({ gte: value, lt: value }, { requiredKeys: [], noNullPrototype: true }))
}

/** Under up to two `not`. */
function negatable(condition: fc.Arbitrary<Where>): fc.Arbitrary<Where> {
  const not = condition.map((inner) => ({ not: inner }))
  return fc.oneof(
    { weight: 4, arbitrary: condition },
    { weight: 2, arbitrary: not },
    { weight: 1, arbitrary: not.map((inner) => ({ not: inner })) },
    { weight: 1, arbitrary: fc.tuple(condition, not).map(([one, other]) => ({ ...one, ...other })) },
  )
}

/** Prisma hands these to LIKE as they are, which takes them for a pattern; to a text index they are characters. */
const PATTERN = /[%_\\\0]/

/** A piece of a text that a row has, or of none; of so many code points. */
function piece(texts: readonly string[], [fewest, most]: readonly [number, number]): fc.Arbitrary<string> {
  const stored = fc
    .tuple(fc.constantFrom(...texts), fc.nat(), fc.integer({ min: fewest, max: most }))
    .map(([text, start, length]) => {
      const points = Array.from(text)
      const from = start % Math.max(points.length - length, 1)
      return points.slice(from, from + length).join('')
    })
    .filter((text) => Array.from(text).length >= fewest)
  return fc
    .oneof({ weight: 4, arbitrary: stored }, fc.string({ minLength: fewest, maxLength: most, unit: 'grapheme' }))
    .map((text) => Array.from(text).slice(0, most).join(''))
    .filter((text) => !PATTERN.test(text) && Array.from(text).length >= fewest)
}

const texts = of('name') as string[]
const drafts = ['abcd', 'abc', 'abxy', 'zz', 'fs1.x']
const parts = (startsWith: fc.Arbitrary<string>, endsWith: fc.Arbitrary<string>) =>
  negatable(fc.record({ startsWith, endsWith }, { requiredKeys: [], noNullPrototype: true }))

const condition: fc.Arbitrary<Where> = fc.oneof(
  bounds(age).map((age) => ({ age })),
  fc.tuple(age, fc.constantFrom('equals', 'not', 'in')).map(([value, operator]) => {
    return { age: { [operator]: operator === 'in' ? [value, 40] : value, gte: 0 } }
  }),
  steps(pay).map((pay) => ({ pay })),
  steps(day).map((born) => ({ born })),
  parts(piece(texts, [2, 4]), piece(texts, [2, 3])).map((name) => ({ name })),
  negatable(piece(of('title') as string[], [1, 2]).map((startsWith) => ({ startsWith }))).map((title) => ({ title })),
  negatable(piece(drafts, [2, 3]).map((startsWith) => ({ startsWith }))).map((draft) => ({ draft })),
  fc.constantFrom<Where>({ age: null }, { name: { not: null } }, { rank: { gt: 3 } }, { name: 'Ada' }),
)

const { where } = fc.letrec<{ where: Where; inner: Where }>((tie) => ({
  where: fc.oneof({ maxDepth: 4, depthSize: 'small' }, condition, tie('inner')),
  inner: fc.oneof(
    fc.array(tie('where'), { maxLength: 3 }).map((AND) => ({ AND })),
    fc.array(tie('where'), { minLength: 1, maxLength: 3 }).map((OR) => ({ OR })),
    fc.array(tie('where'), { minLength: 1, maxLength: 2 }).map((NOT) => ({ NOT })),
    tie('where').map((NOT) => ({ NOT })),
    fc.tuple(tie('where'), condition).map(([one, other]) => ({ ...one, ...other })),
    fc
      .tuple(fc.constantFrom('some', 'every', 'none'), tie('where'))
      .map(([filter, inner]) => ({ reports: { [filter]: inner } })),
    fc.tuple(fc.constantFrom('is', 'isNot'), tie('where')).map(([filter, inner]) => ({ boss: { [filter]: inner } })),
    bounds(budget).map((budget) => ({ team: { budget } })),
  ),
}))

/** What is asked of which the index finds others too: answered by findMany alone, beside other conditions. */
const filtered: fc.Arbitrary<Where> = fc
  .tuple(
    fc.oneof(
      bounds(offStep).map((pay) => ({ pay })),
      piece(texts, [2, 12]).map((startsWith) => ({ name: { startsWith } })),
      piece(texts, [3, 6]).map((contains) => ({ name: { contains } })),
      piece(drafts, [2, 6]).map((startsWith) => ({ draft: { startsWith } })),
    ),
    condition,
  )
  .map(([one, other]) => ({ AND: [one, other] }))

const page = fc.record(
  { skip: fc.nat(3), take: fc.integer({ min: -4, max: 4 }) },
  { requiredKeys: [], noNullPrototype: true },
)

const operations: fc.Arbitrary<{ readonly of: object; readonly run: (client: FixtureClient) => Promise<unknown> }> = fc
  .oneof(
    fc.tuple(where, page).map(([where, page]) => ['findMany', { where, ...page, orderBy: { id: 'asc' } }] as const),
    where.map((where) => ['count', { where }] as const),
    where.map((where) => ['findFirst', { where, orderBy: { id: 'desc' } }] as const),
    where.map((where) => ['aggregate', { where, _sum: { rank: true }, _count: { name: true } }] as const),
    where.map((where) => ['updateMany', { where, data: { rank: { increment: 1 } } }] as const),
    filtered.map((where) => ['findMany', { where, orderBy: { id: 'asc' } }] as const),
    where.map((where) => {
      const reports = { where, orderBy: { id: 'asc' }, select: { id: true, name: true } }
      return ['findMany', { select: { id: true, reports }, orderBy: { id: 'asc' } }] as const
    }),
  )
  .map(([operation, args]) => ({ of: [operation, args], run: (client) => client.person![operation](args) }))

it(
  'answers random conditions as the plain client does, wherever they stand',
  async () => {
    let answered = 0
    await fc.assert(
      fc.asyncProperty(operations, async ({ run }) => {
        const { encrypted, plain } = await twins.both(run)
        expect(encrypted).toEqual(plain)
        answered += 1
      }),
      { numRuns: RUNS, ...(process.env.FIELDSEAL_SEED ? { seed: Number(process.env.FIELDSEAL_SEED) } : {}) },
    )
    expect(answered).toBe(RUNS)
    const { encrypted, plain } = await twins.contents()
    expect(encrypted).toEqual(plain)
  },
  Math.max(60_000, RUNS * 200),
)
