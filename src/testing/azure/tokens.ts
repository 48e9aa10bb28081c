import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { AzureApiError } from './azureApiError.js'

/** Whom tokens of a Managed HSM are for; a vault's are for https://vault.azure.net. */
export const RESOURCE = 'https://managedhsm.azure.net'
const LIFETIME = 3_600
const SKEW = 300

/** By structure a `TokenCredential` of @azure/core-auth: a principal's, with tokens that the emulator takes. */
export interface EmulatorTokenCredential {
  /** Rejects as `@azure/identity` does, with an `AuthenticationError`, for another resource, or while it has expired. */
  getToken(scopes: string | readonly string[]): Promise<{ token: string; expiresOnTimestamp: number }>
}

export interface TokenOptions {
  /** The principal's object id. */
  readonly principal: string
  /** Seconds that a token is good for; an hour unless given. */
  readonly lifetime?: number
  /** The audience; that of Managed HSM unless given. */
  readonly audience?: string
}

interface Claims {
  readonly aud?: unknown
  readonly iss?: unknown
  readonly nbf?: unknown
  readonly exp?: unknown
  readonly oid?: unknown
}

/**
 * Makes and verifies the bearer tokens of one emulator: JSON Web Tokens (RFC 7519) as Microsoft Entra ID makes them, with
 * the audience of Managed HSM, but signed with HMAC-SHA-256 and a key that no other emulator has.
 */
export class EntraTokens {
  /** Of the directory. */
  readonly tenantId = randomUUID()
  readonly #secret = randomBytes(32)
  readonly #now: () => number
  #expired = false

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now
  }

  /** As when the secret of an application has run out: no token is given or taken, until `renew`. */
  expire(): void {
    this.#expired = true
  }

  renew(): void {
    this.#expired = false
  }

  credentialOf(options: TokenOptions): EmulatorTokenCredential {
    return {
      getToken: async (scopes) => {
        const scope = typeof scopes === 'string' ? scopes : scopes.join(' ')
        if (this.#expired) throw authenticationError('AADSTS7000222: The provided client secret keys are expired.')
        if (scope !== `${RESOURCE}/.default`)
          throw authenticationError(`AADSTS500011: The resource principal ${scope} was not found in the tenant.`)
        const { lifetime = LIFETIME } = options
        return { token: this.issue(options), expiresOnTimestamp: this.#now() + lifetime * 1000 }
      },
    }
  }

  issue({ principal, lifetime = LIFETIME, audience = RESOURCE }: TokenOptions): string {
    const iat = Math.floor(this.#now() / 1000)
    const claims = { aud: audience, iss: this.#issuer, iat, nbf: iat, exp: iat + lifetime, oid: principal }
    const content = [
      { typ: 'JWT', alg: 'HS256' },
      { ...claims, tid: this.tenantId, ver: '1.0' },
    ]
      .map(encoded)
      .join('.')
    return `${content}.${this.#sign(content)}`
  }

  /**
   * The principal of a request.
   *
   * @throws AzureApiError `Unauthorized`, with a challenge that says for what resource a token is to be got, and where
   */
  verify(authorization: string | undefined): string {
    const [, token] = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '') ?? []
    if (token === undefined) throw this.#unauthorized('Request is missing a Bearer or PoP token.')
    const [head = '', body = '', signature = ''] = token.split('.')
    if (!sameText(signature, this.#sign(`${head}.${body}`)))
      throw this.#unauthorized('The signature of the token is not valid.')
    const { aud, iss, nbf, exp, oid } = JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims
    const now = this.#now() / 1000
    if (aud !== RESOURCE) throw this.#unauthorized(`The audience of the token must be ${RESOURCE}.`)
    if (iss !== this.#issuer) throw this.#unauthorized('The issuer of the token is another tenant.')
    if (!(Number(nbf) - SKEW <= now)) throw this.#unauthorized('Token not yet valid.')
    if (!(now < Number(exp)) || this.#expired) throw this.#unauthorized('Token expired.')
    return String(oid)
  }

  get #issuer(): string {
    return `https://sts.windows.net/${this.tenantId}/`
  }

  #sign(content: string): string {
    return createHmac('sha256', this.#secret).update(content).digest('base64url')
  }

  #unauthorized(message: string): AzureApiError {
    const challenge = `Bearer authorization="https://login.microsoftonline.com/${this.tenantId}", resource="${RESOURCE}"`
    return new AzureApiError('Unauthorized', message, { 'www-authenticate': challenge })
  }
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function sameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** As `@azure/identity` rejects; its own class is not here. */
function authenticationError(message: string): Error {
  return Object.assign(new Error(message), { name: 'AuthenticationError', statusCode: 401 })
}
