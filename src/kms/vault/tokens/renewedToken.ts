import { type VaultClient, VaultFailed } from '../vaultClient.js'
import { lookUp, renew, type TokenState, type VaultTokens } from './vaultTokens.js'

const SECOND = 1_000
/** After a look that failed for something else than the token, in milliseconds. */
const LOOK_AGAIN = 5_000
const LONGEST_TIMER = 2 ** 31 - 1
/** Of what is left of a token's life, that which passes before it is renewed. */
const SHARE = 2 / 3

const NOT_RENEWED =
  'vaultKms: Vault does not let the token of the option "token" renew itself, so it will end, and no DEK be unwrapped after ' +
  'that. Allow it by the policy default, or path "auth/token/renew-self" { capabilities = ["update"] }; or have vaultKms log ' +
  'in by itself (the option "login").'

export interface RenewedTokenOptions {
  readonly client: VaultClient
  readonly token: string
  /** Milliseconds for one request. */
  readonly timeout: number
}

/**
 * One token, renewed before its life ends for as long as Vault lets it: also while nothing is asked, or it would be gone for
 * good. Vault has the last word on how long that is (max ttl, explicit max ttl); a token that is not renewable is left as it
 * is. The timer keeps no process alive.
 */
export class RenewedToken implements VaultTokens {
  readonly #options: RenewedTokenOptions
  #timer: NodeJS.Timeout | undefined
  #started = false
  #closed = false
  #warned = false
  #ends = Number.POSITIVE_INFINITY

  constructor(options: RenewedTokenOptions) {
    this.#options = options
  }

  async current(): Promise<string> {
    if (!this.#started) this.#start()
    return this.#options.token
  }

  async rejected(_token: string, invalid: boolean): Promise<boolean> {
    return invalid
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  /**
   * Requests do not wait for it: a token without the right to look itself up serves them as well. Renewing says how long it
   * has, too, so one that may do only that is renewed at once.
   */
  #start(): void {
    this.#started = true
    this.#ask(lookUp)
      .catch((error: unknown) => {
        if (!isDenied(error)) throw error
        return this.#ask(renew)
      })
      .catch((error: unknown) => {
        if (isDenied(error)) this.#warn(error)
        else if (!isFinal(error)) this.#later(LOOK_AGAIN, () => this.#start())
      })
  }

  #renew(): void {
    this.#ask(renew).catch((error: unknown) => {
      this.#warn(error)
      const left = (this.#ends - Date.now()) / SECOND
      if (left > 0) this.#plan(left / 2)
    })
  }

  /** Nothing fails yet, and nothing else would say so before the token has ended. One that Vault does not know has. */
  #warn(error: unknown): void {
    if (this.#warned || this.#closed || !isDenied(error) || !isFinal(error)) return
    this.#warned = true
    process.emitWarning(NOT_RENEWED, { type: 'FieldsealWarning', code: 'FIELDSEAL_VAULT_TOKEN_NOT_RENEWED' })
  }

  async #ask(what: typeof lookUp): Promise<void> {
    const { client, token, timeout } = this.#options
    const { ttl, renewable }: TokenState = await what(client, token, AbortSignal.timeout(timeout))
    this.#ends = Date.now() + ttl * SECOND
    if (renewable && ttl > 0) this.#plan(ttl)
  }

  /** @param left seconds of its life */
  #plan(left: number): void {
    const delay = Math.min(Math.max(left * SHARE * SECOND, SECOND / 2), LONGEST_TIMER)
    this.#later(delay, () => this.#renew())
  }

  #later(milliseconds: number, work: () => void): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, milliseconds)
    this.#timer.unref()
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof VaultFailed && error.failure.code === 'KMS_DENIED'
}

/** Whether it makes no difference to ask again: of a token that cannot be renewed, say. */
function isFinal(error: unknown): boolean {
  return error instanceof VaultFailed && error.failure.retry === 'never'
}
