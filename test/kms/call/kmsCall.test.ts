import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { type FailedAttempt, withRetryListener } from '../../../src/keys/retries.js'
import { unavailable } from '../../../src/kms/call/callFailure.js'
import { type Call, type CallsOptions, callRefusedOf, callsOf, type Target } from '../../../src/kms/call/kmsCall.js'
import { refusal } from '../../support/refusal.js'

const limits = { timeout: 5_000, attemptTimeout: 5_000, maxRetries: 2, concurrency: 20 }
const target = (): Target => ({ action: 'Decrypt', keyId: 'keys/1' })

function call(options: Partial<CallsOptions> = {}): Call {
  const classify = () => ({ ...unavailable('down'), details: { code: 'Down', requestId: 'r-1', httpCode: 503 } })
  return callsOf({
    service: 'Vendor KMS',
    limits,
    several: false,
    classify,
    advice: ({ code }) => `Do something: ${code}.`,
    ...options,
  })
}

describe('callsOf', () => {
  it('ends with an error of this library: what, with which key, why, how often, what to do; details as its cause', async () => {
    const failing = () => call()(target(), (attempts) => attempts(() => Promise.reject(new Error('a raw message'))))
    const error = await refusal(failing)
    expect(error.message).toBe(
      'Vendor KMS, Decrypt with key keys/1: down (request r-1) after 3 attempts. Do something: KMS_UNAVAILABLE.',
    )
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', cause: { code: 'Down', requestId: 'r-1', httpCode: 503 } })
  })

  it('says that time was over, and how the last attempt failed', async () => {
    const late = call({ limits: { ...limits, timeout: 150, maxRetries: 100 } })
    const error = await refusal(() => late(target(), (attempts) => attempts(() => Promise.reject(new Error()))))
    expect(error.message).toMatch(/: given up after 150 ms and \d+ attempts?: down \(request r-1\)\. Do/)
  })

  it('says that no request was sent where that is so', async () => {
    const stuck = call({ limits: { ...limits, timeout: 40, attemptTimeout: 40 } })
    const error = await refusal(() => stuck(target(), () => new Promise(() => {})))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('No request was sent') })
  })

  it('passes errors of this library on as they are, and does not try again', async () => {
    const mine = new FieldsealError('KMS_REFUSED', 'The answer is wrong.')
    let attempted = 0
    const error = await refusal(() =>
      call()(target(), (attempts) =>
        attempts(() => {
          attempted += 1
          return Promise.reject(mine)
        }),
      ),
    )
    expect([error, attempted]).toEqual([mine, 1])
  })

  it('keeps places for other KEKs while one does not answer, but only where there are several', async () => {
    const hanging = { ...limits, concurrency: 4, timeout: 400, attemptTimeout: 400 }
    for (const several of [true, false]) {
      const shared = call({ limits: hanging, several })
      const begun: string[] = []
      const hang = (keyId: string) =>
        shared({ action: 'Decrypt', keyId }, (attempts) =>
          attempts(() => {
            begun.push(keyId)
            return new Promise(() => {})
          }),
        )
      const all = Promise.allSettled(['a', 'a', 'a', 'a', 'b'].map(hang))
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(begun).toEqual(several ? ['a', 'b'] : ['a', 'a', 'a', 'a'])
      await all
    }
  })

  it('tells retries to whoever watches', async () => {
    const told: FailedAttempt[] = []
    await withRetryListener(
      (failed) => told.push(failed),
      () => refusal(() => call()(target(), (attempts) => attempts(() => Promise.reject(new Error())))),
    )
    expect(told).toEqual([1, 2].map((attempt) => ({ attempt, code: 'KMS_UNAVAILABLE', reason: 'down' })))
  })
})

describe('callRefusedOf', () => {
  it('names the service, and who is at the other end', () => {
    const refused = callRefusedOf({ service: 'Vendor KMS', vendor: 'Vendor' })
    expect(refused(target(), 'lacks a key')).toMatchObject({
      code: 'KMS_REFUSED',
      message:
        'Vendor KMS, Decrypt with key keys/1: the answer lacks a key. Compare the row of the keys table with a backup, and ' +
        'check that nothing stands between this host and Vendor.',
    })
    expect(callRefusedOf({ service: 'Vault' })({ ...target(), subject: 'value' }, 'is odd').message).toMatch(
      /the row with a backup.*and Vault\.$/,
    )
  })
})
