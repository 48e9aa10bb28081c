import { invalidOptionOf } from '../../invalidOptions.js'
import { Calls } from '../emulator/calls.js'
import { Faults } from '../emulator/faults.js'
import { listen } from '../emulator/listener.js'
import { guardProduction } from '../emulator/productionGuard.js'
import { checkedLimits, type Limits, RateLimits } from '../emulator/rateLimits.js'
import { emulatorServer } from '../emulator/server.js'
import { AwsAccount } from './awsAccount.js'
import { accountInFile } from './awsAccountState.js'
import { AwsApiError } from './awsApiError.js'
import { AwsCredentials, type AwsEmulatorCredential } from './awsCredentials.js'
import { awsFace } from './awsFace.js'
import type { AwsKey, NewAwsKey } from './awsKey.js'
import type { AwsKeys } from './awsKeys.js'
import { documentedLimits } from './awsQuotas.js'

const invalid = invalidOptionOf('startAwsKmsEmulator')

/** Options of `startAwsKmsEmulator`. */
export interface AwsKmsEmulatorOptions {
  /** A free port unless given. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
  /** `eu-central-1` unless given. */
  readonly region?: string
  /** The account of another emulator, to be a second region of it; a new one unless given. */
  readonly account?: AwsAccount
  /** Accounts of customers, whose keys are named by ARN and have policies of their own; none unless given. */
  readonly otherAccounts?: readonly AwsAccount[]
  /** One fixed credential unless given. */
  readonly credentials?: readonly AwsEmulatorCredential[]
  /** Keys that exist at the start; one with the alias `alias/fieldseal`, or none in an `account`, unless given. */
  readonly keys?: readonly (NewAwsKey & { readonly alias?: string })[]
  /**
   * Requests per second and action, `CryptographicOperations` for all of them that use key material together; those that
   * AWS documents for the region with `documented`; none unless given.
   */
  readonly limits?: Limits | 'documented'
  /** How far a request's clock may be off, in seconds; 300 unless given. */
  readonly skew?: number
  /** The emulator's clock, in milliseconds since the epoch; that of `account`, or `Date.now`, unless given. */
  readonly now?: () => number
  /** Keeps the account in this file, so that a later start has its keys again. */
  readonly stateFile?: string
  /** Answers under `/_emulator/` to other processes, without a signature; `false` unless given. */
  readonly admin?: boolean
  /**
   * Starts with the built-in credential, which everybody knows, or with `admin`, which asks for none, also where NODE_ENV
   * is set and neither `development` nor `test`; `false` unless given.
   */
  readonly allowInProduction?: boolean
}

/** What the SDK's client takes to reach the emulator. */
export interface AwsClientConfig {
  readonly region: string
  readonly endpoint: string
  readonly credentials: Pick<AwsEmulatorCredential, 'accessKeyId' | 'secretAccessKey' | 'sessionToken'>
  /** 1: `awsKms` retries itself. */
  readonly maxAttempts: number
}

/** A running emulator: one region of an account. */
export interface AwsKmsEmulator {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  readonly region: string
  /** For an emulator of another region of it. */
  readonly account: AwsAccount
  /** The first credential. */
  readonly credential: AwsEmulatorCredential
  readonly credentials: AwsCredentials
  /** The id of the oldest key of this region. */
  readonly keyId: string
  /** Its ARN. */
  readonly keyArn: string
  readonly keys: AwsKeys
  readonly calls: Calls
  readonly faults: Faults
  /** For `new KMS(…)` or `new KMSClient(…)` of @aws-sdk/client-kms. */
  clientConfig(options?: { credential?: AwsEmulatorCredential; maxAttempts?: number }): AwsClientConfig
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const CREDENTIAL: AwsEmulatorCredential = { accessKeyId: 'AKIAEMULATOR', secretAccessKey: 'emulator-secret-access-key' }
const KEYS = [{ alias: 'alias/fieldseal' }]

/**
 * Starts an HTTP server that behaves like AWS KMS, API 2014-11-01, in one region: for tests and development, with the
 * official SDK on the other side. Its keys are real, its safety is not: never give it data that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
 * @example
 * ```ts
 * import { KMS } from '@aws-sdk/client-kms'
 * import { awsKms } from 'fieldseal/aws-kms'
 * import { startAwsKmsEmulator } from 'fieldseal/testing'
 *
 * const emulator = await startAwsKmsEmulator()
 * const keys = awsKms({ client: new KMS(emulator.clientConfig()), keyId: emulator.keyArn })
 * emulator.faults.add({ kind: 'error', code: 'ThrottlingException', times: 2 })
 * await emulator.close()
 * ```
 */
export async function startAwsKmsEmulator(options: AwsKmsEmulatorOptions = {}): Promise<AwsKmsEmulator> {
  const { host = '127.0.0.1', region = 'eu-central-1', credentials: list = [CREDENTIAL], admin = false } = options
  const [credential] = list
  if (!credential) throw invalid('credentials', 'needs at least one')
  const builtIn = list.some(({ secretAccessKey }) => secretAccessKey === CREDENTIAL.secretAccessKey)
  const { allowInProduction, skew = 300 } = options
  guardProduction(invalid, { credentials: { option: 'credentials', builtIn }, admin, allowInProduction })
  const now = options.now ?? options.account?.now ?? Date.now
  const limits = new RateLimits(limitsOf(options, region), now)
  const account = accountOf(options, now)
  const keys = account.region(region)
  createKeys(options, keys)
  const credentials = new AwsCredentials(list, now)
  const others = options.otherAccounts ?? []
  const face = awsFace({ account, others, limits, signature: { credentials, region, now, skew } })
  const emulation = { calls: new Calls(), faults: new Faults(), limits }
  const { endpoint, port, close } = await listen(emulatorServer({ emulation, face, admin }), options.port ?? 0, host)
  const url = `http://${endpoint}`
  return {
    ...{ url, port, region, account, credential, credentials, keys, close },
    ...{ calls: emulation.calls, faults: emulation.faults },
    get keyId() {
      return oldest(keys).keyId
    },
    get keyArn() {
      return oldest(keys).arn
    },
    clientConfig: (config = {}) => ({
      region,
      endpoint: url,
      credentials: identityOf(config.credential ?? credential),
      maxAttempts: config.maxAttempts ?? 1,
    }),
  }
}

function accountOf({ account, stateFile }: AwsKmsEmulatorOptions, now: () => number): AwsAccount {
  if (stateFile === undefined) return account ?? new AwsAccount({ now })
  if (account) throw invalid('stateFile', 'is of another account than the option "account": leave one of them out')
  return accountInFile(stateFile, { now })
}

function limitsOf({ limits = {} }: AwsKmsEmulatorOptions, region: string): Limits {
  return limits === 'documented' ? documentedLimits(region) : checkedLimits(invalid, limits)
}

/** The keys of the options that are not there yet, as by the state file. */
function createKeys({ account, keys: wanted = account ? [] : KEYS }: AwsKmsEmulatorOptions, keys: AwsKeys): void {
  const known = new Set(keys.aliases.map(({ name }) => name))
  try {
    for (const { alias, ...key } of wanted) {
      if (alias !== undefined && known.has(alias)) continue
      const { keyId } = keys.create(key)
      if (alias !== undefined) keys.addAlias(alias, keyId)
    }
  } catch (error) {
    throw error instanceof AwsApiError ? invalid('keys', `is not valid: ${error.message}`) : error
  }
}

function oldest(keys: AwsKeys): AwsKey {
  const [key] = keys.list
  if (key) return key
  throw invalid('keys', `made none in ${keys.place.region}: create one, or replicate one of another region`)
}

function identityOf({
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: AwsEmulatorCredential): AwsClientConfig['credentials'] {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
}
