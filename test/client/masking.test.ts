import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { MASKS, type MaskName } from '../../src/masks.js'
import { type Fixture, type FixtureClient, openFixture, type Row } from '../prisma/fixtureClient.js'
import { refusalCode } from '../support/refusal.js'

/* Whatever is selected and whatever is allowed: a limited client answers what the masks make of the full answer. */

let fixture: Fixture
let all: FixtureClient
beforeAll(async () => {
  fixture = await openFixture('access.prisma')
  all = fixture.prisma.$forTenant('acme')
  const person = (id: number, more: object = {}) =>
    all.person!.create({
      data: { id, orgId: 'acme', name: `First${id} Last${id}`, email: `p${id}@example.com`, ...more },
    })
  await person(1, {
    phone: '+44 20 7946 0958',
    card: '4111 1111 1111 1234',
    secret: 'hidden',
    born: new Date(0),
    pin: '1',
  })
  await person(2, { bossId: 1, notes: { a: 1 }, phone: '110', card: '12' })
  await person(3, { bossId: 1, pin: '3', secret: '' })
  await fixture.plain.person!.update({ where: { id: 1 }, data: { old: 'plain old', older: 'plain older' } })
  for (const id of [1, 2, 3])
    await all.visit!.create({ data: { id, orgId: 'acme', personId: id, reason: `cough ${id}` } })
})
afterAll(() => fixture.close())

type Model = 'Person' | 'Visit'
interface ModelShape {
  readonly encrypted: { readonly [field: string]: MaskName | null }
  readonly others: readonly string[]
  readonly relations: { readonly [field: string]: Model }
}
const SCHEMA: { readonly [model in Model]: ModelShape } = {
  Person: {
    encrypted: {
      name: 'initials',
      email: 'email',
      phone: 'phone',
      card: 'last4',
      old: 'hidden',
      older: 'last4',
      secret: 'hidden',
      pin: null,
      born: null,
      notes: null,
    },
    others: ['id', 'rank', 'label', 'bossId'],
    relations: { boss: 'Person', reports: 'Person', visits: 'Visit' },
  },
  Visit: { encrypted: { reason: null }, others: ['id', 'personId'], relations: { person: 'Person' } },
}
const FIELDS = Object.entries(SCHEMA).flatMap(([model, { encrypted }]) =>
  Object.keys(encrypted).map((name) => `${model}.${name}`),
)

type Select = { readonly [field: string]: true | { readonly select: Select } }

/** Fields that have no mask are seldom selected, so that enough is answered. */
function selects(model: Model, depth: number): fc.Arbitrary<Select> {
  const { encrypted, others, relations } = SCHEMA[model]
  const chosen = (freq: number) => fc.option(fc.constant(true as const), { nil: undefined, freq })
  const related = depth === 0 ? [] : Object.entries(relations)
  const parts: Record<string, fc.Arbitrary<Select[string] | undefined>> = {
    ...Object.fromEntries(others.map((name) => [name, chosen(1)])),
    ...Object.fromEntries(
      Object.entries(encrypted).map(([name, mask]) => [
        name,
        mask
          ? chosen(2)
          : fc.constantFrom(undefined, undefined, undefined, undefined, undefined, undefined, true as const),
      ]),
    ),
    ...Object.fromEntries(
      related.map(([name, to]) => [
        name,
        fc.option(
          selects(to, depth - 1).map((select) => ({ select })),
          { nil: undefined },
        ),
      ]),
    ),
  }
  return fc
    .record(parts)
    .map((all) => Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Select)
    .map((select) => (Object.keys(select).length > 0 ? select : { id: true }))
}

function isDenied(model: Model, select: Select, allow: ReadonlySet<string>): boolean {
  return Object.entries(select).some(([name, value]) => {
    if (value !== true) return isDenied(SCHEMA[model].relations[name]!, value.select, allow)
    return SCHEMA[model].encrypted[name] === null && !allow.has(`${model}.${name}`)
  })
}

function masked(model: Model, value: unknown, allow: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((row) => masked(model, row, allow))
  if (value === null) return null
  const { encrypted, relations } = SCHEMA[model]
  const cells = Object.entries(value as Row).map(([name, cell]) => {
    const relation = relations[name]
    if (relation) return [name, masked(relation, cell, allow)]
    const mask = encrypted[name]
    return [name, mask && cell !== null && !allow.has(`${model}.${name}`) ? MASKS[mask](cell as string) : cell]
  })
  return Object.fromEntries(cells)
}

it('a limited client answers the masks of what it may not read, at any depth, and is refused what has none', async () => {
  const counts = { denied: 0, answered: 0 }
  await fc.assert(
    fc.asyncProperty(fc.subarray(FIELDS), selects('Person', 3), async (fields, select) => {
      const allow = new Set(fields)
      const args = { select, orderBy: { id: 'asc' } }
      const client = all.$forTenant('acme', { allow: fields })
      if (isDenied('Person', select, allow)) {
        counts.denied += 1
        expect(await refusalCode(() => client.person!.findMany(args))).toBe('ACCESS_DENIED')
        return
      }
      counts.answered += 1
      const [shown, full] = await Promise.all([client.person!.findMany(args), all.person!.findMany(args)])
      expect(shown).toEqual(masked('Person', full, allow))
    }),
    { numRuns: 250 },
  )
  expect(counts.denied).toBeGreaterThan(20)
  expect(counts.answered).toBeGreaterThan(20)
})
