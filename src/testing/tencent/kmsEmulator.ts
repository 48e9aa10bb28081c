import { Agent } from 'node:http'
import { invalidOptionOf } from '../../invalidOptions.js'
import { Calls } from '../emulator/calls.js'
import { Faults } from '../emulator/faults.js'
import { listen } from '../emulator/listener.js'
import { guardProduction } from '../emulator/productionGuard.js'
import { checkedLimits, type Limits, RateLimits } from '../emulator/rateLimits.js'
import { emulatorServer } from '../emulator/server.js'
import { tencentFace } from './api.js'
import { ApiError } from './apiError.js'
import { readCmks, writeCmks } from './cmkState.js'
import { Cmks } from './cmks.js'
import type { EmulatorCredential } from './signature.js'

const invalid = invalidOptionOf('startKmsEmulator')

export interface KmsEmulatorOptions {
  /** A free port unless given. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
  /** One fixed credential unless given. */
  readonly credentials?: readonly EmulatorCredential[]
  /** CMKs that exist at the start; one with the alias `fieldseal` unless given. */
  readonly keys?: readonly { readonly alias: string; readonly keyId?: string; readonly description?: string }[]
  /** Requests per second and action; none unless given. */
  readonly limits?: Limits
  /** How far a request's clock may be off, in seconds; 300 unless given. */
  readonly skew?: number
  /** The emulator's clock, in milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  /** Keeps the CMKs in this file, so that a later start has them again. */
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
export interface EmulatorClientConfig {
  readonly credential: EmulatorCredential
  readonly region: string
  readonly profile: {
    readonly httpProfile: {
      readonly protocol: 'http://'
      readonly endpoint: string
      readonly reqTimeout: number
      readonly agent: Agent
    }
  }
}

/** A running emulator. */
export interface KmsEmulator {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>`, as the SDK's `httpProfile.endpoint` takes it. */
  readonly endpoint: string
  readonly port: number
  /** The first credential. */
  readonly credential: EmulatorCredential
  readonly credentials: readonly EmulatorCredential[]
  /** The id of the first CMK of the options. */
  readonly keyId: string
  readonly keys: Cmks
  readonly calls: Calls
  readonly faults: Faults
  /** For `new kms.v20190118.Client(…)`. `reqTimeout` is in seconds. Its agent keeps a proxy variable out of the way. */
  clientConfig(options?: { credential?: EmulatorCredential; reqTimeout?: number }): EmulatorClientConfig
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const CREDENTIAL: EmulatorCredential = { secretId: 'AKIDemulator', secretKey: 'emulator-secret-key' }
const KEYS = [{ alias: 'fieldseal' }]

/**
 * Starts an HTTP server that behaves like Tencent Cloud KMS, API 2019-01-18: for tests and development, with the
 * official SDK on the other side. Its keys are real, its safety is not: never give it data that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
 * @example
 * ```ts
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 * import { startKmsEmulator } from 'fieldseal/testing'
 *
 * const emulator = await startKmsEmulator()
 * const client = new kms.v20190118.Client(emulator.clientConfig())
 * const keys = tencentKms({ client, keyId: emulator.keyId })
 * emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', times: 2 })
 * await emulator.close()
 * ```
 */
export async function startKmsEmulator(options: KmsEmulatorOptions = {}): Promise<KmsEmulator> {
  const { host = '127.0.0.1', credentials = [CREDENTIAL], now = Date.now, admin = false } = options
  const [credential] = credentials
  if (!credential) throw invalid('credentials', 'needs at least one')
  const builtIn = credentials.some(({ secretKey }) => secretKey === CREDENTIAL.secretKey)
  const { allowInProduction } = options
  guardProduction(invalid, { credentials: { option: 'credentials', builtIn }, admin, allowInProduction })
  const limits = new RateLimits(checkedLimits(invalid, options.limits ?? {}), now)
  const emulation = { calls: new Calls(), faults: new Faults(), limits }
  const cmks = cmksOf(options, now)
  const signature = { credentials, now, skew: options.skew ?? 300 }
  const server = emulatorServer({ emulation, face: tencentFace({ cmks, now, limits, signature }), admin })
  const { endpoint, port, close } = await listen(server, options.port ?? 0, host)
  const agent = new Agent({ keepAlive: true })
  return {
    url: `http://${endpoint}`,
    endpoint,
    port,
    credential,
    credentials,
    keyId: firstKeyId(options, cmks),
    keys: cmks,
    calls: emulation.calls,
    faults: emulation.faults,
    clientConfig: (config = {}) => ({
      credential: config.credential ?? credential,
      region: 'ap-guangzhou',
      profile: { httpProfile: { protocol: 'http://', endpoint, reqTimeout: config.reqTimeout ?? 60, agent } },
    }),
    close: () => {
      agent.destroy()
      return close()
    },
  }
}

/** The CMKs of the state file, and those of the options that it lacks. */
function cmksOf({ keys = KEYS, stateFile }: KmsEmulatorOptions, now: () => number): Cmks {
  const initial = stateFile === undefined ? [] : readCmks(stateFile)
  const save = stateFile === undefined ? {} : { changed: writeCmks.bind(null, stateFile) }
  const cmks = new Cmks({ now, initial, ...save })
  const aliases = new Set(initial.map((cmk) => cmk.alias))
  try {
    for (const key of keys) if (!aliases.has(key.alias)) cmks.create(key)
  } catch (error) {
    throw error instanceof ApiError ? invalid('keys', `is not valid: ${error.message}`) : error
  }
  if (cmks.list.length === 0) throw invalid('keys', 'needs at least one')
  return cmks
}

function firstKeyId({ keys = KEYS }: KmsEmulatorOptions, { list }: Cmks): string {
  return (list.find((cmk) => cmk.alias === keys[0]?.alias) ?? list[0]!).keyId
}
