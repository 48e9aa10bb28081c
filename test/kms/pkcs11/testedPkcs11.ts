import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Pkcs11Kms, pkcs11Kms } from 'fieldseal/pkcs11'
import type { KmsSetting, TestedKms } from 'fieldseal/testing'
import { lengthPrefixed } from '../../../src/crypto/bytes.js'
import { type Around, aadOf, aroundModule, pkcs11Error } from './aroundModule.js'
import type { SoftHsm } from './softhsm.js'
import { PIN, TOKEN, type TokenUser } from './token.js'

/** What is known by its AAD to be a DEK or a value, not a key that is tried. */
const SUBJECTS = ['fieldseal/1 pkcs11', 'fieldseal/1 pkcs11 value'].map(lengthPrefixed)

const OTHER_PIN = 'pin-5678-secret'

/** SoftHSM as the counterpart of the contract: real keys, PINs and tokens, and a module around which some calls fail. */
export function testedPkcs11(softHsm: SoftHsm, user: TokenUser): TestedKms {
  return {
    name: 'pkcs11Kms',
    // A token has no limit for requests, no versions of a key, no deletion that is scheduled, no answers of JSON.
    lacks: ['throttle', 'rotate', 'scheduleDeletion', 'alter'],
    start: () => {
      const keyIds = [user.createKek(`own ${randomUUID()}`), user.createKek(`other ${randomUUID()}`)] as const
      const trouble = new Trouble()
      const module = aroundModule(softHsm.module, trouble.around)
      const made: Pkcs11Kms[] = []
      let knownPin = PIN
      return {
        keyIds,
        kmsOf: ({ concurrency, ...setting }: KmsSetting = {}) => {
          const options = { pkcs11: module, token: TOKEN, pin: () => knownPin, reinitialize: true }
          const kms = pkcs11Kms({ ...options, keyId: keyIds[0], sessions: concurrency, ...setting })
          made.push(kms)
          return kms
        },
        secrets: [PIN, OTHER_PIN],
        disable: (keyId) => user.allow(keyId, false),
        enable: (keyId) => user.allow(keyId, true),
        destroy: (keyId) => user.destroy(keyId),
        outage: () => softHsm.takeAway(),
        slow: (milliseconds) => trouble.delay(milliseconds),
        hangUp: () => trouble.failWith('CKR_DEVICE_REMOVED', 0x32),
        truncate: () => trouble.truncate(),
        deny: () => trouble.failWith('CKR_ACTION_PROHIBITED', 0x1b),
        expireCredentials: () => {
          user.changePin(OTHER_PIN)
          user.logOut()
        },
        calls: () => trouble.calls,
        clear: () => {
          trouble.end()
          softHsm.bringBack()
          knownPin = user.pin
        },
        close: async () => {
          trouble.end()
          softHsm.bringBack()
          await Promise.all(made.map((kms) => kms.close()))
          softHsm.finalize()
          softHsm.initialize()
          for (const keyId of keyIds) user.destroy(keyId)
          if (user.pin !== PIN) user.changePin(PIN)
        },
      }
    },
  }
}

/** What happens to calls of the token. */
class Trouble {
  #delay: { readonly milliseconds: number; readonly over: AbortController } | undefined
  #error: (() => Error) | undefined
  #truncated = false
  #inFlight = 0
  readonly #calls = { count: 0, maxInFlight: 0 }

  get calls() {
    return { ...this.#calls }
  }

  delay(milliseconds: number): void {
    this.#delay = { milliseconds, over: new AbortController() }
  }

  failWith(name: string, code: number): void {
    this.#error = () => pkcs11Error(name, code)
  }

  truncate(): void {
    this.#truncated = true
  }

  end(): void {
    this.#delay?.over.abort()
    this.#delay = undefined
    this.#error = undefined
    this.#truncated = false
  }

  readonly around: Around = (name, call, args) => {
    if (name === 'C_EncryptInit' || name === 'C_DecryptInit') this.#count(aadOf(args))
    return name === 'C_EncryptAsync' || name === 'C_DecryptAsync' ? this.#answer(call as () => Promise<Buffer>) : call()
  }

  #count(aad: Buffer | undefined): void {
    if (aad && SUBJECTS.some((subject) => aad.subarray(0, subject.length).equals(subject))) this.#calls.count += 1
  }

  async #answer(call: () => Promise<Buffer>): Promise<Buffer> {
    this.#inFlight += 1
    this.#calls.maxInFlight = Math.max(this.#calls.maxInFlight, this.#inFlight)
    try {
      const error = this.#error?.()
      const { milliseconds, over } = this.#delay ?? {}
      const answer = await call()
      if (milliseconds !== undefined)
        await sleep(milliseconds, undefined, { signal: over!.signal }).catch(() => undefined)
      if (error) throw error
      return this.#truncated ? answer.subarray(0, answer.length / 2) : answer
    } finally {
      this.#inFlight -= 1
    }
  }
}
