import type { Kek } from './kek.js'
import {
  CKF_RW_SESSION,
  CKF_SERIAL_SESSION,
  CKS_RO_USER_FUNCTIONS,
  CKS_RW_USER_FUNCTIONS,
  type Pkcs11Handle,
  type Pkcs11Module,
} from './pkcs11Module.js'
import { fail, returned } from './returnCodes.js'
import type { LoggedIn, TokenLogin } from './tokenLogin.js'
import { findSlot, initialize, type TokenPlace } from './tokenSlot.js'

/** What is connected to. */
export interface ConnectionOptions {
  readonly module: Pkcs11Module
  readonly place: TokenPlace
  readonly login: TokenLogin
}

/** One stretch of being logged in to a token: sessions, and handles of objects, are good for as long as it lasts. */
export class Connection {
  readonly #module: Pkcs11Module
  readonly #slot: Pkcs11Handle
  readonly #flags: number
  readonly login: LoggedIn
  /** Sessions that nobody uses. */
  readonly idle: Pkcs11Handle[]
  /** By their names in the options. */
  readonly keks = new Map<string, Promise<Kek>>()
  /** Whether what it opened is gone. */
  lost = false
  /** Whether the module was finalized: numbers of sessions may be others' by now, so that none must be closed. */
  finalized = false

  private constructor(module: Pkcs11Module, slot: Pkcs11Handle, first: FirstSession, login: LoggedIn) {
    this.#module = module
    this.#slot = slot
    this.#flags = first.flags
    this.login = login
    this.idle = [first.session]
  }

  /** @throws FieldsealError `KMS_DENIED`; what the module returns */
  static async open({ module, place, login }: ConnectionOptions): Promise<Connection> {
    await initialize(module)
    const slot = await findSlot(module, place)
    const first = await openFirst(module, slot)
    try {
      const loggedIn = (await isUser(module, first.session)) ? BEFORE : await login.login(slot, first.session)
      return new Connection(module, slot, first, loggedIn)
    } catch (error) {
      await closeQuietly(module, first.session)
      throw error
    }
  }

  async session(): Promise<Pkcs11Handle> {
    return this.idle.pop() ?? (await this.#module.C_OpenSession(this.#slot, this.#flags))
  }

  /**
   * Objects of a token that is gone, or of a user who is logged out, are not found, without any error: this tells it.
   *
   * @throws what the module would return
   */
  async expectAlive(session: Pkcs11Handle): Promise<void> {
    if (this.login.required && !(await isUser(this.#module, session))) fail('CKR_USER_NOT_LOGGED_IN')
    try {
      await this.#module.C_GetTokenInfo(this.#slot)
    } catch {
      fail('CKR_TOKEN_NOT_PRESENT')
    }
  }

  async close(session: Pkcs11Handle): Promise<void> {
    if (!this.finalized) await closeQuietly(this.#module, session)
  }

  /** Closes the sessions that nobody uses. */
  async closeIdle(): Promise<void> {
    for (const session of this.idle.splice(0)) await this.close(session)
  }

  /** Logs out, if it was this that logged in. */
  async logOut(): Promise<void> {
    const [session] = this.idle
    if (session && this.login.own && !this.finalized) await quietly(() => this.#module.C_Logout(session))
  }
}

interface FirstSession {
  readonly session: Pkcs11Handle
  readonly flags: number
}

/** Nobody knows whether a login was needed: it is taken for one, so that its end is noticed. */
const BEFORE: LoggedIn = { required: true, own: false }

/** Reading is enough; but some modules (CloudHSM's) have sessions for reading and writing only. */
async function openFirst(module: Pkcs11Module, slot: Pkcs11Handle): Promise<FirstSession> {
  try {
    return { session: await module.C_OpenSession(slot, CKF_SERIAL_SESSION), flags: CKF_SERIAL_SESSION }
  } catch (error) {
    if (!returned(error, 'CKR_FUNCTION_FAILED')) throw error
    const flags = CKF_SERIAL_SESSION | CKF_RW_SESSION
    return { session: await module.C_OpenSession(slot, flags), flags }
  }
}

async function isUser(module: Pkcs11Module, session: Pkcs11Handle): Promise<boolean> {
  const { state } = await module.C_GetSessionInfo(session)
  return state === CKS_RO_USER_FUNCTIONS || state === CKS_RW_USER_FUNCTIONS
}

async function closeQuietly(module: Pkcs11Module, session: Pkcs11Handle): Promise<void> {
  await quietly(() => module.C_CloseSession(session))
}

/** What is left behind may be gone already. */
async function quietly(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch {
    return
  }
}
