import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { invalidOptionOf } from '../../invalidOptions.js'
import { Calls } from '../emulator/calls.js'
import { makeCertificate } from '../emulator/certificate.js'
import { Faults } from '../emulator/faults.js'
import { reachable } from '../emulator/listener.js'
import { checkedLimits, type Limits, RateLimits } from '../emulator/rateLimits.js'
import { AccessTokens } from './accessTokens.js'
import type { CryptoKey, ProtectionLevel } from './cryptoKey.js'
import { GrpcError } from './grpcError.js'
import { listenGrpc } from './grpcServer.js'
import { KeyRings } from './keyRings.js'
import { kmsFace } from './kmsFace.js'
import { GooglePermissions } from './permissions.js'
import { Sdk, type ServiceAccountKey } from './sdk.js'

const invalid = invalidOptionOf('startGoogleKmsEmulator')

export interface GoogleKmsEmulatorOptions {
  /** A free port unless given. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
  /** Service accounts whose keys may sign tokens; one with a new key unless given. */
  readonly accounts?: readonly ServiceAccountKey[]
  /** Access tokens that are taken as well; none unless given. */
  readonly accessTokens?: readonly string[]
  /** Resource names of keys that exist at the start, with their key rings; one unless given. */
  readonly keys?: readonly (string | { readonly name: string; readonly protectionLevel?: ProtectionLevel })[]
  /**
   * Requests per second of a method (`Decrypt`) or of a quota, which several share: `crypto_requests`, `read_requests`,
   * `write_requests`. None unless given.
   */
  readonly limits?: Limits
  /** How far a token's clock may be off, in seconds; 300 unless given. */
  readonly skew?: number
  /** The emulator's clock, in milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
}

/**
 * What the SDK's client takes to reach the emulator: `new KeyManagementServiceClient(…)`. An interface would not be one of
 * the SDK's options, which have an index signature.
 */
export type GoogleEmulatorClientOptions = {
  readonly apiEndpoint: string
  readonly port: number
  /** The certificate is looked at for this name, as TLS has none that are addresses. */
  readonly 'grpc.ssl_target_name_override': 'localhost'
  /** Has its token, or signs one; only the SDK knows its type. */
  readonly authClient: never
  /** Trusts the emulator's certificate; only the SDK knows its type. */
  readonly sslCreds: never
}

/** A running emulator. */
export interface GoogleKmsEmulator {
  readonly host: string
  readonly port: number
  /** The certificate that it shows, PEM; made at the start. */
  readonly ca: string
  readonly accounts: readonly ServiceAccountKey[]
  /** The resource name of the first key of the options. */
  readonly keyId: string
  readonly keyRings: KeyRings
  readonly tokens: Pick<AccessTokens, 'expire' | 'renew'>
  readonly permissions: GooglePermissions
  readonly calls: Calls
  readonly faults: Faults
  /** As the first account, unless another or an access token is given; neither need be one that the emulator knows. */
  clientOptions(as?: { account?: ServiceAccountKey; accessToken?: string }): GoogleEmulatorClientOptions
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const KEYS = ['projects/fieldseal/locations/global/keyRings/fieldseal/cryptoKeys/fieldseal']
const EMAIL = 'emulator@fieldseal.iam.gserviceaccount.com'

/** gRPC's limit for a message that a server receives, in bytes. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

/**
 * Starts a gRPC server that behaves like Google Cloud KMS (API v1), for tests and development, with the official SDK on the
 * other side, which must be installed: `@google-cloud/kms` brings the messages. It speaks TLS with a certificate made at the
 * start, and verifies tokens. Its keys are real, its safety is not: never give it data that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work, and without the SDK; the system's error when the port
 * is taken
 * @example
 * ```ts
 * import { KeyManagementServiceClient } from '@google-cloud/kms'
 * import { googleKms } from 'fieldseal/google-kms'
 * import { startGoogleKmsEmulator } from 'fieldseal/testing'
 *
 * const emulator = await startGoogleKmsEmulator()
 * const client = new KeyManagementServiceClient(emulator.clientOptions())
 * const keys = googleKms({ client, keyId: emulator.keyId })
 * emulator.faults.add({ kind: 'error', code: 'RESOURCE_EXHAUSTED', times: 2 })
 * await client.close()
 * await emulator.close()
 * ```
 */
export async function startGoogleKmsEmulator(options: GoogleKmsEmulatorOptions = {}): Promise<GoogleKmsEmulator> {
  const { host = '127.0.0.1', now = Date.now, accessTokens = [], skew = 300 } = options
  const sdk = new Sdk()
  const keyRings = new KeyRings(now)
  const [first] = createKeys(keyRings, options.keys ?? KEYS)
  const accounts = options.accounts ?? [await newAccount()]
  const [calls, faults, permissions] = [new Calls(), new Faults(), new GooglePermissions()]
  const limits = new RateLimits(checkedLimits(invalid, options.limits ?? {}), now)
  const tokens = new AccessTokens({ accounts, accessTokens, now, skew })
  const certificate = makeCertificate()
  const face = kmsFace({ sdk, keyRings, tokens, permissions, limits })
  const emulation = { calls, faults, limits }
  const server = { emulation, face, certificate, maxMessageBytes: MAX_MESSAGE_BYTES }
  const { port, close } = await listenGrpc(server, options.port ?? 0, host)
  const endpoint = { apiEndpoint: reachable(host), port, 'grpc.ssl_target_name_override': 'localhost' } as const
  return {
    host: endpoint.apiEndpoint,
    port,
    ca: certificate.cert,
    accounts,
    keyId: first!.name,
    keyRings,
    tokens,
    permissions,
    calls,
    faults,
    clientOptions: ({ account = accounts[0], accessToken } = {}) => {
      if (!account && accessToken === undefined)
        throw invalid('accounts', 'has none: give clientOptions an account or an access token')
      const authClient = accessToken === undefined ? sdk.accountClient(account!) : sdk.tokenClient(accessToken)
      const sslCreds = sdk.channelCredentials(certificate.cert, authClient)
      return { ...endpoint, authClient: authClient as never, sslCreds: sslCreds as never }
    },
    close,
  }
}

function createKeys(keyRings: KeyRings, keys: NonNullable<GoogleKmsEmulatorOptions['keys']>): readonly CryptoKey[] {
  if (keys.length === 0) throw invalid('keys', 'needs at least one')
  try {
    return keys.map((key) => (typeof key === 'string' ? keyRings.create(key) : keyRings.create(key.name, key)))
  } catch (error) {
    throw error instanceof GrpcError ? invalid('keys', `is not valid: ${error.message}`) : error
  }
}

let newKey: Promise<string> | undefined

/** One key for a process: making it takes a tenth of a second. */
async function newAccount(): Promise<ServiceAccountKey> {
  newKey ??= promisify(generateKeyPair)('rsa', { modulusLength: 2048 }).then(({ privateKey }) =>
    privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  )
  return { client_email: EMAIL, private_key: await newKey }
}
