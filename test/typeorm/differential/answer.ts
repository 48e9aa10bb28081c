import { FieldsealError } from 'fieldseal'
import type { EntityManager } from 'typeorm'
import { comparable } from './comparable.js'
import { perform } from './perform.js'
import type { Schema } from './schema.js'
import type { Action, Step } from './step.js'
import type { Side } from './twins.js'

/** What a data source made of a step. */
export type Answer =
  | { readonly kind: 'answered'; readonly results: readonly unknown[] }
  | { readonly kind: 'failed'; readonly error: string; readonly detail: string }
  | { readonly kind: 'refused'; readonly code: string; readonly detail: string; readonly action: number }

/** Refusals that say that an operation has no right answer, and not that something is broken. */
const REFUSALS = new Set(['QUERY_UNSUPPORTED', 'BOUND_VALUE_MISSING', 'TENANT_MISMATCH', 'TENANT_MISSING'])

class RolledBack extends Error {}

export async function answer(side: Side, schema: Schema, step: Step): Promise<Answer> {
  const results: unknown[] = []
  try {
    await run(side, schema, step, results)
    return { kind: 'answered', results }
  } catch (error) {
    return failure(error, results.length)
  }
}

async function run(side: Side, schema: Schema, step: Step, results: unknown[]): Promise<void> {
  const { kind, actions, rollback, savepoint } = step
  const all = async (manager: EntityManager, some = actions) => {
    for (const action of some) results.push(comparable(await perform(side, manager, schema, action), isOrdered(action)))
  }
  const parts = async (manager: EntityManager) => {
    if (!savepoint) return all(manager)
    await all(manager, actions.slice(0, 1))
    await undone(manager, rollback, (inner) => all(inner, actions.slice(1)))
  }
  if (kind === 'alone') return all(side.dataSource.manager)
  return undone(side.dataSource.manager, rollback && !savepoint, parts)
}

/** Does work in a transaction, or inside of one behind a savepoint, which is rolled back if so it should be. */
async function undone(
  manager: EntityManager,
  rollback: boolean | undefined,
  work: (manager: EntityManager) => Promise<void>,
): Promise<void> {
  try {
    await manager.transaction(async (inner) => {
      await work(inner)
      if (rollback) throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  }
}

function isOrdered(action: Action): boolean {
  if (action.do === 'select') return action.builder.order.length > 0 && action.builder.joins.length === 0
  return 'options' in action && action.do !== 'findAndCount' && Object.keys(action.options.order).length > 0
}

/** A value of the wrong type is refused by whoever sees it first. */
function failure(error: unknown, action: number): Answer {
  const { code, name, message } = error as { code?: string; name: string; message: string }
  if (FieldsealError.is(error) && REFUSALS.has(error.code))
    return { kind: 'refused', code: error.code, detail: message, action }
  const isValue = code === 'VALUE_INVALID' || code?.startsWith('22')
  return { kind: 'failed', error: isValue ? 'value' : (code ?? name), detail: message }
}
