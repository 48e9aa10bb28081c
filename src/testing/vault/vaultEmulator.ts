import { invalidOptionOf } from '../../invalidOptions.js'
import { Calls } from '../emulator/calls.js'
import { makeCertificate } from '../emulator/certificate.js'
import { Faults } from '../emulator/faults.js'
import { listen } from '../emulator/listener.js'
import { guardProduction } from '../emulator/productionGuard.js'
import { checkedLimits, type Limits, RateLimits } from '../emulator/rateLimits.js'
import { emulatorServer } from '../emulator/server.js'
import { DEFAULT_POLICY, leastPrivilege, type Policy } from './policies.js'
import { type TokenSettings, TransitTokens } from './tokens.js'
import type { TransitKeySettings } from './transitKey.js'
import { TransitKeys } from './transitKeys.js'
import { VaultError } from './vaultError.js'
import { vaultFace } from './vaultFace.js'
import type { AppRole, VaultNode, VaultProduct, VaultWorld } from './world.js'

const invalid = invalidOptionOf('startVaultEmulator')

export interface VaultEmulatorOptions {
  /** Where the two differ: `vault` unless given. */
  readonly product?: VaultProduct
  /** A free port unless given. */
  readonly port?: number
  /** `127.0.0.1` unless given. */
  readonly host?: string
  /** Speaks HTTPS, with a certificate of its own; `false` unless given. */
  readonly tls?: boolean
  /** A token that may do everything; one that everybody knows unless given. */
  readonly rootToken?: string
  /** Policies by name, beside `default` and `fieldseal`, which is what an app needs of the first key. */
  readonly policies?: { readonly [name: string]: Policy }
  /** Tokens beside the root token. */
  readonly tokens?: readonly TokenSettings[]
  /** Roles of `auth/approle`; none unless given. */
  readonly appRoles?: readonly AppRole[]
  /** Namespaces: `team-a`, `team-a/app`. None unless given. */
  readonly namespaces?: readonly string[]
  /** Where a transit engine is mounted, with the namespace: `team-a/transit`. `transit` unless given. */
  readonly mounts?: readonly string[]
  /** Transit keys that exist at the start, by path; `transit/fieldseal`, derived, unless given. */
  readonly keys?: { readonly [path: string]: TransitKeySettings }
  /** Requests per second and action (`decrypt`, `datakey`, `keys/read`, …): rate limit quotas. None unless given. */
  readonly limits?: Limits
  /** Whether a refusal by a quota has `Retry-After` (`enable_rate_limit_response_headers`); `false` unless given. */
  readonly rateLimitHeaders?: boolean
  /** Whether a refused token is told from a policy that refuses, as newer versions do; `true` unless given. */
  readonly tellsInvalidTokens?: boolean
  /** The emulator's clock, in milliseconds since the epoch; `Date.now` unless given. */
  readonly now?: () => number
  /** Keeps the transit keys in this file, so that a later start has them again. */
  readonly stateFile?: string
  /** Answers under `/_emulator/` to other processes, without a token; `false` unless given. */
  readonly admin?: boolean
  /**
   * Starts with the built-in root token, which everybody knows, or with `admin`, which asks for none, also where NODE_ENV is
   * set and neither `development` nor `test`; `false` unless given.
   */
  readonly allowInProduction?: boolean
}

/** A running emulator. */
export interface VaultEmulator {
  /** `http://127.0.0.1:<port>`, for `address`, and for the `endpoint` of node-vault. */
  readonly url: string
  /** `127.0.0.1:<port>` */
  readonly endpoint: string
  readonly port: number
  /** The certificate to trust, with `tls`: the option `ca` of a client. */
  readonly ca: string | undefined
  readonly rootToken: string
  /** A token with the policy `fieldseal`: what an app needs, and nothing else. */
  readonly token: string
  /** The path of the first key: `transit/fieldseal`. */
  readonly keyId: string
  readonly keys: TransitKeys
  readonly tokens: TransitTokens
  /** By name; may be changed. */
  readonly policies: Map<string, Policy>
  /** Whether it is sealed, or a standby; may be changed. */
  readonly node: VaultNode
  readonly calls: Calls
  /**
   * The code of an injected error is what Vault says ("permission denied", "invalid token", "Vault is sealed", "rate limit
   * quota exceeded", …), or an HTTP status.
   */
  readonly faults: Faults
  /** Cuts all connections and stops listening. */
  close(): Promise<void>
}

const ROOT_TOKEN = 'root'
const MOUNTS = ['transit']
const KEYS = { 'transit/fieldseal': { derived: true } } as const

/**
 * Starts an HTTP server that behaves like HashiCorp Vault or OpenBao with a transit engine: for tests and development, with
 * the usual clients on the other side. Its keys are real, its safety is not: never give it data that matters.
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work; the system's error when the port is taken
 * @example
 * ```ts
 * import { startVaultEmulator } from 'fieldseal/testing'
 * import { vaultKms } from 'fieldseal/vault'
 *
 * const emulator = await startVaultEmulator()
 * const keys = vaultKms({ address: emulator.url, token: emulator.token, keyId: 'fieldseal' })
 * emulator.faults.add({ kind: 'error', code: 'rate limit quota exceeded', times: 2 })
 * keys.close()
 * await emulator.close()
 * ```
 */
export async function startVaultEmulator(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const { host = '127.0.0.1', tls = false, admin = false, rootToken = ROOT_TOKEN, allowInProduction } = options
  const builtIn = rootToken === ROOT_TOKEN
  guardProduction(invalid, { credentials: { option: 'rootToken', builtIn }, admin, allowInProduction })
  const [calls, faults] = [new Calls(), new Faults()]
  const world = worldOf(options)
  const certificate = tls ? makeCertificate() : undefined
  const emulation = { calls, faults, limits: world.limits }
  const server = emulatorServer({ emulation, face: vaultFace(world), admin, certificate })
  const { endpoint, port, close } = await listen(server, options.port ?? 0, host)
  const keyId = world.keys.paths[0]!
  world.policies.set('fieldseal', leastPrivilege(mountOf(keyId), nameOf(keyId)))
  world.tokens.create({ id: rootToken, policies: ['root'] })
  for (const token of options.tokens ?? []) world.tokens.create(token)
  return {
    url: `${tls ? 'https' : 'http'}://${endpoint}`,
    endpoint,
    port,
    ca: certificate?.cert,
    rootToken,
    token: world.tokens.create({ policies: ['fieldseal'] }).id,
    keyId,
    keys: world.keys,
    tokens: world.tokens,
    policies: world.policies,
    node: world.node,
    calls,
    faults,
    close,
  }
}

function worldOf(options: VaultEmulatorOptions): VaultWorld {
  const { now = Date.now, mounts = MOUNTS, namespaces = [] } = options
  const policies = new Map([['default', DEFAULT_POLICY], ...Object.entries(options.policies ?? {})])
  return {
    product: options.product ?? 'vault',
    now,
    node: { sealed: false, activeNode: undefined },
    keys: keysOf(options, now),
    tokens: new TransitTokens(now),
    policies,
    appRoles: options.appRoles ?? [],
    namespaces,
    mounts,
    limits: new RateLimits(checkedLimits(invalid, options.limits ?? {}), now),
    rateLimitHeaders: options.rateLimitHeaders ?? false,
    tellsInvalidTokens: options.tellsInvalidTokens ?? true,
  }
}

/** The keys of the state file, and those of the options that it lacks. */
function keysOf({ keys: wanted = KEYS, mounts = MOUNTS, stateFile }: VaultEmulatorOptions, now: () => number) {
  const keys = new TransitKeys({ now, stateFile })
  for (const [path, settings] of Object.entries(wanted)) {
    if (!mounts.includes(mountOf(path)) || !/^\w([\w.-]*\w)?$/.test(nameOf(path)))
      throw invalid('keys', `is not valid: ${path} must be a name in one of the mounts (${mounts.join(', ')})`)
    try {
      keys.create(path, settings)
    } catch (error) {
      throw error instanceof VaultError ? invalid('keys', `is not valid: ${error.message}`) : error
    }
  }
  if (keys.paths.length === 0) throw invalid('keys', 'needs at least one')
  return keys
}

function mountOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'))
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
