import { parseArgs, types } from 'node:util'
import { FieldsealError } from '../../errors.js'
import type { KmsEmulatorOptions } from './kmsEmulator.js'

type Environment = { readonly [name: string]: string | undefined }

export const USAGE = `Usage: fieldseal-kms-emulator [options]

An emulator of Tencent Cloud KMS (API 2019-01-18), for tests and development only.
Each option may also come from the environment variable beside it.

  --port <number>        KMS_EMULATOR_PORT        default 8100; 0 takes a free one
  --host <address>       KMS_EMULATOR_HOST        default 127.0.0.1
  --secret-id <id>       KMS_EMULATOR_SECRET_ID   the credential that clients must sign with
  --secret-key <key>     KMS_EMULATOR_SECRET_KEY
  --token <token>        KMS_EMULATOR_TOKEN       of a temporary credential
  --key-alias <alias>    KMS_EMULATOR_KEY_ALIAS   default fieldseal
  --key-id <id>          KMS_EMULATOR_KEY_ID      a random one unless given
  --state <file>         KMS_EMULATOR_STATE       keeps the keys over restarts
  --limit <Action=N>     KMS_EMULATOR_LIMIT       requests per second, may be repeated (variable: with commas)
  --admin                KMS_EMULATOR_ADMIN=1     answers under /_emulator/ (calls, faults) without a signature
  --allow-in-production  KMS_EMULATOR_ALLOW_IN_PRODUCTION=1
                         starts with the built-in credential, or with --admin, where NODE_ENV is set and neither
                         "development" nor "test"
  --help`

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  'secret-id': { type: 'string' },
  'secret-key': { type: 'string' },
  token: { type: 'string' },
  'key-alias': { type: 'string' },
  'key-id': { type: 'string' },
  state: { type: 'string' },
  limit: { type: 'string', multiple: true },
  admin: { type: 'boolean' },
  'allow-in-production': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

type Flag = 'admin' | 'allow-in-production'

/**
 * The command's arguments and environment as options; `null` when help is asked for.
 *
 * @throws FieldsealError `OPTIONS_INVALID`
 */
export function parseCommandLine(args: readonly string[], env: Environment): KmsEmulatorOptions | null {
  const values = parse(args)
  if (values.help) return null
  const given = (name: Exclude<keyof typeof values, 'limit' | Flag | 'help'>): string | undefined =>
    values[name] ?? (env[variable(name)] || undefined)
  const flag = (name: Flag): boolean => values[name] ?? ['1', 'true'].includes(env[variable(name)] ?? '')
  const stateFile = given('state')
  const keyId = given('key-id')
  const limits = values.limit ?? env[variable('limit')]?.split(',').filter(Boolean) ?? []
  return {
    port: portOf(given('port') ?? '8100'),
    host: given('host') ?? '127.0.0.1',
    keys: [{ alias: given('key-alias') ?? 'fieldseal', ...(keyId === undefined ? {} : { keyId }) }],
    limits: Object.fromEntries(limits.map(limitOf)),
    admin: flag('admin'),
    allowInProduction: flag('allow-in-production'),
    ...(stateFile === undefined ? {} : { stateFile }),
    ...credentials({ id: given('secret-id'), key: given('secret-key'), token: given('token') }),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values
  } catch (error) {
    // An error of Node.js, which is of its own realm under Jest.
    throw invalidArguments(types.isNativeError(error) ? error.message : 'The arguments cannot be understood.')
  }
}

function variable(option: string): string {
  return `KMS_EMULATOR_${option.replaceAll('-', '_').toUpperCase()}`
}

function portOf(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) < 65_536) return Number(text)
  throw invalidArguments(`--port must be a number from 0 to 65535, not "${text}".`)
}

function limitOf(text: string): [action: string, perSecond: number] {
  const [, action = '', perSecond = ''] = /^([A-Za-z]+)=(\d{1,6})$/.exec(text.trim()) ?? []
  if (action) return [action, Number(perSecond)]
  throw invalidArguments(`--limit must look like GenerateDataKey=100, not "${text}".`)
}

type Given = { readonly [part in 'id' | 'key' | 'token']: string | undefined }

function credentials({ id, key, token }: Given): Pick<KmsEmulatorOptions, 'credentials'> {
  if (id === undefined && key === undefined && token === undefined) return {}
  if (id === undefined || key === undefined)
    throw invalidArguments('--secret-id and --secret-key must be given together.')
  return { credentials: [{ secretId: id, secretKey: key, ...(token === undefined ? {} : { token }) }] }
}

function invalidArguments(message: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `${message} See --help.`)
}
