import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { compare, Mismatch } from './compare.js'
import { Made } from './dice.js'
import { prismaSchema } from './prismaSchema.js'
import { type Case, randomCase, smallerCases } from './randomCase.js'
import { randomSchema } from './randomSchema.js'
import type { Schema } from './schema.js'
import { Tally } from './tally.js'
import { openTwins, type Twins } from './twins.js'

const given = (name: string) => process.env[`FIELDSEAL_DIFFERENTIAL_${name}`]
/** The suite asks the same questions every time; `npm run test:differential` asks new ones. */
const SEED = Number(given('SEED') ?? 700)
const SCHEMAS = Number(given('SCHEMAS') ?? 3)
const RUNS = Math.ceil(Number(given('RUNS') ?? 150) / SCHEMAS)
const path = given('PATH')
/** From so many cases on, whatever the test can meet it must have met. */
const MANY = 2_000

let emulator: KmsEmulator
const tally = new Tally()
beforeAll(async () => {
  emulator = await startKmsEmulator()
})
afterAll(async () => {
  await emulator.close()
  console.log(`differential test: --seed ${SEED} --schemas ${SCHEMAS} --runs ${RUNS * SCHEMAS}\n${tally}`)
  if (RUNS * SCHEMAS >= MANY && !path) expect(tally.missing()).toEqual([])
})

function schemaOf(seed: number): Schema {
  return fc.sample(new Made(randomSchema), { seed, numRuns: 1 })[0]!
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
      `again: npm run test:differential -- --seed ${seed} --schemas 1 --runs ${RUNS} --path ${counterexamplePath}`,
      prismaSchema(twins.schema, 'encrypted', 'fieldseal-generator'),
      ...(counterexample?.[0] ?? []).map((step) => JSON.stringify(step)),
      errorInstance instanceof Mismatch
        ? errorInstance.message
        : String((errorInstance as Error)?.stack ?? errorInstance),
    ].join('\n\n'),
  )
}

describe('the extended client', () => {
  it.concurrent.each(Array.from({ length: SCHEMAS }, (_, index) => SEED + index))(
    'answers, fails and stores as the plain client does, or refuses, on the random schema of seed %i',
    async (seed) => {
      const twins = await openTwins(schemaOf(seed), emulator)
      try {
        await holdTogether(twins, seed)
      } finally {
        await twins.close()
      }
    },
    120_000 + RUNS * 10_000,
  )
})
