import { Agent, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { invalidOptionOf } from '../invalidOptions.js'
import { notDevelopment } from '../kms/developmentOnly.js'
import { ApiError } from './apiError.js'
import { Calls } from './calls.js'
import { Cmks } from './cmks.js'
import { Faults } from './faults.js'
import { type Limits, RateLimits } from './rateLimits.js'
import { emulatorServer } from './server.js'
import type { EmulatorCredential } from './signature.js'
import { readState, writeState } from './stateFile.js'

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
const OR_ACCEPT = 'or accept that with allowInProduction: true (--allow-in-production)'

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
  checkPlace(options, credentials)
  const [calls, faults] = [new Calls(), new Faults()]
  const cmks = cmksOf(options, now)
  const limits = new RateLimits(checkedLimits(options.limits ?? {}), now)
  const signature = { credentials, now, skew: options.skew ?? 300 }
  const server = emulatorServer({ cmks, now, faults, limits, signature, calls, admin })
  const port = await listen(server, options.port ?? 0, host)
  const endpoint = `${reachable(host)}:${port}`
  const agent = new Agent({ keepAlive: true })
  return {
    url: `http://${endpoint}`,
    endpoint,
    port,
    credential,
    credentials,
    keyId: firstKeyId(options, cmks),
    keys: cmks,
    calls,
    faults,
    clientConfig: (config = {}) => ({
      credential: config.credential ?? credential,
      region: 'ap-guangzhou',
      profile: { httpProfile: { protocol: 'http://', endpoint, reqTimeout: config.reqTimeout ?? 60, agent } },
    }),
    close: () => {
      agent.destroy()
      return stop(server)
    },
  }
}

/** The credential that is the same everywhere keeps nobody out, whether it was left out or spelt out. */
function checkPlace(
  { admin, allowInProduction }: KmsEmulatorOptions,
  credentials: readonly EmulatorCredential[],
): void {
  const why = allowInProduction ? undefined : notDevelopment()
  if (why === undefined) return
  if (credentials.some(({ secretKey }) => secretKey === CREDENTIAL.secretKey)) {
    throw invalid(
      'credentials',
      `is the built-in one, which everybody knows, and ${why}: give credentials of your own, ${OR_ACCEPT}`,
    )
  }
  if (admin) throw invalid('admin', `lets everybody in without a signature, and ${why}: leave it out, ${OR_ACCEPT}`)
}

/** The CMKs of the state file, and those of the options that it lacks. */
function cmksOf({ keys = KEYS, stateFile }: KmsEmulatorOptions, now: () => number): Cmks {
  const initial = stateFile === undefined ? [] : readState(stateFile)
  const save = stateFile === undefined ? {} : { changed: writeState.bind(null, stateFile) }
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

function checkedLimits(limits: Limits): Limits {
  const wrong = Object.keys(limits).find((action) => !Number.isInteger(limits[action]) || limits[action]! < 0)
  if (wrong !== undefined) throw invalid(`limits.${wrong}`, 'must be a whole number of requests per second')
  return limits
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function stop(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  return closed
}

/** A host that a client can connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
