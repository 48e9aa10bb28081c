import { indexedText } from '../../cipher/indexText.js'
import { own } from '../../own.js'
import { isExact } from '../../plan/exactIndex.js'
import type { FieldPlan, IndexPlan } from '../../plan/plan.js'
import { isDbNull, isPlainObject } from '../values.js'
import { falsePositives } from './refusals.js'
import { operands } from './search.js'

/** What rows must be held against once they are decrypted. */
export interface RowCheck {
  /** The fields whose values it needs. */
  readonly sources: readonly FieldPlan[]
  /** Whether their values in a row, of which none is null, are what was looked for. */
  readonly matches: (values: readonly unknown[]) => boolean
}

/** Takes up what to check rows against later; where that is not possible, the use that forbids it. */
export type Checks = RowCheck[] | string

/**
 * Notes a condition that rows must be held against because its index finds others too.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` where the others cannot be taken out
 */
export function checkLater(checks: Checks, index: IndexPlan, condition: unknown): void {
  if (isExact(index)) return
  const [field] = index.sources
  if (!isPlainObject(condition)) add(checks, index, [condition])
  else {
    for (const [operator, operand] of operands(field!, condition)) {
      if (operator !== 'equals' && operator !== 'in') throw falsePositives(index, `"${operator}"`)
      add(checks, index, [operand].flat())
    }
  }
}

/** As `checkLater`, for the values of an index over several fields. */
export function checkLaterTogether(checks: Checks, index: IndexPlan, values: readonly unknown[]): void {
  if (!isExact(index)) note(checks, index, [indexedText(index, values, 'searched for')])
}

function add(checks: Checks, index: IndexPlan, values: readonly unknown[]): void {
  const texts = values.filter((value) => !isDbNull(value)).map((value) => indexedText(index, [value], 'searched for'))
  note(checks, index, texts)
}

function note(checks: Checks, index: IndexPlan, texts: readonly string[]): void {
  if (typeof checks === 'string') throw falsePositives(index, checks)
  const wanted = new Set(texts)
  noteCheck(checks, { sources: index.sources, matches: (values) => wanted.has(indexedText(index, values, 'kept')) })
}

export function noteCheck(checks: RowCheck[], check: RowCheck): void {
  checks.push(check)
}

/** Whether a decrypted row is one that was looked for. */
export function passes(checks: readonly RowCheck[], row: Record<string, unknown>): boolean {
  return checks.every(({ sources, matches }) => {
    const values = sources.map(({ field }) => own(row, field))
    return !values.some(isDbNull) && matches(values)
  })
}
