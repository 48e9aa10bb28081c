import type { HttpAnswer, HttpFace, HttpRequest, InjectedError } from '../emulator/face.js'
import type { RateLimits } from '../emulator/rateLimits.js'
import { aliasActions } from './aliasActions.js'
import type { AwsAccount } from './awsAccount.js'
import { AwsApiError } from './awsApiError.js'
import type { AwsEmulatorCredential } from './awsCredentials.js'
import { CRYPTOGRAPHIC_OPERATIONS } from './awsQuotas.js'
import { cryptoActions } from './cryptoActions.js'
import { keyActions } from './keyActions.js'
import { type Parameters, parseParameters } from './parameters.js'
import { type SignatureRules, verifySignature } from './sigV4.js'
import type { Action } from './world.js'

/** More than the longest request takes: a ciphertext blob, its context, and a policy. */
const MAX_BODY_BYTES = 1024 * 1024
const TARGET = 'TrentService.'
const CONTENT_TYPE = 'application/x-amz-json-1.1'
const actions: { readonly [name: string]: Action } = { ...cryptoActions, ...keyActions, ...aliasActions }

export interface AwsApi {
  readonly account: AwsAccount
  /** Other accounts, whose keys are named by ARN. */
  readonly others: readonly AwsAccount[]
  readonly limits: RateLimits
  readonly signature: SignatureRules
}

/** The API of AWS KMS in one region: JSON 1.1, `x-amz-target: TrentService.<action>`. */
export function awsFace(api: AwsApi): HttpFace {
  const { account, signature } = api
  return {
    maxBodyBytes: MAX_BODY_BYTES,
    action: actionOf,
    answer: (request, { requestId, injected }) => {
      const date = new Date(signature.now()).toUTCString()
      const headers = { 'content-type': CONTENT_TYPE, 'x-amzn-requestid': requestId, date }
      return { ...answer(api, request, injected), headers }
    },
    keys: () => account.region(signature.region).list.map(({ keyId, arn, state }) => ({ keyId, arn, state })),
  }
}

/** `none` for a request that names no action. */
function actionOf({ headers }: HttpRequest): string {
  const target = String(headers['x-amz-target'] ?? '')
  return target.startsWith(TARGET) ? target.slice(TARGET.length) : 'none'
}

/** Answers as the service does: an error is an answer too. */
function answer(api: AwsApi, request: HttpRequest, injected: InjectedError | undefined): HttpAnswer {
  let parameters: Parameters = {}
  try {
    checkProtocol(request)
    const credential = verifySignature(request, api.signature)
    parameters = parseParameters(request.body)
    if (injected) throw new AwsApiError(injected.code, injected.message)
    return { ...noted(parameters), result: 'ok', json: run(api, actionOf(request), parameters, credential) }
  } catch (thrown) {
    const error =
      thrown instanceof AwsApiError ? thrown : new AwsApiError('KMSInternalException', 'The emulator failed.')
    const { code, message, status } = error
    return { ...noted(parameters), result: code, status, json: { __type: code, message } }
  }
}

function noted(parameters: Parameters): Pick<HttpAnswer, 'keyId' | 'encryptionContext'> {
  const keyId = parameters.KeyId ?? parameters.SourceKeyId
  const context = parameters.EncryptionContext ?? parameters.SourceEncryptionContext
  return {
    keyId: typeof keyId === 'string' ? keyId : undefined,
    encryptionContext: context === undefined ? undefined : JSON.stringify(context),
  }
}

function checkProtocol({ method, headers, body }: HttpRequest): void {
  if (method !== 'POST' || headers['content-type'] !== CONTENT_TYPE)
    throw new AwsApiError('MalformedHttpRequestException', `The emulator takes POST with ${CONTENT_TYPE} only.`)
  if (body.length > MAX_BODY_BYTES) throw new AwsApiError('RequestEntityTooLargeException', 'The request is too large.')
}

function run(api: AwsApi, name: string, parameters: Parameters, credential: AwsEmulatorCredential): object {
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!action) throw new AwsApiError('UnknownOperationException', 'The emulator does not know this action.')
  const shared = Object.hasOwn(cryptoActions, name) ? api.limits.exceededBy(CRYPTOGRAPHIC_OPERATIONS) : undefined
  if (shared !== undefined || api.limits.exceededBy(name) !== undefined)
    throw new AwsApiError('ThrottlingException', 'You have exceeded the rate at which you may call KMS.')
  const { account, others, signature } = api
  return action(parameters, { account, others, keys: account.region(signature.region), credential })
}
