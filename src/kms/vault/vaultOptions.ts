import { invalidOptionOf } from '../../invalidOptions.js'
import {
  CALL_OPTIONS,
  type CallLimits,
  type CallOptions,
  checkedCallOptions,
  checkOptionNames,
} from '../call/callOptions.js'
import { type FormerKeyIdsOf, KekIds, type KeyIdOf } from '../call/kekIds.js'
import { type Fetch, httpClient } from './httpClient.js'
import { ofNodeVault } from './nodeVault.js'
import { LoginTokens, type VaultLoginFunction } from './tokens/loginTokens.js'
import { RenewedToken } from './tokens/renewedToken.js'
import { askedTokens, isToken, NO_TOKENS, type VaultTokens } from './tokens/vaultTokens.js'
import { isTransitKeyId, isTransitPath, TransitKeyIds } from './transitKeyId.js'
import type { NodeVaultClient, VaultClient } from './vaultClient.js'

const ADAPTER = 'vaultKms'
const invalid = invalidOptionOf(ADAPTER)

/** Options of `vaultKms`: an `address` with one of `token`, `login` and `agent`, or a `client`. */
export interface VaultKmsOptions extends CallOptions {
  /**
   * `https://vault.example.com:8200`, of HashiCorp Vault or OpenBao; its load balancer, where there are several nodes. With
   * `http:` on this host only, unless `allowHttp` is given.
   */
  readonly address?: string | undefined
  /**
   * A token, which is then renewed before it ends, for as long as Vault lets it; or a function that gives one, asked for
   * each request.
   */
  readonly token?: string | (() => string | Promise<string>) | undefined
  /** Logs in when a token is needed: `appRoleLogin(…)`, `kubernetesLogin(…)`, or a function of your own. */
  readonly login?: VaultLoginFunction | undefined
  /** Whether a Vault Agent or Proxy at `address` adds its own token; `false` unless given. */
  readonly agent?: boolean | undefined
  /** In place of all that: a client of `node-vault`, which keeps its token itself. */
  readonly client?: NodeVaultClient | undefined
  /**
   * The name of the KEK, a transit key, in `mount`; or `mount/name`; or a function of the tenant that gives one, asked
   * whenever Vault is. The tenant `*` stands for keys that serve all tenants, such as those of global blind indexes: answer
   * a KEK of your own for it. The key must be derived: `vault write -f transit/keys/NAME type=aes256-gcm96 derived=true`.
   */
  readonly keyId: string | KeyIdOf
  /**
   * The transit keys under which DEKs, and values of fields with `mode: kms`, still are from before `keyId` was another
   * one: a list for all tenants, or a function of the tenant. None unless given. What is under any other KEK is refused.
   */
  readonly formerKeyIds?: readonly string[] | FormerKeyIdsOf | undefined
  /** Where the transit engine is mounted; `transit` unless given. */
  readonly mount?: string | undefined
  /** The namespace, sent as `X-Vault-Namespace`: `team-a/app`. Of a `client`, its own is taken. */
  readonly namespace?: string | undefined
  /** `fetch` with a proxy or certificates of your own; the standard one unless given. */
  readonly fetch?: Fetch | undefined
  /** Whether `address` may be `http:` on another host: tokens and DEKs are then in the clear. `false` unless given. */
  readonly allowHttp?: boolean | undefined
}

/** What the options make. */
export interface CheckedOptions {
  readonly client: VaultClient
  readonly tokens: VaultTokens
  readonly ids: TransitKeyIds
  readonly kekIds: KekIds
  readonly limits: CallLimits
}

const CONNECTION = ['address', 'token', 'login', 'agent', 'namespace', 'fetch', 'allowHttp'] as const
const NAMES = ['client', ...CONNECTION, 'keyId', 'formerKeyIds', 'mount', ...CALL_OPTIONS]

/** @throws FieldsealError `OPTIONS_INVALID`, naming the option */
export function checkedOptions(options: VaultKmsOptions): CheckedOptions {
  checkOptionNames(ADAPTER, options, NAMES)
  const limits = checkedCallOptions(ADAPTER, options)
  const { mount = 'transit' } = options
  if (!isTransitPath(mount)) throw invalid('mount', 'must be the path of a transit engine, without / at its ends')
  const namespace = namespaceOf(options)
  const ids = new TransitKeyIds({ mount, namespace })
  const client = clientOf(options, namespace, limits.attemptTimeout)
  const tokens = tokensOf(options, client, limits.attemptTimeout)
  return { client, tokens, ids, kekIds: kekIdsOf(options, ids), limits }
}

function namespaceOf({ client, namespace }: VaultKmsOptions): string {
  const given: unknown = namespace ?? client?.namespace ?? ''
  const path = typeof given === 'string' ? given.replace(/\/$/, '') : undefined
  if (path !== undefined && (path === '' || isTransitPath(path))) return path
  throw invalid('namespace', 'must be the path of a namespace: team-a/app')
}

function clientOf(options: VaultKmsOptions, namespace: string, timeout: number): VaultClient {
  const { client, fetch = globalThis.fetch } = options
  if (client === undefined) {
    if (typeof fetch !== 'function') throw invalid('fetch', 'must be a function like the standard fetch')
    return httpClient({ address: addressOf(options), namespace, fetch })
  }
  const extra = CONNECTION.find((name) => options[name] !== undefined)
  if (extra !== undefined) throw invalid(extra, 'is of no use beside "client", which has its own')
  if (typeof client?.read === 'function' && typeof client.write === 'function') return ofNodeVault(client, timeout)
  throw invalid('client', 'must be a client of node-vault')
}

function addressOf({ address, allowHttp = false }: VaultKmsOptions): string {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '')
    throw invalid('address', 'must be a URL like https://vault.example.com:8200')
  if (url.username !== '' || url.password !== '') throw invalid('address', 'must hold no user and no password')
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname))
    throw invalid('address', 'must begin with https: outside this host; accept that with allowHttp: true')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

function tokensOf(options: VaultKmsOptions, client: VaultClient, timeout: number): VaultTokens {
  if (options.client !== undefined) return NO_TOKENS
  const { token, login, agent = false } = options
  if ([token !== undefined, login !== undefined, agent].filter(Boolean).length !== 1)
    throw invalid('token', 'must be given, or one of "login" and "agent" in its place')
  if (agent) return NO_TOKENS
  if (typeof token === 'function') return askedTokens(token)
  if (token !== undefined) {
    if (!isToken(token)) throw invalid('token', 'must be a token of Vault, or a function that gives one')
    return new RenewedToken({ client, token, timeout })
  }
  if (typeof login !== 'function') throw invalid('login', 'must be a function: appRoleLogin({ roleId, secretId })')
  return new LoginTokens({ client, login, timeout })
}

function kekIdsOf({ keyId, formerKeyIds = [] }: VaultKmsOptions, ids: TransitKeyIds): KekIds {
  const kekIdOf = (id: string) => (isTransitKeyId(id) ? ids.kekIdOf(id) : id)
  const all = (list: readonly string[]) => (Array.isArray(list) ? list.map(kekIdOf) : list)
  return new KekIds({
    adapter: ADAPTER,
    keyIdIs: 'the name of a transit key (or mount/name)',
    isKeyId: isTransitKeyId,
    keyId: typeof keyId === 'function' ? async (tenant) => kekIdOf(await keyId(tenant)) : kekIdOf(keyId),
    formerKeyIds:
      typeof formerKeyIds === 'function' ? async (tenant) => all(await formerKeyIds(tenant)) : all(formerKeyIds),
  })
}
