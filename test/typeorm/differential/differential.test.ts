import { afterAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Made } from '../../differential/dice.js'
import { compare, Mismatch } from './compare.js'
import { randomSchema } from './randomSchema.js'
import { randomCase, smallerCases } from './randomStep.js'
import type { Schema } from './schema.js'
import type { Case } from './step.js'
import { Tally } from './tally.js'
import { openTwins, type Twins } from './twins.js'

const given = (name: string) => process.env[`FIELDSEAL_DIFFERENTIAL_${name}`]
/** The suite asks the same questions every time; `npm run test:differential -- --orm typeorm` asks new ones. */
const SEED = Number(given('SEED') ?? 1400)
const SCHEMAS = Number(given('SCHEMAS') ?? 3)
const RUNS = Math.ceil(Number(given('RUNS') ?? 36) / SCHEMAS)
const path = given('PATH')

const tally = new Tally()
afterAll(() => {
  console.log(`differential test: --orm typeorm --seed ${SEED} --schemas ${SCHEMAS} --runs ${RUNS * SCHEMAS}\n${tally}`)
  expect(tally.answered).toBeGreaterThan(tally.refused)
})

function schemaOf(seed: number): Schema {
  return fc.sample(new Made(randomSchema), { seed, numRuns: 1 })[0]!
}

/** The entities that a case speaks of. */
function concerned({ entities }: Schema, steps: Case): string[] {
  const text = JSON.stringify(steps)
  return entities.filter(({ name }) => text.includes(`"${name}"`)).map((entity) => JSON.stringify(entity))
}

/** @throws Error with what is needed to see it again */
async function holdTogether(twins: Twins, seed: number): Promise<void> {
  const cases = new Made<Case>((dice) => randomCase(dice, twins.schema), smallerCases)
  const property = fc.asyncProperty(cases, (one) => compare(twins, one, tally))
  const result = await fc.check(property, { seed, numRuns: RUNS, ...(path && { path }) })
  if (!result.failed) return
  const { counterexample, counterexamplePath, errorInstance } = result
  throw new Mismatch(
    [
      `again: npm run test:differential -- --orm typeorm --of operations --seed ${seed} --schemas 1 --runs ${RUNS} --path ${counterexamplePath}`,
      ...concerned(twins.schema, counterexample?.[0] ?? []),
      ...(counterexample?.[0] ?? []).map((step) => JSON.stringify(step)),
      errorInstance instanceof Mismatch
        ? errorInstance.message
        : String((errorInstance as Error)?.stack ?? errorInstance),
    ].join('\n\n'),
  )
}

describe('a data source that encrypts', () => {
  it.each(Array.from({ length: SCHEMAS }, (_, index) => SEED + index))(
    'answers, fails and stores as a plain one does, or refuses, on the random entities of seed %i',
    async (seed) => {
      const twins = await openTwins(schemaOf(seed))
      try {
        await holdTogether(twins, seed)
      } finally {
        await twins.close()
      }
    },
    120_000 + RUNS * 10_000,
  )
})
