import { setTimeout } from 'node:timers/promises'
import type { VaultTokens } from './tokens/vaultTokens.js'
import { type VaultAnswer, type VaultClient, VaultFailed, type VaultRequest } from './vaultClient.js'
import { failureOfAnswer, INVALID_TOKEN } from './vaultErrors.js'

/** Makes one attempt of a request, with the token of now. */
export type Send = (
  request: VaultRequest,
  signal: AbortSignal,
  accepts?: (answer: VaultAnswer) => boolean,
) => Promise<VaultAnswer>

export interface RequestsOptions {
  readonly client: VaultClient
  readonly tokens: VaultTokens
  /** The longest pause that `Retry-After` has a request make, in milliseconds. */
  readonly longestPause: number
}

const SECOND = 1_000

/**
 * Requests with a token. What is neither 200 nor 204 is a failure, unless `accepts` says that it is an answer. When Vault
 * names a time to wait for (rate limit quotas), no request is sent before.
 */
export function requestsOf({ client, tokens, longestPause }: RequestsOptions): Send {
  let notBefore = 0
  return async (request, signal, accepts = () => false) => {
    const pause = Math.min(notBefore - Date.now(), longestPause)
    if (pause > 0) await setTimeout(pause, undefined, { signal })
    const token = await tokens.current()
    const answer = await client.send({ ...request, token }, signal)
    if (answer.status === 200 || answer.status === 204 || accepts(answer)) return answer
    if (answer.status === 429) notBefore = Date.now() + (answer.retryAfter ?? 0) * SECOND
    throw answer.status === 403 ? await denied(answer, token, tokens) : new VaultFailed(failureOfAnswer(answer))
  }
}

/** Versions differ in whether they say that it is the token; some say "permission denied" of a dead one, too. */
async function denied(answer: VaultAnswer, token: string | undefined, tokens: VaultTokens): Promise<VaultFailed> {
  const failure = failureOfAnswer(answer)
  const invalid = failure.retry === 'once'
  if (token === undefined || !(await tokens.rejected(token, invalid))) return new VaultFailed(failure)
  const details = { ...failure.details, code: INVALID_TOKEN }
  return new VaultFailed({ code: 'KMS_DENIED', retry: 'once', reason: INVALID_TOKEN, details })
}
