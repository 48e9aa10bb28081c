import { describe, expect, it } from '@jest/globals'
import { CALL_OPTIONS, checkedCallOptions, checkOptionNames } from '../../../src/kms/call/callOptions.js'

describe('checkedCallOptions', () => {
  it('has defaults, and shortens an attempt to a short timeout', () => {
    expect(checkedCallOptions('vendorKms', {})).toEqual({
      timeout: 10_000,
      attemptTimeout: 3_000,
      maxRetries: 5,
      concurrency: 20,
    })
    expect(checkedCallOptions('vendorKms', { timeout: 50, attemptTimeout: undefined })).toMatchObject({
      attemptTimeout: 50,
    })
  })

  it.each([
    { timeout: 0 },
    { timeout: 2 ** 31 },
    { attemptTimeout: Number.NaN },
    { attemptTimeout: 5_000, timeout: 4_000 },
    { maxRetries: -1 },
    { maxRetries: '5' as never },
    { concurrency: 0 },
  ])('refuses %j, naming the adapter and the option', (options) => {
    expect(() => checkedCallOptions('vendorKms', options)).toThrow(
      expect.objectContaining({
        code: 'OPTIONS_INVALID',
        message: expect.stringMatching(`"${Object.keys(options)[0]}" of vendorKms`),
      }),
    )
  })
})

describe('checkOptionNames', () => {
  it('finds a misspelt option, and names those that there are', () => {
    const names = ['keyId', ...CALL_OPTIONS]
    checkOptionNames('vendorKms', { keyId: 'k', timeout: 1 }, names)
    expect(() => checkOptionNames('vendorKms', { timout: 1 }, names)).toThrow(
      /"timout" of vendorKms does not exist; there are keyId, timeout, attemptTimeout, maxRetries, concurrency/,
    )
  })
})
