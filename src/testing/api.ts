import { ApiError } from './apiError.js'
import type { Calls } from './calls.js'
import { type Action, cryptoActions, type World } from './cryptoActions.js'
import type { Faults } from './faults.js'
import { managementActions } from './managementActions.js'
import { checkNames, type Parameters, parseParameters } from './parameters.js'
import type { RateLimits } from './rateLimits.js'
import { type SignatureRules, type SignedRequest, verifySignature } from './signature.js'

/** Tencent's limit for a request. */
export const MAX_BODY_BYTES = 10 * 1024 * 1024
const VERSION = '2019-01-18'
const actions: { readonly [name: string]: Action } = { ...cryptoActions, ...managementActions }

export interface Api extends World {
  readonly faults: Faults
  readonly limits: RateLimits
  readonly signature: SignatureRules
}

/** All that one emulator is made of. */
export interface Emulation extends Api {
  readonly calls: Calls
  /** Whether the paths under `/_emulator/` answer. */
  readonly admin: boolean
}

/** What the API answers to a signed request, without the RequestId. */
export interface Answer {
  readonly code: string
  readonly response: object
  readonly parameters: Parameters
}

/** Answers as the service does: an error is an answer too. `error` is what a fault makes of a valid request. */
export function answer(api: Api, request: SignedRequest, error?: ApiError): Answer {
  let parameters: Parameters = {}
  try {
    checkProtocol(request)
    verifySignature(request, api.signature)
    parameters = parseParameters(request.body)
    if (error) throw error
    return { code: 'ok', response: run(api, request, parameters), parameters }
  } catch (thrown) {
    const { code, message } =
      thrown instanceof ApiError ? thrown : new ApiError('InternalError', 'The emulator failed.')
    return { code, response: { Error: { Code: code, Message: message } }, parameters }
  }
}

function checkProtocol({ method, body }: SignedRequest): void {
  if (method !== 'POST') throw new ApiError('UnsupportedProtocol', 'The emulator takes POST only.')
  if (body.length > MAX_BODY_BYTES) throw new ApiError('RequestSizeLimitExceeded', 'The request is too large.')
}

function run(api: Api, { headers }: SignedRequest, parameters: Parameters): object {
  const name = String(headers['x-tc-action'] ?? '')
  if (headers['x-tc-version'] !== VERSION) throw new ApiError('NoSuchVersion', `The version must be ${VERSION}.`)
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) throw new ApiError('InvalidAction', 'The action does not exist, or the emulator does not know it.')
  if (!headers['x-tc-region']) throw new ApiError('MissingParameter', 'The parameter Region is missing.')
  api.limits.take(name)
  checkNames(parameters, action.takes)
  return action.run(parameters, api)
}
