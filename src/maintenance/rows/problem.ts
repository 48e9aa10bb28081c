import { type ErrorCode, FieldsealError } from '../../errors.js'
import type { RowKey } from './rowSource.js'

/** A row that was left as it is, and why. It holds no value but the primary key. */
export interface Problem {
  readonly model: string
  readonly key: RowKey
  readonly code: ErrorCode
  readonly message: string
}

/** These are no fault of a row: every other row would meet them too. */
const GENERAL = new Set<ErrorCode>([
  'OPTIONS_INVALID',
  'KEY_STORE_UNAVAILABLE',
  'KMS_UNAVAILABLE',
  'KMS_THROTTLED',
  'KMS_DENIED',
  'DATABASE_UNAVAILABLE',
])

/** Whether an error is about single rows, which can be skipped. */
export function isRowProblem(error: unknown): error is FieldsealError {
  return FieldsealError.is(error) && !GENERAL.has(error.code)
}

/**
 * Does work on all items at once; if one of them makes it fail, halves them until each is done or known to fail.
 *
 * @param work may be called again with any part of the items, so it must have no effect when it throws
 * @param failed is told every item that fails alone
 * @throws what is no row's fault
 */
export async function isolate<T>(
  items: readonly T[],
  work: (items: readonly T[]) => Promise<void>,
  failed: (item: T, error: FieldsealError) => void,
): Promise<void> {
  if (items.length === 0) return
  try {
    await work(items)
  } catch (error) {
    if (!isRowProblem(error)) throw error
    if (items.length === 1) return failed(items[0]!, error)
    const middle = items.length >> 1
    await isolate(items.slice(0, middle), work, failed)
    await isolate(items.slice(middle), work, failed)
  }
}
