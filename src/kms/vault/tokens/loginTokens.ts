import { objectOf, type VaultClient, VaultFailed } from '../vaultClient.js'
import { failureOfAnswer, OF_LOGIN } from '../vaultErrors.js'
import { failsAsDenied, isToken, lookUp, noToken, renew, secondsOf, type VaultTokens } from './vaultTokens.js'

/** What a login gave. */
export interface VaultLogin {
  readonly token: string
  /** Seconds; 0 for a token that does not end. Vault: `lease_duration`. */
  readonly ttl: number
  /** Whether `renew-self` may lengthen it; it is replaced by a new login otherwise. `false` unless given. */
  readonly renewable?: boolean | undefined
}

/** What a login function may ask Vault: an auth method, without a token. */
export interface VaultLoginRequests {
  /**
   * Posts to a path of the client's Vault and namespace, and reads what `auth` of the answer holds.
   *
   * @param path `auth/approle/login`
   */
  login(path: string, body: object): Promise<VaultLogin>
}

/**
 * Logs in: one at a time, at the first use, when the token's life ends, and when Vault does not know it any more.
 *
 * @example
 * ```ts
 * const login: VaultLoginFunction = (vault) => vault.login('auth/jwt/login', { role: 'fieldseal', jwt: process.env.JWT })
 * ```
 */
export type VaultLoginFunction = (vault: VaultLoginRequests) => Promise<VaultLogin>

export interface LoginTokensOptions {
  readonly client: VaultClient
  readonly login: VaultLoginFunction
  /** Milliseconds for one login, or one renewal. */
  readonly timeout: number
}

interface Session extends VaultLogin {
  /** Milliseconds since the epoch. */
  readonly ends: number
  readonly refreshAt: number
}

const SECOND = 1_000
const SHARE = 2 / 3
/** How long Vault's word that a token is good is believed. Each request that is denied would ask again. */
const BELIEVED = 30 * SECOND

/** Tokens of logins, each used for two thirds of its life, then renewed or replaced while it still serves. */
export class LoginTokens implements VaultTokens {
  readonly #options: LoginTokensOptions
  #session: Session | undefined
  #login: Promise<Session> | undefined
  #refresh: Promise<void> | undefined
  #goodUntil = 0

  constructor(options: LoginTokensOptions) {
    this.#options = options
  }

  async current(): Promise<string> {
    const now = Date.now()
    const session = this.#session
    if (!session || now >= session.ends) return (await this.#loggedIn()).token
    if (now >= session.refreshAt) this.#refresh ??= this.#refreshed(session)
    return session.token
  }

  /** A refusal that does not say why is looked into: a login each time that a policy refuses would be many. */
  async rejected(token: string, invalid: boolean): Promise<boolean> {
    if (token !== this.#session?.token) return true
    if (!invalid && (await this.#isGood(token))) return false
    if (token === this.#session?.token) this.#session = undefined
    return true
  }

  close(): void {
    this.#session = undefined
  }

  #loggedIn(): Promise<Session> {
    this.#login ??= this.#logIn().finally(() => {
      this.#login = undefined
    })
    return this.#login
  }

  async #logIn(): Promise<Session> {
    const { client, login, timeout } = this.#options
    const signal = AbortSignal.timeout(timeout)
    const requests: VaultLoginRequests = { login: (path, body) => postLogin(client, path, body, signal) }
    const given: unknown = await failsAsDenied('login', async () => Promise.race([login(requests), tooLate(signal)]))
    const { token, ttl, renewable } = objectOf(given)
    if (!isToken(token)) throw noToken('login', 'gave no token')
    this.#goodUntil = 0
    this.#session = sessionOf({ token, ttl: secondsOf(ttl), renewable: renewable === true })
    return this.#session
  }

  /** Where it fails, the old token serves on, and the next try is after a part of what is left of its life. */
  async #refreshed(session: Session): Promise<void> {
    try {
      if (!session.renewable || !(await this.#renewed(session))) await this.#loggedIn()
    } catch {
      const now = Date.now()
      if (this.#session === session) this.#session = { ...session, refreshAt: now + (session.ends - now) / 3 }
    } finally {
      this.#refresh = undefined
    }
  }

  /** A token near its max ttl gains less than it has lost: then it is time for a new one. */
  async #renewed(session: Session): Promise<boolean> {
    const { client, timeout } = this.#options
    const { ttl, renewable } = await renew(client, session.token, AbortSignal.timeout(timeout))
    if (ttl < session.ttl / 2) return false
    if (this.#session === session) {
      this.#session = { ...sessionOf({ token: session.token, ttl, renewable }), ttl: session.ttl }
    }
    return true
  }

  async #isGood(token: string): Promise<boolean> {
    if (Date.now() < this.#goodUntil) return true
    const { client, timeout } = this.#options
    const good = await lookUp(client, token, AbortSignal.timeout(timeout)).then(
      () => true,
      (error: unknown) => !(error instanceof VaultFailed && error.failure.code === 'KMS_DENIED'),
    )
    if (good) this.#goodUntil = Date.now() + BELIEVED
    return good
  }
}

function sessionOf(login: VaultLogin): Session {
  const now = Date.now()
  const life = login.ttl > 0 ? login.ttl * SECOND : Number.POSITIVE_INFINITY
  return { ...login, ends: now + life, refreshAt: now + life * SHARE }
}

async function postLogin(client: VaultClient, path: string, body: object, signal: AbortSignal): Promise<VaultLogin> {
  const answer = await client.send({ method: 'POST', path, body }, signal)
  if (answer.status !== 200) throw refusedLogin(answer)
  const { client_token: token, lease_duration: ttl, renewable } = objectOf(answer.body.auth)
  if (!isToken(token)) throw noToken('login', 'was answered without a token')
  return { token, ttl: secondsOf(ttl), renewable: renewable === true }
}

/** Auth methods refuse wrong credentials with 400 (AppRole) or 403 (Kubernetes). */
function refusedLogin(answer: Parameters<typeof failureOfAnswer>[0]): VaultFailed {
  const failure = failureOfAnswer(answer)
  if (failure.retry === 'always') return new VaultFailed(failure)
  const details = { ...failure.details, httpCode: answer.status }
  const reason = `${OF_LOGIN}was refused (HTTP status ${answer.status})`
  return new VaultFailed({ code: 'KMS_DENIED', retry: 'never', reason, details })
}

function tooLate(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(noToken('login', 'took too long')), { once: true })
  })
}
