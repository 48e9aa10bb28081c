import type { HttpAnswer, HttpFace, HttpRequest, InjectedError } from '../emulator/face.js'
import type { RateLimits } from '../emulator/rateLimits.js'
import { ApiError } from './apiError.js'
import { type Action, cryptoActions, type World } from './cryptoActions.js'
import { managementActions } from './managementActions.js'
import { checkNames, type Parameters, parseParameters } from './parameters.js'
import { type SignatureRules, verifySignature } from './signature.js'

/** Tencent's limit for a request. */
const MAX_BODY_BYTES = 10 * 1024 * 1024
const VERSION = '2019-01-18'
const actions: { readonly [name: string]: Action } = { ...cryptoActions, ...managementActions }

export interface Api extends World {
  readonly limits: RateLimits
  readonly signature: SignatureRules
}

/** Tencent's API: every answer is HTTP 200 with `{"Response": …}`. */
export function tencentFace(api: Api): HttpFace {
  return {
    maxBodyBytes: MAX_BODY_BYTES,
    action: ({ headers }) => String(headers['x-tc-action'] ?? 'none'),
    answer: (request, { requestId, injected }) => {
      const { response, ...told } = answer(api, request, injected)
      return { ...told, json: { Response: { ...response, RequestId: requestId } } }
    },
    keys: () => api.cmks.list.map(({ keyId, alias, state }) => ({ keyId, alias, state })),
  }
}

type Answer = Pick<HttpAnswer, 'result' | 'keyId' | 'encryptionContext'> & { readonly response: object }

/** Answers as the service does: an error is an answer too. */
function answer(api: Api, request: HttpRequest, injected: InjectedError | undefined): Answer {
  let parameters: Parameters = {}
  try {
    checkProtocol(request)
    verifySignature(request, api.signature)
    parameters = parseParameters(request.body)
    if (injected) throw new ApiError(injected.code, injected.message)
    return { ...noted(parameters), result: 'ok', response: run(api, request, parameters) }
  } catch (thrown) {
    const { code, message } =
      thrown instanceof ApiError ? thrown : new ApiError('InternalError', 'The emulator failed.')
    return { ...noted(parameters), result: code, response: { Error: { Code: code, Message: message } } }
  }
}

function noted({ KeyId, EncryptionContext }: Parameters): Pick<Answer, 'keyId' | 'encryptionContext'> {
  return {
    keyId: typeof KeyId === 'string' ? KeyId : undefined,
    encryptionContext: typeof EncryptionContext === 'string' ? EncryptionContext : undefined,
  }
}

function checkProtocol({ method, body }: HttpRequest): void {
  if (method !== 'POST') throw new ApiError('UnsupportedProtocol', 'The emulator takes POST only.')
  if (body.length > MAX_BODY_BYTES) throw new ApiError('RequestSizeLimitExceeded', 'The request is too large.')
}

function run(api: Api, { headers }: HttpRequest, parameters: Parameters): object {
  const name = String(headers['x-tc-action'] ?? '')
  if (headers['x-tc-version'] !== VERSION) throw new ApiError('NoSuchVersion', `The version must be ${VERSION}.`)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) throw new ApiError('InvalidAction', 'The action does not exist, or the emulator does not know it.')
  if (!headers['x-tc-region']) throw new ApiError('MissingParameter', 'The parameter Region is missing.')
  const limit = api.limits.exceededBy(name)
  if (limit !== undefined)
    throw new ApiError('RequestLimitExceeded', `${name} exceeds its limit of ${limit} requests per second.`)
  checkNames(parameters, action.takes)
  return action.run(parameters, api)
}
