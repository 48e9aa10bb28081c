import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { HttpRequest } from '../emulator/face.js'
import { AwsApiError } from './awsApiError.js'
import type { AwsCredentials, AwsEmulatorCredential } from './awsCredentials.js'

export interface SignatureRules {
  readonly credentials: AwsCredentials
  readonly region: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How far a request's date may be off, in seconds. */
  readonly skew: number
}

interface Authorization {
  readonly accessKeyId: string
  /** `20261129` */
  readonly day: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: Buffer
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/
const DATE = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/**
 * Verifies a signature of version 4 in the Authorization header
 * (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
 *
 * @returns the credential that signed
 * @throws AwsApiError as the service answers it
 */
export function verifySignature(request: HttpRequest, rules: SignatureRules): AwsEmulatorCredential {
  const authorization = parseAuthorization(request.headers.authorization)
  const date = freshDate(request, authorization, rules)
  checkScope(authorization, rules.region)
  checkSignedHeaders(request, authorization)
  const token = request.headers['x-amz-security-token']
  const credential = rules.credentials.find(authorization.accessKeyId, token === undefined ? undefined : String(token))
  const expected = sign(canonicalRequest(request, authorization), date, authorization, credential.secretAccessKey)
  if (timingSafeEqual(expected, authorization.signature)) return credential
  throw refused('The request signature we calculated does not match the signature you provided.')
}

function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined) throw new AwsApiError('MissingAuthenticationTokenException', 'Missing Authentication Token')
  const parts = AUTHORIZATION.exec(header)
  if (!parts) throw new AwsApiError('IncompleteSignatureException', 'The Authorization header is not valid.')
  const [, accessKeyId = '', day = '', region = '', service = '', names = '', signature = ''] = parts
  const signedHeaders = names.split(';')
  return { accessKeyId, day, region, service, signedHeaders, signature: Buffer.from(signature, 'hex') }
}

/** The SDK sets its clock by the Date header of such an answer, and signs anew. */
function freshDate({ headers }: HttpRequest, { day }: Authorization, { now, skew }: SignatureRules): string {
  const text = String(headers['x-amz-date'] ?? '')
  const [, ...parts] = DATE.exec(text) ?? []
  if (parts.length === 0) throw new AwsApiError('IncompleteSignatureException', 'X-Amz-Date is missing, or no date.')
  const [year, month, date, hour, minute, second] = parts.map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const off = (Date.UTC(year, month - 1, date, hour, minute, second) - now()) / 1000
  if (off < -skew) throw refused(`Signature expired: ${text} is too far in the past.`)
  if (off > skew) throw refused(`Signature not yet current: ${text} is still in the future.`)
  if (!text.startsWith(day))
    throw refused('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.')
  return text
}

function checkScope({ region, service }: Authorization, own: string): void {
  if (service !== 'kms') throw refused("Credential should be scoped to correct service: 'kms'.")
  if (region !== own) throw refused(`Credential should be scoped to a valid region: this is ${own}.`)
}

/** What is not signed could be changed on the way. */
function checkSignedHeaders({ headers }: HttpRequest, { signedHeaders }: Authorization): void {
  const needed = Object.keys(headers).filter((name) => name.startsWith('x-amz-') || name === 'content-type')
  const missing = ['host', ...needed].find((name) => !signedHeaders.includes(name))
  if (missing) throw refused(`There were headers present in the request which were not signed: ${missing}`)
}

function canonicalRequest({ method, url, headers, body }: HttpRequest, { signedHeaders }: Authorization): string {
  const [path = '/', query = ''] = url.split('?')
  const lines = signedHeaders.map(
    (name) =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  return [method, path, query, lines.join(''), signedHeaders.join(';'), sha256(body)].join('\n')
}

function sign(canonical: string, date: string, { day, region, service }: Authorization, secret: string): Buffer {
  const scope = `${day}/${region}/${service}/aws4_request`
  const text = [ALGORITHM, date, scope, sha256(canonical)].join('\n')
  return hmac(hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request'), text)
}

function refused(message: string): AwsApiError {
  return new AwsApiError('InvalidSignatureException', message)
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
