import { isDeepStrictEqual } from 'node:util'
import { type Answer, answer } from './answer.js'
import { expectedRefusals } from './expectedRefusals.js'
import { plant } from './plant.js'
import type { Case, Step } from './randomCase.js'
import { contents, flaws } from './tables.js'
import type { Tally } from './tally.js'
import type { Twins } from './twins.js'

/** The clients do not agree. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

/** Runs a case on both clients. @throws Mismatch */
export async function compare(twins: Twins, steps: Case, tally: Tally): Promise<void> {
  await twins.empty()
  tally.cases += 1
  for (const step of steps) {
    if (step.kind === 'plant') await plant(twins, step)
    else if (step.calls.length > 0) await compareStep(twins, step, tally)
  }
  const [expected, actual] = await Promise.all([
    contents(twins.plain.client, twins.schema),
    contents(twins.encrypted.client, twins.schema),
  ])
  mustEqual('the tables', expected, actual)
  mustEqual('the stored cells', [], await flaws(twins))
}

async function compareStep(twins: Twins, step: Step, tally: Tally): Promise<void> {
  const { schema, plain, encrypted } = twins
  const reasons = step.calls.flatMap((call) => expectedRefusals(schema, call))
  encrypted.takeSql()
  const actual = await answer(encrypted, schema, step)
  tally.add(step, actual, reasons)
  if (actual.kind === 'refused') return compareRefused(twins, step, actual, reasons)
  const expected = await answer(plain, schema, step)
  if (expected.kind !== 'failed' || actual.kind !== 'failed') mustEqual(describe(step), expected, actual)
  else if (expected.error !== actual.error) mustEqual(describe(step), expected, actual)
}

/** What is refused must be known to be, and must not have reached the database; the plain side keeps in step. */
async function compareRefused(
  twins: Twins,
  step: Step,
  refused: Extract<Answer, { kind: 'refused' }>,
  reasons: readonly string[],
): Promise<void> {
  if (reasons.length === 0)
    throw new Mismatch(
      `${describe(step)}\nwas refused, and nothing says that it may be:\n${refused.code} ${refused.detail}`,
    )
  const sql = twins.encrypted.takeSql().filter((statement) => !statement.includes('encryption_keys'))
  if (step.kind !== 'interactive' && sql.length > 0)
    throw new Mismatch(`${describe(step)}\nwas refused after SQL:\n${sql.join('\n')}`)
}

function mustEqual(what: string, expected: unknown, actual: unknown): void {
  if (isDeepStrictEqual(expected, actual)) return
  throw new Mismatch(`${what}\nplain:     ${JSON.stringify(expected)}\nencrypted: ${JSON.stringify(actual)}`)
}

function describe(step: Step): string {
  return JSON.stringify(step)
}
