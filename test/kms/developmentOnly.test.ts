import { afterEach, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { type KmsEmulatorOptions, startKmsEmulator } from 'fieldseal/testing'
import { restoreVariables, setVariable } from '../support/environment.js'
import { refusal, refusalCode } from '../support/refusal.js'

afterEach(() => void restoreVariables())

const key = 'ab'.repeat(32)
const own = { credentials: [{ secretId: 'AKIDown', secretKey: 'own-secret' }] }
const builtIn = { credentials: [{ secretId: 'AKIDemulator', secretKey: 'emulator-secret-key' }] }

async function starts(options: KmsEmulatorOptions = {}): Promise<boolean> {
  await (await startKmsEmulator(options)).close()
  return true
}

describe.each([undefined, '', 'development', 'test', 'Development', ' test '])('with NODE_ENV=%j', (value) => {
  it('localKms and the emulator start', async () => {
    setVariable('NODE_ENV', value)
    expect(localKms({ key }).name).toBe('local')
    expect(await starts({ admin: true })).toBe(true)
  })
})

describe.each([
  'production',
  'Production',
  'PRODUCTION ',
  'prod',
  'prd',
  'live',
  'staging',
  'preview',
  'acceptance',
  'undefined',
  'development,production',
])('with NODE_ENV=%j', (value) => {
  it('localKms does not start unless told', async () => {
    setVariable('NODE_ENV', value)
    const error = await refusal(() => localKms({ key }))
    expect([error.code, error.message]).toEqual(['OPTIONS_INVALID', expect.stringContaining(JSON.stringify(value))])
    expect(await refusalCode(() => localKms({ key, allowInProduction: false }))).toBe('OPTIONS_INVALID')
    expect(localKms({ key, allowInProduction: true }).name).toBe('local')
  })

  it('the emulator does not start with its built-in credential, nor without any, unless told', async () => {
    setVariable('NODE_ENV', value)
    for (const options of [{}, builtIn, { credentials: [...own.credentials, ...builtIn.credentials] }]) {
      const error = await refusal(() => startKmsEmulator(options))
      expect([error.code, error.message]).toEqual([
        'OPTIONS_INVALID',
        expect.stringContaining('allowInProduction: true'),
      ])
      expect(error.message).not.toContain('emulator-secret-key')
    }
    expect(await refusalCode(() => startKmsEmulator({ ...own, admin: true }))).toBe('OPTIONS_INVALID')
    expect(await starts(own)).toBe(true)
    expect(await starts({ admin: true, allowInProduction: true })).toBe(true)
  })
})
