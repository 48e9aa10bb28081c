import { type CallFailure, networkReason, unavailable } from '../call/callFailure.js'

/** One request to Vault's API. */
export interface VaultRequest {
  readonly method: 'GET' | 'POST'
  /** Without `/v1/`: `transit/decrypt/fieldseal`. */
  readonly path: string
  readonly body?: object
  /** For `X-Vault-Token`; left out where the client, or what stands before Vault, has its own. */
  readonly token?: string | undefined
}

/** What an answer may hold; nothing of it is sure. */
export interface VaultAnswer {
  readonly status: number
  readonly body: { readonly [field: string]: unknown }
  /** Seconds, from `Retry-After`. */
  readonly retryAfter?: number | undefined
}

/** Sends one request, once, and takes every status as an answer. */
export interface VaultClient {
  send(request: VaultRequest, signal: AbortSignal): Promise<VaultAnswer>
}

/**
 * What `vaultKms` needs of a client that you have already: a client of `node-vault`. What is in its `requestOptions` (an
 * agent, TLS options) is obeyed.
 */
export interface NodeVaultClient {
  /** With `axios` options as `requestOptions`. */
  write(path: string, data: object, requestOptions: { readonly timeout: number }): Promise<unknown>
  read(path: string, requestOptions: { readonly timeout: number }): Promise<unknown>
  /** Sent as `X-Vault-Namespace`. */
  readonly namespace?: unknown
}

/** An attempt that failed, in words that are known to quote no answer. */
export class VaultFailed extends Error {
  override readonly name = 'VaultFailed'
  readonly failure: CallFailure

  constructor(failure: CallFailure) {
    super(failure.reason)
    this.failure = failure
  }
}

/** What the error of an attempt means. */
export function classify(error: unknown): CallFailure {
  if (error instanceof VaultFailed) return error.failure
  return unavailable(networkReason(error) ?? 'no answer that can be read')
}

/** An answer of any form as one of ours. */
export function objectOf(value: unknown): { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
