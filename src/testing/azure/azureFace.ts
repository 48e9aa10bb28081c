import type { HttpAnswer, HttpFace, HttpRequest, InjectedError } from '../emulator/face.js'
import type { RateLimits } from '../emulator/rateLimits.js'
import { AzureApiError, badParameter } from './azureApiError.js'
import type { Parameters } from './cryptoOperations.js'
import type { HsmKeys } from './hsmKeys.js'
import { operations } from './keyOperations.js'
import type { HsmPermissions } from './permissions.js'
import { apiVersionOf, type Route, routeOf } from './routes.js'
import type { EntraTokens } from './tokens.js'

const MAX_BODY_BYTES = 1024 * 1024
const API_VERSION = /^(7\.[2-6]|20(2[4-9]|[3-9]\d)-\d\d-\d\d)(-preview[.\d]*)?$/

export interface AzureApi {
  readonly keys: HsmKeys
  readonly tokens: EntraTokens
  readonly permissions: HsmPermissions
  readonly limits: RateLimits
}

/** The keys API of Managed HSM: learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses */
export function azureFace(api: AzureApi): HttpFace {
  return {
    maxBodyBytes: MAX_BODY_BYTES,
    // A client's first request asks only what token it takes, and has no body: it is no encryption.
    action: (request) => (request.headers.authorization ? (routeOf(request)?.operation ?? 'unknown') : 'challenge'),
    answer: (request, { requestId, injected }) => {
      const answer = answerTo(api, request, injected)
      return { ...answer, headers: { ...USUAL, 'x-ms-request-id': requestId, ...answer.headers } }
    },
    keys: () =>
      api.keys.list.map(({ name, type, size, versions }) => ({ name, type, size, versions: versions.length })),
  }
}

const USUAL = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-cache',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
}

/** Answers as the service does: an error is an answer too. */
function answerTo(api: AzureApi, request: HttpRequest, injected: InjectedError | undefined): HttpAnswer {
  const route = routeOf(request)
  const told = route?.name ? { keyId: `${originOf(request)}/keys/${route.name}` } : {}
  try {
    const principal = api.tokens.verify(request.headers.authorization)
    const { keys } = checkedApi(api, request)
    if (!route) throw new AzureApiError('NotFound', 'There is no such operation, or the emulator does not know it.')
    api.permissions.check(principal, route.operation, route.name)
    const parameters = parametersOf(request)
    if (injected) throw new AzureApiError(injected.code, injected.message)
    expectRoom(api.limits, route)
    const json = operations[route.operation]({ ...route, keys, parameters, origin: originOf(request) })
    const context = contextOf(parameters)
    return { status: json ? 200 : 204, json, result: 'ok', ...told, ...context }
  } catch (thrown) {
    const error =
      thrown instanceof AzureApiError ? thrown : new AzureApiError('InternalServerError', 'The emulator failed.')
    return { ...errorAnswer(error, request), ...told }
  }
}

/** The service says nothing at all to who has no token but what token it takes. */
function errorAnswer(error: AzureApiError, { headers }: HttpRequest): HttpAnswer {
  const { status, json, innerCode, code, headers: more } = error
  const body = status === 401 && !headers.authorization ? {} : { json }
  return { status, headers: more, result: innerCode ?? code, ...body }
}

function checkedApi(api: AzureApi, { url, body }: HttpRequest): AzureApi {
  const version = apiVersionOf(url)
  if (!API_VERSION.test(version)) throw badParameter('The api-version is missing, or is not supported.')
  if (body.length > MAX_BODY_BYTES) throw badParameter('The request is too large.')
  return api
}

/** RFC 6585 §4; Key Vault's own page on throttling has the code. */
function expectRoom(limits: RateLimits, { operation }: Route): void {
  const limit = limits.exceededBy(operation)
  if (limit === undefined) return
  const message = `Request was not processed because too many requests were received: ${limit} a second.`
  throw new AzureApiError('Throttled', message, { 'retry-after': '1' })
}

function parametersOf({ method, body }: HttpRequest): Parameters {
  if (method === 'GET' || method === 'DELETE' || body.length === 0) return {}
  const parameters = parsed(body)
  if (typeof parameters === 'object' && parameters !== null && !Array.isArray(parameters))
    return parameters as Parameters
  throw badParameter('The body must be a JSON object.')
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw badParameter('The body is no JSON.')
  }
}

/** What the AAD says, for `calls`, where it is text. */
function contextOf({ aad }: Parameters): Pick<HttpAnswer, 'encryptionContext'> {
  return typeof aad === 'string' ? { encryptionContext: Buffer.from(aad, 'base64url').toString('utf8') } : {}
}

function originOf({ headers }: HttpRequest): string {
  return `https://${headers.host ?? 'localhost'}`
}
