import type { ErrorCode } from '../../errors.js'
import { progressError } from '../jobs/progressError.js'
import type { RangeFailure } from '../jobs/ranges.js'
import type { RunKey } from '../jobs/runKey.js'
import type { Problem } from '../rows/problem.js'

/** The columns that `failureIn` reads, beside the range's id. */
export const FAILURE_COLUMNS = `failure ->> 'code' AS code, failure ->> 'message' AS message`

/** What a range can fail by. Any other code is nobody's of ours. */
const CODES: ReadonlySet<string> = new Set<ErrorCode>([
  'OPTIONS_INVALID',
  'TENANT_MISSING',
  'TENANT_INVALID',
  'ACCESS_DENIED',
  'KEY_STORE_UNAVAILABLE',
  'KMS_UNAVAILABLE',
  'KMS_THROTTLED',
  'KMS_DENIED',
  'KMS_KEY_UNUSABLE',
  'KMS_REFUSED',
  'ROW_BUSY',
  'ROW_REFUSED',
  'PROGRESS_INVALID',
])
const LONGEST = 500
const CONTROLS = /\p{C}+/gu

/** Whoever writes to the database may have written it, so it is shown on one line and not at any length. */
export function failureIn(range: string, code: string | null, message: string | null): RangeFailure | null {
  if (code === null) return null
  const shown = (message ?? '').replace(CONTROLS, ' ').slice(0, LONGEST)
  return { range, code: CODES.has(code) ? (code as ErrorCode) : 'DATABASE_UNAVAILABLE', message: shown }
}

/** The row that a range stopped at, as it is kept. */
export function textOfStop(key: RunKey, number: number, problem: Problem): string {
  return JSON.stringify({ ...problem, mac: key.mac('problem', { number, problem }) })
}

/** @throws FieldsealError `PROGRESS_INVALID` for what no worker has written */
export function problemIn(key: RunKey, number: number, text: string | null): Problem {
  const { mac, ...problem } = JSON.parse(text ?? '{}') ?? {}
  if (key.isMac(mac, 'problem', { number, problem })) return problem
  throw progressError(`the problem at which range ${number} of a run stopped was changed`)
}
