import { describe, expect, it } from '@jest/globals'
import { type ErrorRules, failureOf, networkReason } from '../../../src/kms/call/callFailure.js'

const rules: ErrorRules = [
  ['Throttling*', 'KMS_THROTTLED', 'always'],
  ['Disabled', 'KMS_KEY_UNUSABLE', 'never'],
  ['*', 'KMS_REFUSED', 'never'],
]

describe('failureOf', () => {
  it('takes the first rule that fits, by the whole code or by its beginning', () => {
    expect(failureOf(rules, 'ThrottlingException')).toMatchObject({ code: 'KMS_THROTTLED', retry: 'always' })
    expect(failureOf(rules, 'Disabled')).toMatchObject({ code: 'KMS_KEY_UNUSABLE', reason: 'Disabled' })
    expect(failureOf(rules, 'DisabledException')).toMatchObject({ code: 'KMS_REFUSED' })
  })

  it('keeps the code and a request id, and no text that only stands in its place', () => {
    expect(failureOf(rules, 'Disabled', 'b1f0-77').details).toEqual({ code: 'Disabled', requestId: 'b1f0-77' })
    for (const none of [undefined, 7, '', 'two words', 'x'.repeat(65)])
      expect(failureOf(rules, 'Disabled', none).details).toEqual({ code: 'Disabled' })
  })
})

describe('networkReason', () => {
  it('finds what is known to be harmless in code or message, and says nothing else of them', () => {
    expect(networkReason(Object.assign(new Error('secret'), { code: 'ECONNRESET' }))).toBe('ECONNRESET')
    expect(networkReason(new Error('secret socket hang up secret'))).toBe('socket hang up')
    expect(networkReason(new Error('Unexpected token s, "secret" is not valid JSON'))).toBeUndefined()
  })

  it('looks at causes and at gathered errors, which end somewhere', () => {
    const refused = Object.assign(new Error(''), { code: 'ECONNREFUSED' })
    expect(networkReason(new TypeError('fetch failed', { cause: new AggregateError([refused]) }))).toBe('ECONNREFUSED')
    const circle: { cause?: unknown } = {}
    circle.cause = circle
    expect(networkReason(circle)).toBeUndefined()
    for (const none of [undefined, null, 'ECONNREFUSED', 7]) expect(networkReason(none)).toBeUndefined()
  })
})
