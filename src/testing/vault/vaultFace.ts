import type { HttpAnswer, HttpFace, HttpRequest, InjectedError } from '../emulator/face.js'
import type { Fields, PathAnswer } from './batch.js'
import { runOpenPath, runTokenPath } from './otherPaths.js'
import { type Place, placeOf } from './place.js'
import { allows, type Capability } from './policies.js'
import type { Token } from './tokens.js'
import { capabilityFor, runTransit, type TransitRequest } from './transitPaths.js'
import { permissionDenied, refused, together, VaultError } from './vaultError.js'
import type { VaultWorld } from './world.js'

/** https://developer.hashicorp.com/vault/api-docs#limits */
const MAX_BODY_BYTES = 32 * 1024 * 1024

/** The statuses of errors that faults inject by what Vault says. */
const INJECTED: { readonly [message: string]: number } = {
  'permission denied': 403,
  'invalid token': 403,
  'Vault is sealed': 503,
  'rate limit quota exceeded': 429,
  'lease count quota exceeded': 429,
  'required index state not present': 412,
  'internal error': 500,
}

/** The HTTP API of Vault, or of OpenBao. */
export function vaultFace(world: VaultWorld): HttpFace {
  return {
    maxBodyBytes: MAX_BODY_BYTES,
    action: (request) => actionOf(methodOf(request), pathOf(request)),
    answer: (request, { requestId, injected }) => answer(world, request, requestId, injected),
    keys: () => world.keys.paths.map((path) => ({ path, type: world.keys.get(path)?.type })),
  }
}

function answer(world: VaultWorld, request: HttpRequest, requestId: string, injected?: InjectedError): HttpAnswer {
  const place = placeOf(world, pathOf(request), String(request.headers['x-vault-namespace'] ?? ''))
  const keyId = place && keyIdIn(place)
  try {
    if (world.node.activeNode !== undefined && place?.path !== 'sys/health')
      return elsewhere(world.node.activeNode, request)
    const { status = 200, encryptionContext, ...rest } = run(world, request, place, injected)
    const told = { result: status < 400 ? 'ok' : `HTTP ${status}`, keyId, encryptionContext }
    return rest.data || rest.auth ? { ...told, status, json: envelope(requestId, rest) } : { ...told, status: 204 }
  } catch (error) {
    const { status, errors, headers } = error instanceof VaultError ? error : new VaultError(500, ['internal error'])
    return {
      result: errors[0]?.replaceAll(/\s+/g, ' ').trim() ?? `HTTP ${status}`,
      keyId,
      status,
      headers,
      json: { errors },
    }
  }
}

function keyIdIn({ mount, inMount = '' }: Place): string | undefined {
  const [first, second, third] = inMount.split('/')
  const name = first === 'datakey' ? third : second
  return mount === undefined || name === undefined ? undefined : `${mount}/${name}`
}

function run(world: VaultWorld, request: HttpRequest, place: Place | undefined, injected?: InjectedError): PathAnswer {
  const method = methodOf(request)
  if (!place) throw noNamespace(world)
  const body = bodyOf(request)
  const open = runOpenPath(world, method, place.path, body)
  if (open) return open
  if (world.node.sealed) throw new VaultError(503, ['Vault is sealed'])
  checkQuota(world, actionOf(method, pathOf(request)), place.path)
  const token = tokenOf(world, request)
  const transit = place.mount !== undefined && { mount: place.mount, path: place.inMount ?? '', method, body }
  checkAllowed(world, place, token, transit ? capabilityFor(world, transit) : CAPABILITY[method]!)
  if (injected) throw injectedError(injected)
  if (transit) return runTransit(world, transit satisfies TransitRequest)
  const own = runTokenPath(world, { method, path: place.path, token })
  if (own) return own
  throw new VaultError(404, [`no handler for route "${place.path}". route entry not found.`])
}

const CAPABILITY: { readonly [method: string]: Capability } = {
  GET: 'read',
  LIST: 'list',
  DELETE: 'delete',
  POST: 'update',
}

function checkQuota({ limits, rateLimitHeaders }: VaultWorld, action: string, path: string): void {
  const limit = limits.exceededBy(action)
  if (limit === undefined) return
  const headers = { 'x-ratelimit-limit': String(limit), 'x-ratelimit-remaining': '0', 'retry-after': '1' }
  const message = `request path "${path}": rate limit quota exceeded`
  throw new VaultError(429, [message], rateLimitHeaders ? headers : {})
}

function tokenOf(world: VaultWorld, { headers }: HttpRequest): Token {
  const given = headers['x-vault-token'] ?? /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1]
  if (typeof given !== 'string' || given === '') throw new VaultError(403, ['permission denied'])
  const token = world.tokens.valid(given)
  if (token) return token
  const messages = world.tellsInvalidTokens ? ['permission denied', 'invalid token'] : ['permission denied']
  throw new VaultError(403, [together(...messages)])
}

/** A token counts in its namespace and below; the paths of its policies are relative to it. */
function checkAllowed(world: VaultWorld, place: Place, token: Token, capability: Capability): void {
  const inside = token.namespace === '' || `${place.namespace}/`.startsWith(`${token.namespace}/`)
  if (!inside) throw permissionDenied()
  if (token.policies.includes('root')) return
  const full = place.namespace === '' ? place.path : `${place.namespace}/${place.path}`
  const path = token.namespace === '' ? full : full.slice(token.namespace.length + 1)
  const policies = token.policies.flatMap((name) => [world.policies.get(name) ?? {}])
  if (!allows(policies, path, capability)) throw permissionDenied()
}

function noNamespace({ product }: VaultWorld): VaultError {
  return new VaultError(404, [
    product === 'openbao' ? 'namespace not found' : 'no handler for route. route entry not found.',
  ])
}

/** The code is what Vault says, or an HTTP status. */
function injectedError({ code, message }: InjectedError): VaultError {
  if (/^[45]\d\d$/.test(code)) return new VaultError(Number(code), [message])
  return new VaultError(INJECTED[code] ?? 400, [together(code)])
}

/** https://developer.hashicorp.com/vault/docs/concepts/ha#client-redirection */
function elsewhere(activeNode: string, { url }: HttpRequest): HttpAnswer {
  return { result: 'HTTP 307', status: 307, headers: { location: `${activeNode}${url}` } }
}

function envelope(requestId: string, { data, auth, warnings }: PathAnswer): object {
  return {
    request_id: requestId,
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data: data ?? null,
    wrap_info: null,
    warnings: warnings ?? null,
    auth: auth ?? null,
  }
}

function bodyOf({ body }: HttpRequest): Fields {
  if (body.length > MAX_BODY_BYTES) throw new VaultError(413, ['http: request body too large'])
  if (body.length === 0) return {}
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields
  } catch {
    // Answered below, as what is no object.
  }
  throw refused('failed to parse JSON input: invalid character')
}

/** `PUT` is `POST`, and a `GET` with `list=true` is a `LIST`, which is no method that Node.js takes. */
function methodOf({ method, url }: HttpRequest): string {
  if (method === 'PUT') return 'POST'
  return method === 'GET' && /[?&]list=(true|1)(&|$)/.test(url) ? 'LIST' : method
}

function pathOf({ url }: HttpRequest): string {
  return decodeURIComponent(url.split('?')[0]!.replace(/^\/v1\//, ''))
}

/** By which name `calls`, `faults` and `limits` know a request. */
function actionOf(method: string, path: string): string {
  const [, data] = /(?:^|\/)(datakey)\/(?:plaintext|wrapped)\/[^/]+$/.exec(path) ?? []
  const [, key] = /(?:^|\/)keys\/[^/]+\/([a-z-]+)$/.exec(path) ?? []
  const [, crypto] = /(?:^|\/)(encrypt|decrypt|rewrap)\/[^/]+$/.exec(path) ?? []
  const [, own] = /(?:^|\/)(?:auth\/token|sys)\/([a-z-]+)$/.exec(path) ?? []
  if (data ?? crypto ?? own) return (data ?? crypto ?? own)!
  if (key !== undefined) return `keys/${key}`
  if (/(?:^|\/)keys\/[^/]+$/.test(path)) return `keys/${CAPABILITY[method] ?? 'other'}`
  return /(?:^|\/)auth\/.+\/login/.test(path) ? 'login' : 'other'
}
