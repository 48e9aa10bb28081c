import { parseArgs } from 'node:util'

/** What the demo was asked to do. */
export interface DemoOptions {
  readonly help: boolean
  /** A PostgreSQL whose user may create databases; without it, an embedded one is started. */
  readonly databaseUrl: string | undefined
  /** Leaves the database there at the end. */
  readonly keep: boolean
  readonly kms: KmsName
  /** A Tencent KMS, or an emulator, that runs already; without it, an emulator is started. */
  readonly address: KmsAddress | undefined
}

const KMS_NAMES = ['tencent', 'aws', 'google', 'azure', 'vault', 'pkcs11'] as const

export type KmsName = (typeof KMS_NAMES)[number]

export interface KmsAddress {
  readonly endpoint: URL
  readonly region: string
  readonly secretId: string
  readonly secretKey: string
  /** Without it, the key with the alias `fieldseal` is looked up. */
  readonly keyId: string | undefined
}

/** Options that cannot work; the message says what to write instead. */
export class UsageError extends Error {}

export const USAGE = `npm start [-- options]

  --database-url <url>  use this PostgreSQL: the demo makes a database of its own there, named
                        fieldseal_demo_…, and drops it at the end. Without it, an embedded PostgreSQL is started.
  --keep                do not drop that database
  --kms <name>          whose KMS wraps the keys: tencent (default), aws, google, azure, vault, pkcs11. Each is an
                        emulator, called by the official SDK; for pkcs11, SoftHSM, which you install before.
  --kms-endpoint <url>  use this KMS of Tencent's, for instance http://127.0.0.1:7788 for an emulator that runs already, or
                        https://kms.tencentcloudapi.com. Without it, an emulator is started.
  --kms-key-id <id>     the key to wrap with; without it, the one with the alias "fieldseal"
  --kms-region <name>   ap-guangzhou unless given
  --help                this text

Environment: TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY for --kms-endpoint; without them the
emulator's public ones, but only for a KMS on http. NO_COLOR switches colours off.`

const OPTIONS = {
  'database-url': { type: 'string' },
  keep: { type: 'boolean' },
  kms: { type: 'string' },
  'kms-endpoint': { type: 'string' },
  'kms-key-id': { type: 'string' },
  'kms-region': { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

const EMULATOR = { secretId: 'AKIDemulator', secretKey: 'emulator-secret-key' }

type Environment = { readonly [name: string]: string | undefined }

/** @throws UsageError */
export function readOptions(argv: readonly string[], environment: Environment): DemoOptions {
  const values = parse(argv)
  const databaseUrl = values['database-url']
  const { help = false, keep = false } = values
  if (databaseUrl !== undefined) checkUrl('--database-url', databaseUrl, ['postgresql:', 'postgres:'])
  if (keep && databaseUrl === undefined) {
    throw new UsageError('--keep needs --database-url: the embedded PostgreSQL ends with the demo')
  }
  const kms = kmsName(values)
  return { help, keep, databaseUrl, kms, address: kmsAddress(values, environment) }
}

function kmsName({ kms = 'tencent', ...values }: Values): KmsName {
  const name = KMS_NAMES.find((one) => one === kms)
  if (!name) throw new UsageError(`--kms must be one of ${KMS_NAMES.join(', ')}`)
  if (name !== 'tencent' && values['kms-endpoint'] !== undefined)
    throw new UsageError('--kms-endpoint is of Tencent: leave out --kms, or --kms-endpoint')
  return name
}

type Values = ReturnType<typeof parse>

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.split('. ', 1)[0]! : String(error))
  }
}

function kmsAddress(values: Values, environment: Environment): KmsAddress | undefined {
  const { 'kms-endpoint': text, 'kms-key-id': keyId, 'kms-region': region = 'ap-guangzhou' } = values
  if (text === undefined) {
    const orphan = (['kms-key-id', 'kms-region'] as const).find((name) => values[name] !== undefined)
    if (orphan) throw new UsageError(`--${orphan} needs --kms-endpoint`)
    return undefined
  }
  const endpoint = checkUrl('--kms-endpoint', text, ['http:', 'https:'])
  return { endpoint, region, keyId, ...credential(endpoint, environment) }
}

function credential({ protocol }: URL, environment: Environment): { secretId: string; secretKey: string } {
  const { TENCENTCLOUD_SECRET_ID: secretId, TENCENTCLOUD_SECRET_KEY: secretKey } = environment
  if (secretId && secretKey) return { secretId, secretKey }
  if (secretId || secretKey) throw new UsageError('set both TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY')
  if (protocol === 'http:') return EMULATOR
  throw new UsageError('set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY for a KMS on https')
}

function checkUrl(option: string, text: string, protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && protocols.includes(url.protocol) && url.hostname) return url
  throw new UsageError(`${option} must be a URL that begins with ${protocols.map((name) => `${name}//`).join(' or ')}`)
}
