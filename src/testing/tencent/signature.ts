import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HttpRequest } from '../emulator/face.js'
import { ApiError } from './apiError.js'

/** A credential that the emulator accepts; with a `token`, requests must carry the same one. */
export interface EmulatorCredential {
  readonly secretId: string
  readonly secretKey: string
  readonly token?: string
}

export interface SignatureRules {
  readonly credentials: readonly EmulatorCredential[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How far a request's timestamp may be off, in seconds. */
  readonly skew: number
}

interface Authorization {
  readonly secretId: string
  readonly date: string
  readonly service: string
  readonly signedHeaders: string
  readonly signature: Buffer
}

const AUTHORIZATION =
  /^TC3-HMAC-SHA256 Credential=([^/]+)\/(\d{4}-\d{2}-\d{2})\/([^/]+)\/tc3_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/

/**
 * Verifies a TC3-HMAC-SHA256 signature (Tencent Cloud API, "Signature v3").
 *
 * @throws ApiError `AuthFailure.*`, `MissingParameter`
 */
export function verifySignature(request: HttpRequest, rules: SignatureRules): void {
  const authorization = parseAuthorization(request.headers.authorization)
  const timestamp = freshTimestamp(request, authorization, rules)
  const credential = credentialOf(request, authorization, rules)
  checkScope(request, authorization)
  const matches = canonicalForms(request, authorization).some((canonical) =>
    timingSafeEqual(sign(canonical, timestamp, authorization, credential), authorization.signature),
  )
  if (!matches) throw new ApiError('AuthFailure.SignatureFailure', 'The signature does not match the request.')
}

function parseAuthorization(header: string | undefined): Authorization {
  const parts = AUTHORIZATION.exec(header ?? '')
  if (!parts) throw new ApiError('AuthFailure.InvalidAuthorization', 'The Authorization header is not valid.')
  const [, secretId = '', date = '', service = '', signedHeaders = '', signature = ''] = parts
  return { secretId, date, service, signedHeaders, signature: Buffer.from(signature, 'hex') }
}

function freshTimestamp({ headers }: HttpRequest, { date }: Authorization, { now, skew }: SignatureRules): string {
  const timestamp = String(headers['x-tc-timestamp'] ?? '')
  if (!/^\d{1,12}$/.test(timestamp)) throw new ApiError('MissingParameter', 'X-TC-Timestamp is missing.')
  if (Math.abs(now() / 1000 - Number(timestamp)) > skew) {
    throw new ApiError('AuthFailure.SignatureExpire', 'The signature has expired: check the clock.')
  }
  if (new Date(Number(timestamp) * 1000).toISOString().slice(0, 10) !== date) {
    throw new ApiError(
      'AuthFailure.SignatureFailure',
      'The date of the credential scope is not that of X-TC-Timestamp.',
    )
  }
  return timestamp
}

function credentialOf(
  { headers }: HttpRequest,
  { secretId }: Authorization,
  { credentials }: SignatureRules,
): EmulatorCredential {
  const known = credentials.filter((candidate) => candidate.secretId === secretId)
  if (known.length === 0) throw new ApiError('AuthFailure.SecretIdNotFound', 'The SecretId is not found.')
  const credential = known.find((candidate) => candidate.token === headers['x-tc-token'])
  if (!credential) throw new ApiError('AuthFailure.TokenFailure', 'The token is wrong or has expired.')
  return credential
}

/** The SDK takes the service from the first label of the endpoint, so an endpoint 127.0.0.1:8100 signs for "127". */
function checkScope({ headers }: HttpRequest, { service, signedHeaders }: Authorization): void {
  if (service !== 'kms' && service !== (headers.host ?? '').split('.')[0]) {
    throw new ApiError('AuthFailure.SignatureFailure', 'The credential scope names another service.')
  }
  const names = signedHeaders.split(';')
  if (!names.includes('host') || !names.includes('content-type')) {
    throw new ApiError('AuthFailure.SignatureFailure', 'host and content-type must be signed.')
  }
}

/** The Node SDK signs the host without its port and values as sent; other SDKs sign the port and lower-case values. */
function canonicalForms(request: HttpRequest, { signedHeaders }: Authorization): string[] {
  const { pathname, search, hostname, host } = new URL(request.url, `http://${request.headers.host}`)
  return [hostname, host].flatMap((signedHost) => {
    const value = (name: string) => String(name === 'host' ? signedHost : (request.headers[name] ?? '')).trim()
    const names = signedHeaders.split(';')
    return [value, (name: string) => value(name).toLowerCase()].map((form) => {
      const headers = names.map((name) => `${name}:${form(name)}\n`).join('')
      return [request.method, pathname, search.slice(1), headers, signedHeaders, sha256(request.body)].join('\n')
    })
  })
}

function sign(
  canonical: string,
  timestamp: string,
  { date, service }: Authorization,
  { secretKey }: EmulatorCredential,
): Buffer {
  const text = ['TC3-HMAC-SHA256', timestamp, `${date}/${service}/tc3_request`, sha256(canonical)].join('\n')
  return hmac(hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request'), text)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
