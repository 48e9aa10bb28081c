import { FieldsealError } from 'fieldseal'
import { comparable } from './comparable.js'
import type { Call, Step } from './randomCase.js'
import type { Schema } from './schema.js'
import { type Client, delegateOf, type Side } from './twins.js'
import { made } from './values.js'

/** What a client made of a step. */
export type Answer =
  | { readonly kind: 'answered'; readonly results: readonly unknown[] }
  | { readonly kind: 'failed'; readonly error: string; readonly detail: string }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string; readonly answered: number }

/** Refusals that say that an operation has no right answer, and not that something is broken. */
const REFUSALS = new Set(['QUERY_UNSUPPORTED', 'BOUND_VALUE_MISSING', 'TENANT_MISMATCH', 'TENANT_MISSING'])

export async function answer(side: Side, schema: Schema, step: Step): Promise<Answer> {
  const results: unknown[] = []
  try {
    await run(side, schema, step, results)
    return { kind: 'answered', results }
  } catch (error) {
    return failure(error, results)
  }
}

async function run({ client, Prisma }: Side, schema: Schema, step: Step, results: unknown[]): Promise<void> {
  const begin = (on: Client, call: Call) => start({ client: on, Prisma }, schema, call)
  if (step.kind === 'call') {
    for (const call of step.calls) results.push(comparable(schema, call, await begin(client, call)))
  } else if (step.kind === 'batch') {
    const all = (await client.$transaction(step.calls.map((call) => begin(client, call)))) as unknown[]
    results.push(...all.map((one, position) => comparable(schema, step.calls[position]!, one)))
  } else
    await interactive(client, step, async (tx, call) => results.push(comparable(schema, call, await begin(tx, call))))
}

class RolledBack extends Error {}

async function interactive(
  client: Client,
  { calls, rollback }: Extract<Step, { kind: 'interactive' }>,
  each: (tx: Client, call: Call) => Promise<unknown>,
): Promise<void> {
  const work = async (tx: Client) => {
    for (const call of calls) await each(tx, call)
    if (rollback) throw new RolledBack()
  }
  const options = { maxWait: 30_000, timeout: 60_000 }
  try {
    await (client.$transaction as (work: unknown, options: object) => Promise<unknown>)(work, options)
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
}

function start({ client, Prisma }: Pick<Side, 'client' | 'Prisma'>, schema: Schema, call: Call): Promise<unknown> {
  const fields = (model: string, field: string) => delegateOf(client, schema, model).fields[field]
  const argsOf = (args: unknown) => made(args, { Prisma, fields })
  let result = delegateOf(client, schema, call.model)[call.operation]!(argsOf(call.args))
  for (const { field, args } of call.fluent ?? []) {
    result = (result as unknown as { [relation: string]: (args: unknown) => Promise<unknown> })[field]!(argsOf(args))
  }
  return result
}

/** A value of the wrong type is refused by whoever sees it first. */
function failure(error: unknown, results: readonly unknown[]): Answer {
  const { code, name, message } = error as { code?: string; name: string; message: string }
  if (FieldsealError.is(error) && REFUSALS.has(error.code)) {
    return { kind: 'refused', code: error.code, detail: message, answered: results.length }
  }
  const validation = code === 'VALUE_INVALID' || name === 'PrismaClientValidationError'
  return { kind: 'failed', error: validation ? 'validation' : (code ?? name), detail: message }
}
