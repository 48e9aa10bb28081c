import { expect } from '@jest/globals'
import type { ErrorCode } from 'fieldseal'
import { refusal } from '../support/refusal.js'
import type { SourceUnderTest } from './openSource.js'

export interface ExpectedRefusal {
  /** `QUERY_UNSUPPORTED` unless given. */
  readonly code?: ErrorCode
  /** What the message must name. */
  readonly names?: string
}

/** Expects work to be refused, in words that name what it is about, and nothing of it to have reached the database. */
export async function refusedBeforeSql(
  source: SourceUnderTest,
  work: () => unknown,
  { code = 'QUERY_UNSUPPORTED', names = 'User.email' }: ExpectedRefusal = {},
): Promise<void> {
  source.takeSql()
  const { code: actual, message } = await refusal(work)
  expect({ code: actual, message }).toEqual({ code, message: expect.stringContaining(names) })
  expect(source.takeSql()).toEqual([])
}
