import { createHmac, randomBytes } from 'node:crypto'
import { FieldsealError } from '../../errors.js'
import {
  CKF_LOGIN_REQUIRED,
  CKF_USER_PIN_FINAL_TRY,
  CKF_USER_PIN_LOCKED,
  CKU_USER,
  type Pkcs11Handle,
  type Pkcs11Module,
  type Pkcs11TokenInfo,
} from './pkcs11Module.js'
import { pkcs11FailureOf, returned } from './returnCodes.js'

/** The user's PIN, or a function that gives it. */
export type Pin = string | (() => string | Promise<string>)

/** How a session is logged in. */
export interface LoggedIn {
  /** Whether the token wants a login at all. */
  readonly required: boolean
  /** Whether it was this one; another part of the process may have done so before. */
  readonly own: boolean
}

/**
 * Logs in to a token, and never twice with a PIN that it refused: tokens lock a PIN after a few wrong tries, three as a
 * rule. Nor does it take the last try that is left, as other processes may have the same wrong PIN.
 */
export class TokenLogin {
  readonly #module: Pkcs11Module
  readonly #pin: Pin | undefined
  /** Digests of PINs that were refused, under a key of this process, and why. */
  readonly #refused = new Map<string, string>()
  readonly #digestKey = randomBytes(32)

  constructor(module: Pkcs11Module, pin: Pin | undefined) {
    this.#module = module
    this.#pin = pin
  }

  /** @throws FieldsealError `KMS_DENIED`; what the PIN function throws, if that is an error of this library */
  async login(slot: Pkcs11Handle, session: Pkcs11Handle): Promise<LoggedIn> {
    const info = await this.#module.C_GetTokenInfo(slot)
    if ((info.flags & CKF_LOGIN_REQUIRED) === 0) return { required: false, own: false }
    const pin = await this.#readPin()
    const digest = createHmac('sha256', this.#digestKey).update(pin).digest('base64')
    const refused = this.#refused.get(digest)
    if (refused !== undefined) throw denied(`The token refused this PIN (${refused}), so it is not tried again`)
    expectTries(info)
    try {
      await this.#module.C_Login(session, CKU_USER, pin)
      return { required: true, own: true }
    } catch (error) {
      if (returned(error, 'CKR_USER_ALREADY_LOGGED_IN')) return { required: true, own: false }
      const { code, reason } = pkcs11FailureOf(error)
      if (code !== 'KMS_DENIED') throw error
      if (reason.startsWith('CKR_PIN_')) this.#refused.set(digest, reason)
      throw denied(`The token refuses the PIN: ${reason}`, reason)
    }
  }

  async #readPin(): Promise<string> {
    if (this.#pin === undefined) throw denied('The token wants a PIN, and the option "pin" is not given')
    if (typeof this.#pin === 'string') return this.#pin
    const pin = await Promise.resolve()
      .then(this.#pin)
      .catch((error: unknown) => {
        throw FieldsealError.is(error) ? error : denied('The "pin" function failed')
      })
    if (typeof pin === 'string' && pin !== '') return pin
    throw denied('The "pin" function gave no PIN')
  }
}

function expectTries({ flags }: Pkcs11TokenInfo): void {
  if ((flags & CKF_USER_PIN_LOCKED) !== 0)
    throw denied('The token has locked its PIN: its security officer must set a new one')
  if ((flags & CKF_USER_PIN_FINAL_TRY) === 0) return
  throw denied('The token was given wrong PINs, and one more would lock it, so none is tried: log in once by hand')
}

function denied(what: string, code?: string): FieldsealError {
  const message =
    `pkcs11Kms: ${what}. Give the right PIN in the option "pin" and start anew, or let "pin" be a function that answers it; ` +
    'try it with: pkcs11-tool --module MODULE --token-label TOKEN --login --list-objects.'
  return new FieldsealError('KMS_DENIED', message, code === undefined ? undefined : { cause: { code } })
}
