import { createHash, createPublicKey, type KeyObject, timingSafeEqual, verify } from 'node:crypto'
import { GrpcError } from './grpcError.js'
import type { ServiceAccountKey } from './sdk.js'

export interface TokenRules {
  readonly accounts: readonly ServiceAccountKey[]
  /** Tokens that somebody else has issued: of workload identity federation, or of the metadata server. */
  readonly accessTokens: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How far a token's clock may be off, in seconds. */
  readonly skew: number
}

interface Claims {
  readonly iss?: unknown
  readonly sub?: unknown
  readonly aud?: unknown
  readonly scope?: unknown
  readonly iat?: unknown
  readonly exp?: unknown
}

const AUDIENCE = 'https://cloudkms.googleapis.com/'
const SCOPES = ['https://www.googleapis.com/auth/cloudkms', 'https://www.googleapis.com/auth/cloud-platform']
/** The longest life of a token that an account signs itself, in seconds, https://google.aip.dev/auth/4111 */
const LONGEST = 3600

/**
 * Bearer tokens: what a service account's key has signed (RS256), as the SDK does with a key file, and tokens that were
 * issued. It can have them all run out.
 */
export class AccessTokens {
  readonly #rules: TokenRules
  readonly #keys: ReadonlyMap<string, KeyObject>
  #expired = false

  constructor(rules: TokenRules) {
    this.#rules = rules
    this.#keys = new Map(rules.accounts.map((key) => [key.client_email, createPublicKey(key.private_key)]))
  }

  /** From now on every token is refused as expired, until `renew()`. */
  expire(): void {
    this.#expired = true
  }

  renew(): void {
    this.#expired = false
  }

  /** @throws GrpcError `UNAUTHENTICATED` */
  verify(authorization: string | undefined): void {
    const token = /^Bearer (\S+)$/.exec(authorization ?? '')?.[1]
    if (token === undefined) throw unauthenticated('CREDENTIALS_MISSING')
    if (this.#expired) throw unauthenticated('ACCESS_TOKEN_EXPIRED')
    if (this.#rules.accessTokens.some((known) => isSame(known, token))) return
    const claims = this.#signedClaims(token)
    if (!claims) throw unauthenticated('ACCESS_TOKEN_TYPE_UNSUPPORTED')
    if (!this.#isInTime(claims)) throw unauthenticated('ACCESS_TOKEN_EXPIRED')
    if (!isForKms(claims)) throw unscoped()
  }

  /** What a token says, if one of the accounts has signed it. */
  #signedClaims(token: string): Claims | undefined {
    const [head, body, signature, ...more] = token.split('.')
    const { alg } = (parse(head) ?? {}) as { readonly alg?: unknown }
    const claims = parse(body) as Claims | undefined
    const key = this.#keys.get(String(claims?.iss))
    if (!key || !claims || alg !== 'RS256' || claims.sub !== claims.iss || more.length > 0) return undefined
    const signed = Buffer.from(`${head}.${body}`)
    return verify('RSA-SHA256', signed, key, Buffer.from(signature ?? '', 'base64url')) ? claims : undefined
  }

  #isInTime({ iat, exp }: Claims): boolean {
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp - iat > LONGEST) return false
    const now = this.#rules.now() / 1000
    return iat <= now + this.#rules.skew && now < exp + this.#rules.skew
  }
}

function isForKms({ aud, scope }: Claims): boolean {
  if (typeof scope === 'string') return scope.split(' ').some((each) => SCOPES.includes(each))
  return aud === AUDIENCE
}

function parse(part: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) ?? undefined
  } catch {
    return undefined
  }
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest())
  return timingSafeEqual(left!, right!)
}

/** https://cloud.google.com/docs/authentication/troubleshoot-auth */
function unauthenticated(reason: string): GrpcError {
  const message =
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid ' +
    'authentication credential.'
  const metadata = { service: 'cloudkms.googleapis.com' }
  return new GrpcError('UNAUTHENTICATED', message, { errorInfo: { reason, domain: 'googleapis.com', metadata } })
}

function unscoped(): GrpcError {
  const errorInfo = { reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', domain: 'googleapis.com' }
  return new GrpcError('PERMISSION_DENIED', 'Request had insufficient authentication scopes.', { errorInfo })
}
