import { randomUUID } from 'node:crypto'
import { Agent } from 'node:https'
import { invalidOptionOf } from '../../invalidOptions.js'
import { Calls } from '../emulator/calls.js'
import { makeCertificate } from '../emulator/certificate.js'
import { Faults } from '../emulator/faults.js'
import { listen } from '../emulator/listener.js'
import { guardProduction } from '../emulator/productionGuard.js'
import { checkedLimits, type Limits, RateLimits } from '../emulator/rateLimits.js'
import { emulatorServer } from '../emulator/server.js'
import { AzureApiError } from './azureApiError.js'
import { azureFace } from './azureFace.js'
import type { NewHsmKey } from './hsmKey.js'
import { readHsmKeys, writeHsmKeys } from './hsmKeyState.js'
import { HsmKeys } from './hsmKeys.js'
import { type EmulatorPrincipal, HsmPermissions } from './permissions.js'
import { type EmulatorTokenCredential, EntraTokens, type TokenOptions } from './tokens.js'

const invalid = invalidOptionOf('startAzureKmsEmulator')

export interface AzureKmsEmulatorOptions {
  /** A free port unless given. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
  /** Keys that exist at the start; an `oct-HSM` key of 256 bits with the name `fieldseal` unless given. */
  readonly keys?: readonly NewHsmKey[]
  /** Who may ask; one who may do everything unless given. */
  readonly principals?: readonly EmulatorPrincipal[]
  /** Requests per second and operation (`encrypt`, `decrypt`, …); none unless given. */
  readonly limits?: Limits
  /** The emulator's clock, in milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  /** Keeps the keys in this file, so that a later start has them again. */
  readonly stateFile?: string
  /** Answers under `/_emulator/` to other processes, without a token; `false` unless given. */
  readonly admin?: boolean
  /** Starts with `admin` also where NODE_ENV is set and neither `development` nor `test`; `false` unless given. */
  readonly allowInProduction?: boolean
}

/** What the SDK's constructors take as options to reach the emulator. */
export interface AzureEmulatorClientOptions {
  /** Trusts the emulator's certificate, and keeps a proxy variable out of the way. */
  readonly agent: Agent
  /** The SDK expects `*.managedhsm.azure.net`, and refuses a token to any other host. */
  readonly disableChallengeResourceVerification: true
  /** `azureKms` retries; both together would do so for minutes. */
  readonly retryOptions: { readonly maxRetries: 0 }
}

/** A running emulator. */
export interface AzureKmsEmulator {
  /** `https://127.0.0.1:<port>`: the URL of the HSM. */
  readonly url: string
  readonly port: number
  /** The certificate that it made at its start, in PEM: the SDK's `tlsOptions: { ca }`, or `NODE_EXTRA_CA_CERTS`. */
  readonly certificate: string
  /** The id of the first key of the options. */
  readonly keyId: string
  readonly keys: HsmKeys
  /** Of the first principal. */
  readonly credential: EmulatorTokenCredential
  readonly tokens: EntraTokens
  readonly permissions: HsmPermissions
  readonly calls: Calls
  readonly faults: Faults
  /** The id of a key by its name. */
  idOf(name: string): string
  /** A credential of another principal, or with other tokens. */
  credentialOf(options: TokenOptions): EmulatorTokenCredential
  /** For `new CryptographyClient(key, credential, …)` and `new KeyClient(url, credential, …)`. */
  clientOptions(): AzureEmulatorClientOptions
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const KEYS: readonly NewHsmKey[] = [{ name: 'fieldseal' }]

/**
 * Starts an HTTPS server that behaves like the keys of Azure Key Vault Managed HSM, with a certificate of its own: for
 * tests and development, with the official SDK on the other side. Its keys are real, its safety is not: never give it data
 * that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
 * @example
 * ```ts
 * import { CryptographyClient } from '@azure/keyvault-keys'
 * import { azureKms } from 'fieldseal/azure-kms'
 * import { startAzureKmsEmulator } from 'fieldseal/testing'
 *
 * const emulator = await startAzureKmsEmulator()
 * const keys = azureKms({
 *   client: (key) => new CryptographyClient(key, emulator.credential, emulator.clientOptions()),
 *   keyId: emulator.keyId,
 * })
 * emulator.faults.add({ kind: 'error', code: 'Throttled', action: 'encrypt', times: 2 })
 * await emulator.close()
 * ```
 */
export async function startAzureKmsEmulator(options: AzureKmsEmulatorOptions = {}): Promise<AzureKmsEmulator> {
  const { host = '127.0.0.1', now = Date.now, admin = false, allowInProduction } = options
  const { principals = [{ id: randomUUID() }] } = options
  const [principal] = principals
  if (!principal) throw invalid('principals', 'needs at least one')
  guardProduction(invalid, { credentials: { option: 'principals', builtIn: false }, admin, allowInProduction })
  const limits = new RateLimits(checkedLimits(invalid, options.limits ?? {}), now)
  const emulation = { calls: new Calls(), faults: new Faults(), limits }
  const [keys, tokens, permissions] = [keysOf(options, now), new EntraTokens(now), new HsmPermissions(principals)]
  const certificate = makeCertificate([host])
  const face = azureFace({ keys, tokens, permissions, limits })
  const server = emulatorServer({ emulation, face, admin, certificate })
  const { endpoint, port, close } = await listen(server, options.port ?? 0, host)
  const agent = new Agent({ keepAlive: true, ca: certificate.cert })
  const idOf = (name: string) => `https://${endpoint}/keys/${name}`
  return {
    url: `https://${endpoint}`,
    port,
    certificate: certificate.cert,
    keyId: idOf((options.keys ?? KEYS)[0]?.name ?? keys.list[0]!.name),
    keys,
    credential: tokens.credentialOf({ principal: principal.id }),
    tokens,
    permissions,
    calls: emulation.calls,
    faults: emulation.faults,
    idOf,
    credentialOf: (wanted) => tokens.credentialOf(wanted),
    clientOptions: () => ({ agent, disableChallengeResourceVerification: true, retryOptions: { maxRetries: 0 } }),
    close: () => {
      agent.destroy()
      return close()
    },
  }
}

/** The keys of the state file, and those of the options that it lacks. */
function keysOf({ keys: wanted = KEYS, stateFile }: AzureKmsEmulatorOptions, now: () => number): HsmKeys {
  const initial = stateFile === undefined ? [] : readHsmKeys(stateFile)
  const save = stateFile === undefined ? {} : { changed: writeHsmKeys.bind(null, stateFile) }
  const keys = new HsmKeys({ now, initial, ...save })
  const names = new Set(initial.map(({ name }) => name.toLowerCase()))
  try {
    for (const key of wanted) if (!names.has(key.name.toLowerCase())) keys.create(key)
  } catch (error) {
    throw error instanceof AzureApiError ? invalid('keys', `is not valid: ${error.message}`) : error
  }
  if (keys.list.length === 0) throw invalid('keys', 'needs at least one')
  return keys
}
