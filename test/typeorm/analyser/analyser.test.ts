import { afterAll, beforeAll, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Made } from '../../differential/dice.js'
import { compare } from './compare.js'
import { randomStatement } from './randomStatement.js'
import { Tally } from './tally.js'
import { openTwins, type Twins } from './twins.js'

const given = (name: string) => process.env[`FIELDSEAL_DIFFERENTIAL_${name}`]
/** The suite asks the same questions every time; `npm run test:differential -- --orm typeorm` asks new ones. */
const SEED = Number(given('SEED') ?? 1300)
const RUNS = Number(given('RUNS') ?? 500)
/** Found failures are printed up to so many; a long run goes on behind them. */
const MOST = Number(given('FAILURES') ?? 20)

let twins: Twins
const tally = new Tally()
const failures: string[] = []
beforeAll(async () => {
  twins = await openTwins()
})
afterAll(async () => {
  await twins?.close()
  const found = failures.length > 0 ? `\n\n${failures.join('\n\n')}` : ''
  console.log(`analyser: --orm typeorm --seed ${SEED} --runs ${RUNS}\n${tally}\n  failures: ${failures.length}${found}`)
})

it(
  'a statement is refused before it is sent, or does on encrypted columns what PostgreSQL does on plain ones',
  async () => {
    const statements = new Made(randomStatement)
    const property = fc.asyncProperty(statements, async (statement) => {
      if (failures.length >= MOST) return
      await compare(twins, statement, tally).catch((error: Error) => failures.push(error.message))
    })
    await fc.assert(property, { seed: SEED, numRuns: RUNS })
    expect(failures).toHaveLength(0)
    expect(tally.answered).toBeGreaterThan(tally.cases * 0.25)
    expect(tally.refused - tally.refusedByBoth).toBeGreaterThan(tally.cases * 0.1)
  },
  120_000 + RUNS * 100,
)
