import { describe, expect, it } from '@jest/globals'
import { parseCommandLine, USAGE } from '../../../src/testing/tencent/commandLine.js'

describe('parseCommandLine', () => {
  it.each([
    [['--prot', '8100'], /--prot/],
    [['8100'], /8100/],
    [['--port', 'http'], /--port must be/],
    [['--port', '65536'], /--port must be/],
    [['--port'], /port/],
    [['--limit', 'Decrypt'], /--limit must look like/],
    [['--limit', 'Decrypt=fast'], /--limit must look like/],
    [['--secret-id', 'AKID'], /together/],
    [['--token', 'T'], /together/],
  ])('refuses %j, naming what is wrong and --help', (args, message) => {
    const parse = () => parseCommandLine(args, {})
    expect(parse).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    expect(parse).toThrow(message)
    expect(parse).toThrow(/See --help/)
  })

  it('has defaults for everything, and takes an empty variable for none', () => {
    const defaults = {
      port: 8100,
      host: '127.0.0.1',
      keys: [{ alias: 'fieldseal' }],
      limits: {},
      admin: false,
      allowInProduction: false,
    }
    expect(parseCommandLine([], {})).toEqual(defaults)
    expect(parseCommandLine([], { KMS_EMULATOR_PORT: '', KMS_EMULATOR_LIMIT: '', KMS_EMULATOR_STATE: '' })).toEqual(
      defaults,
    )
  })

  const options = {
    port: 0,
    host: '0.0.0.0',
    keys: [{ alias: 'app', keyId: 'k-1' }],
    limits: { Decrypt: 300, GenerateDataKey: 100 },
    admin: true,
    allowInProduction: true,
    stateFile: '/var/kms.json',
    credentials: [{ secretId: 'AKID', secretKey: 'S', token: 'T' }],
  }

  it('takes everything from arguments', () => {
    const text =
      '--port 0 --host 0.0.0.0 --key-alias app --key-id k-1 --limit Decrypt=300 --limit GenerateDataKey=100 --admin ' +
      '--allow-in-production --state /var/kms.json --secret-id AKID --secret-key S --token T'
    expect(parseCommandLine(text.split(' '), { KMS_EMULATOR_PORT: '9', KMS_EMULATOR_LIMIT: 'Decrypt=1' })).toEqual(
      options,
    )
  })

  it('takes everything from the environment', () => {
    const env = {
      KMS_EMULATOR_PORT: '0',
      KMS_EMULATOR_HOST: '0.0.0.0',
      KMS_EMULATOR_KEY_ALIAS: 'app',
      KMS_EMULATOR_KEY_ID: 'k-1',
      KMS_EMULATOR_LIMIT: 'Decrypt=300, GenerateDataKey=100',
      KMS_EMULATOR_ADMIN: '1',
      KMS_EMULATOR_ALLOW_IN_PRODUCTION: 'true',
      KMS_EMULATOR_STATE: '/var/kms.json',
      KMS_EMULATOR_SECRET_ID: 'AKID',
      KMS_EMULATOR_SECRET_KEY: 'S',
      KMS_EMULATOR_TOKEN: 'T',
    }
    expect(parseCommandLine([], env)).toEqual(options)
    for (const name of Object.keys(env)) expect(USAGE).toContain(name)
  })

  it('gives nothing when help is asked for', () => {
    expect(parseCommandLine(['--help'], {})).toBeNull()
  })
})
