import { types } from 'node:util'
import type { InjectedError } from '../emulator/face.js'
import type { RateLimits } from '../emulator/rateLimits.js'
import type { AccessTokens } from './accessTokens.js'
import type { Action, Fields, World } from './action.js'
import { decrypt, encrypt } from './cryptoActions.js'
import { type ErrorInfo, GrpcError, type GrpcStatus, STATUS } from './grpcError.js'
import type { GrpcAnswer, GrpcFace, GrpcRequest } from './grpcFace.js'
import { managementActions } from './managementActions.js'
import type { GooglePermissions } from './permissions.js'
import type { Method, Sdk } from './sdk.js'

export interface KmsApi extends World {
  readonly sdk: Sdk
  readonly tokens: AccessTokens
  readonly permissions: GooglePermissions
  readonly limits: RateLimits
}

const actions: { readonly [method: string]: Action } = { Encrypt: encrypt, Decrypt: decrypt, ...managementActions }

/** Google Cloud KMS, API v1. */
export function kmsFace(api: KmsApi): GrpcFace {
  const methodOf = (action: string) => api.sdk.methods.get(action)
  return {
    answer: (request, injected) => answer(api, methodOf(request.action), request, injected),
    encode: (action, message) => methodOf(action)!.responseSerialize(message),
  }
}

function answer(
  api: KmsApi,
  method: Method | undefined,
  { action: name, path, headers, message }: GrpcRequest,
  injected: InjectedError | undefined,
): GrpcAnswer {
  let fields: Fields = {}
  try {
    const action = Object.hasOwn(actions, name) ? actions[name] : undefined
    if (method?.path !== path || !action) throw new GrpcError('UNIMPLEMENTED', `The emulator does not know ${path}.`)
    api.tokens.verify(headers.authorization)
    fields = decode(method, message)
    if (injected) throw new GrpcError(statusOf(injected.code), injected.message)
    api.permissions.expect(action.permission, action.resource(fields))
    checkRoute(headers['x-goog-request-params'], action.resource(fields))
    checkQuota(api.limits, name, action)
    return { noted: notedOf(fields), outcome: action.run(fields, api) }
  } catch (thrown) {
    const outcome = thrown instanceof GrpcError ? thrown : new GrpcError('INTERNAL', 'The emulator failed.')
    return { noted: notedOf(fields), outcome }
  }
}

function decode(method: Method, message: Buffer): Fields {
  try {
    return method.requestDeserialize(message) as Fields
  } catch {
    throw new GrpcError('INTERNAL', 'The request is no message of this method.')
  }
}

function notedOf({ name, additionalAuthenticatedData: aad }: Fields): NonNullable<GrpcAnswer['noted']> {
  return {
    ...(typeof name === 'string' ? { keyId: name } : {}),
    ...(types.isUint8Array(aad) ? { encryptionContext: Buffer.from(aad).toString() } : {}),
  }
}

/** Google routes a call by this header to the region of its key, https://cloud.google.com/kms/docs/grpc */
function checkRoute(parameters: string | string[] | undefined, resource: string): void {
  const [, routed] = /^[\w.]+=(.+)$/.exec(String(parameters ?? '')) ?? []
  if (routed !== undefined && decodeURIComponent(routed).startsWith(resource)) return
  throw new GrpcError('INVALID_ARGUMENT', `The header x-goog-request-params does not name ${resource}.`)
}

function checkQuota(limits: RateLimits, name: string, { quota }: Action): void {
  if (limits.exceededBy(name) === undefined && limits.exceededBy(quota) === undefined) return
  const [service, metric] = ['cloudkms.googleapis.com', `cloudkms.googleapis.com/${quota}`]
  const errorInfo: ErrorInfo = {
    reason: 'RATE_LIMIT_EXCEEDED',
    domain: 'googleapis.com',
    metadata: { quota_metric: metric, service },
  }
  throw new GrpcError('RESOURCE_EXHAUSTED', `Quota exceeded for quota metric '${metric}' of service '${service}'.`, {
    errorInfo,
  })
}

function statusOf(code: string): GrpcStatus {
  return Object.hasOwn(STATUS, code) ? (code as GrpcStatus) : 'UNKNOWN'
}
