import { randomUUID } from 'node:crypto'
import type { Pkcs11Attribute, Pkcs11Handle } from '../../../src/kms/pkcs11/pkcs11Module.js'
import type { SoftHsm } from './softhsm.js'

export const TOKEN = 'fieldseal test'
export const PIN = 'pin-1234-secret'

/** A user of the token of a test file, to make keys and break them. Logs in anew each time: others log out. */
export class TokenUser {
  readonly #softHsm: SoftHsm
  pin = PIN

  constructor(softHsm: SoftHsm) {
    this.#softHsm = softHsm
  }

  /** Makes an AES key of 32 bytes that never leaves the token, unless the attributes say otherwise. */
  createKek(
    label: string = randomUUID(),
    attributes: { readonly [name: string]: Pkcs11Attribute['value'] } = {},
  ): string {
    const template = this.#template({ CKA_LABEL: label, ...attributes })
    this.#inSession((session) => {
      const { CKM_AES_KEY_GEN: mechanism } = this.#softHsm.constants
      this.#softHsm.module.C_GenerateKey(session, { mechanism, parameter: null }, template)
    })
    return label
  }

  /** Puts a key into the token that was made elsewhere. */
  importKek(label: string, value: Buffer): void {
    const { CKA_VALUE_LEN: _, ...rest } = KEK
    const template = this.#attributes({ ...rest, CKA_LABEL: label, CKA_VALUE: value })
    this.#inSession((session) => this.#softHsm.module.C_CreateObject(session, template))
  }

  destroy(label: string): void {
    this.#each(label, (session, key) => this.#softHsm.module.C_DestroyObject(session, key))
  }

  /** Whether the key may encrypt and decrypt. */
  allow(label: string, allowed: boolean): void {
    const template = this.#attributes({ CKA_ENCRYPT: allowed, CKA_DECRYPT: allowed })
    this.#each(label, (session, key) => this.#softHsm.module.C_SetAttributeValue(session, key, template))
  }

  rename(label: string, next: string): void {
    const template = this.#attributes({ CKA_LABEL: next })
    this.#each(label, (session, key) => this.#softHsm.module.C_SetAttributeValue(session, key, template))
  }

  changePin(next: string): void {
    this.#inSession((session) => this.#softHsm.module.C_SetPIN(session, this.pin, next))
    this.pin = next
  }

  /** Logs the process out: every session of it. */
  logOut(): void {
    this.#inSession((session) => this.#softHsm.module.C_Logout(session))
  }

  closeAllSessions(): void {
    this.#softHsm.module.C_CloseAllSessions(this.#softHsm.slotOf(TOKEN))
  }

  #each(label: string, work: (session: Pkcs11Handle, key: Pkcs11Handle) => void): void {
    const { module } = this.#softHsm
    this.#inSession((session) => {
      module.C_FindObjectsInit(session, this.#attributes({ CKA_LABEL: label }))
      const found = module.C_FindObjects(session, 100)
      module.C_FindObjectsFinal(session)
      for (const key of found) work(session, key)
    })
  }

  #inSession(work: (session: Pkcs11Handle) => void): void {
    const { module, constants } = this.#softHsm
    const session = module.C_OpenSession(
      this.#softHsm.slotOf(TOKEN),
      constants.CKF_SERIAL_SESSION! | constants.CKF_RW_SESSION!,
    )
    try {
      this.#logIn(session)
      work(session)
    } finally {
      module.C_CloseSession(session)
    }
  }

  #logIn(session: Pkcs11Handle): void {
    try {
      this.#softHsm.module.C_Login(session, this.#softHsm.constants.CKU_USER!, this.pin)
    } catch (error) {
      if ((error as Error).message !== 'CKR_USER_ALREADY_LOGGED_IN') throw error
    }
  }

  #template(attributes: { readonly [name: string]: Pkcs11Attribute['value'] }): Pkcs11Attribute[] {
    return this.#attributes({ ...KEK, ...attributes })
  }

  #attributes(named: { readonly [name: string]: Pkcs11Attribute['value'] }): Pkcs11Attribute[] {
    const { constants } = this.#softHsm
    return Object.entries(named).map(([name, value]) => ({ type: constants[name]!, value: value! }))
  }
}

/** CKO_SECRET_KEY and CKK_AES are 4 and 31. */
const KEK: { readonly [name: string]: Pkcs11Attribute['value'] } = {
  CKA_CLASS: 4,
  CKA_KEY_TYPE: 31,
  CKA_VALUE_LEN: 32,
  CKA_TOKEN: true,
  CKA_PRIVATE: true,
  CKA_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_ENCRYPT: true,
  CKA_DECRYPT: true,
}
