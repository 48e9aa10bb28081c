import { FieldsealError } from '../../../errors.js'
import { type VaultClient, VaultFailed } from '../vaultClient.js'
import { failureOfAnswer, OF_FUNCTION } from '../vaultErrors.js'

/** Where the token of each request comes from. */
export interface VaultTokens {
  /** The token for a request that is sent now; none where the client, or what stands before Vault, has its own. */
  current(): Promise<string | undefined>
  /**
   * Told that Vault refused a token.
   *
   * @param invalid whether Vault said that it is the token which is refused, and not what was asked with it
   * @returns whether the token is of no use any more
   */
  rejected(token: string, invalid: boolean): Promise<boolean>
  /** Ends what is done at times. What is in flight goes on. */
  close(): void
}

/** The client, or what stands before Vault, adds a token. */
export const NO_TOKENS: VaultTokens = {
  current: async () => undefined,
  rejected: async (_token, invalid) => invalid,
  close: () => undefined,
}

/**
 * Tokens of a function, which is asked for each request; it keeps and renews them as it likes. One that it no longer gives
 * is of no use, whatever Vault says of it.
 */
export function askedTokens(ask: () => string | Promise<string>): VaultTokens {
  const current = async () => {
    const token = await failsAsDenied('token', async () => ask())
    if (isToken(token)) return token
    throw noToken('token', 'gave no token')
  }
  return {
    current,
    rejected: async (token, invalid) => invalid || (await current()) !== token,
    close: () => undefined,
  }
}

/** Whether a value can be a token: text that a header can hold. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,4096}$/.test(value)
}

/**
 * What a function of the options throws may quote a secret, so it is passed on only where it is an error of this library,
 * or of a request to Vault.
 */
export async function failsAsDenied<T>(option: string, ask: () => Promise<T>): Promise<T> {
  return ask().catch((error: unknown) => {
    throw FieldsealError.is(error) || error instanceof VaultFailed ? error : noToken(option, 'failed')
  })
}

export function noToken(option: string, why: string): VaultFailed {
  const reason = `${OF_FUNCTION}"${option}" of vaultKms ${why}`
  return new VaultFailed({ code: 'KMS_DENIED', retry: 'never', reason, details: {} })
}

/** What Vault knows of a token. */
export interface TokenState {
  /** Seconds; 0 for a token that does not end. */
  readonly ttl: number
  readonly renewable: boolean
}

/** Asks what is left of a token. @throws VaultFailed where it is refused */
export async function lookUp(client: VaultClient, token: string, signal: AbortSignal): Promise<TokenState> {
  const answer = await client.send({ method: 'GET', path: 'auth/token/lookup-self', token }, signal)
  if (answer.status !== 200) throw new VaultFailed(failureOfAnswer(answer))
  const { ttl, renewable } = (answer.body.data ?? {}) as { readonly [field: string]: unknown }
  return { ttl: secondsOf(ttl), renewable: renewable === true }
}

/** Lengthens a token's life. @throws VaultFailed where it is refused */
export async function renew(client: VaultClient, token: string, signal: AbortSignal): Promise<TokenState> {
  const answer = await client.send({ method: 'POST', path: 'auth/token/renew-self', body: {}, token }, signal)
  if (answer.status !== 200) throw new VaultFailed(failureOfAnswer(answer))
  const { lease_duration: ttl, renewable } = (answer.body.auth ?? {}) as { readonly [field: string]: unknown }
  return { ttl: secondsOf(ttl), renewable: renewable === true }
}

export function secondsOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}
