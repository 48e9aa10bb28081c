import { isDeepStrictEqual } from 'node:util'
import { type Answer, answer } from './answer.js'
import { expectedRefusals } from './expectedRefusals.js'
import type { Action, Case, Step } from './step.js'
import { contents, flaws, turnPlain } from './tables.js'
import type { Tally } from './tally.js'
import type { Twins } from './twins.js'

/** The data sources do not agree. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

/** Runs a case on both data sources. @throws Mismatch */
export async function compare(twins: Twins, steps: Case, tally: Tally): Promise<void> {
  await twins.empty()
  tally.cases += 1
  for (const step of steps) await compareStep(twins, step, tally)
  const [expected, actual] = await Promise.all([contents(twins.plain), contents(twins.encrypted)])
  mustEqual('the tables', expected, actual)
  mustEqual('the stored cells', [], await flaws(twins))
}

async function compareStep(twins: Twins, step: Step, tally: Tally): Promise<void> {
  const { schema, plain, encrypted } = twins
  if (step.entity) return turnPlain(twins, step.entity)
  const reasons = step.actions.map((action) => expectedRefusals(schema, action))
  encrypted.takeSql()
  const actual = await answer(encrypted, schema, step)
  const sent = encrypted.takeSql()
  tally.add(step, actual, reasons)
  if (actual.kind === 'refused') return compareRefused(step, actual, reasons, sent)
  const expected = await answer(plain, schema, step)
  if (expected.kind === 'failed' && actual.kind === 'failed' && isSameFailure(expected.error, actual.error)) return
  mustEqual(describe(step), expected, actual)
}

/** What a column cannot hold is seen before the database sees anything else. */
function isSameFailure(expected: string, actual: string): boolean {
  return expected === actual || actual === 'value'
}

/** Actions of one statement: of others, those before the refused one are undone with their transaction. */
const SINGLE: ReadonlySet<Action['do']> = new Set<Action['do']>([
  ...(['insert', 'update', 'upsert', 'delete', 'softDelete', 'restore', 'increment', 'decrement'] as const),
  ...(['sum', 'average', 'minimum', 'maximum', 'count', 'exists', 'select', 'raw'] as const),
  ...(['insertBuilder', 'updateBuilder', 'deleteBuilder', 'softDeleteBuilder', 'restoreBuilder'] as const),
])

/** What is refused must be known to be, and must not have reached the database; the plain side keeps in step. */
function compareRefused(
  step: Step,
  { code, detail, action }: Extract<Answer, { kind: 'refused' }>,
  reasons: readonly (readonly string[])[],
  sent: readonly string[],
): void {
  if (reasons[action]!.length === 0)
    throw new Mismatch(`${describe(step)}\nwas refused, and nothing says that it may be:\n${code} ${detail}`)
  if (step.kind === 'alone' && SINGLE.has(step.actions[action]!.do) && step.actions.length === 1 && sent.length > 0)
    throw new Mismatch(`${describe(step)}\nwas refused after SQL:\n${sent.join('\n')}`)
}

function mustEqual(what: string, expected: unknown, actual: unknown): void {
  if (isDeepStrictEqual(expected, actual)) return
  throw new Mismatch(`${what}\nplain:     ${JSON.stringify(expected)}\nencrypted: ${JSON.stringify(actual)}`)
}

function describe(step: Step): string {
  return JSON.stringify(step)
}
