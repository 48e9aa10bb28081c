import { lengthPrefixed } from '../../crypto/bytes.js'
import { DEK_BYTES } from '../../crypto/keys.js'
import { quoted } from '../../errors.js'
import { encryptionContext } from '../../keys/encryptionContext.js'
import type { DekIdentity, Rewraps, TakesOver, ValueKms, WrappedDek } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import { callsOf, type Target } from '../call/kmsCall.js'
import { madeHere } from '../call/madeHere.js'
import { slowOf } from '../call/retryPolicy.js'
import { inTokenOf } from './inToken.js'
import { checkOf } from './kekId.js'
import { advice, classify } from './pkcs11Errors.js'
import { checkedOptions, type Pkcs11KmsOptions } from './pkcs11Options.js'
import { pkcs11Values } from './pkcs11Values.js'
import { SessionPool } from './sessionPool.js'
import { TenantKeks } from './tenantKeks.js'
import { TokenLogin } from './tokenLogin.js'
import { type TextForm, TokenText } from './tokenText.js'

export type { FormerKeyIdsOf, KeyIdOf } from '../call/kekIds.js'
export type { IvSource } from './gcm.js'
export type {
  Awaitable,
  Pkcs11Attribute,
  Pkcs11Handle,
  Pkcs11Mechanism,
  Pkcs11Module,
  Pkcs11TokenInfo,
} from './pkcs11Module.js'
export type { Pkcs11KmsOptions } from './pkcs11Options.js'
export type { Pin } from './tokenLogin.js'

/** A `Kms` that holds sessions with a token. */
export type Pkcs11Kms = ValueKms &
  TakesOver &
  Rewraps & {
    /** Waits for calls under way, logs out and closes the sessions; C_Finalize is left to you. Later calls fail. */
    close(): Promise<void>
  }

const PREFIX = 'fsp11.'
const LABEL = lengthPrefixed('fieldseal/1 pkcs11')

/**
 * DEKs wrapped by an AES key that never leaves a token, by PKCS#11 2.40: a network HSM, a card, or SoftHSM for tests. You load
 * the vendor's module with pkcs11js and hand that over; `pkcs11Kms` logs in at its first use. A wrapped DEK is
 * `fsp11.` ‖ base64url(length of iv(1) ‖ iv ‖ AES-256-GCM(DEK) ‖ tag(16)), AAD = LP("fieldseal/1 pkcs11") ‖ LP(encryption
 * context).
 *
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. Its methods throw `KMS_UNAVAILABLE`, `KMS_DENIED`,
 * `KMS_KEY_UNUSABLE`, `KMS_REFUSED` and `TENANT_INVALID`; the `cause` holds the `code` that the module returned (`CKR_…`), as
 * far as there is one.
 * @example
 * ```ts
 * import { PKCS11 } from 'pkcs11js'
 * import { pkcs11Kms } from 'fieldseal/pkcs11'
 *
 * const pkcs11 = new PKCS11()
 * pkcs11.load('/usr/lib/softhsm/libsofthsm2.so')
 * const keys = pkcs11Kms({ pkcs11, token: 'app', pin: process.env.TOKEN_PIN ?? '', keyId: 'fieldseal:1' })
 * ```
 */
export function pkcs11Kms(options: Pkcs11KmsOptions): Pkcs11Kms {
  const { module, place, pin, kekIds, iv, imported, reinitialize, limits, service } = checkedOptions(options)
  const login = new TokenLogin(module, pin)
  const pool = new SessionPool({ module, place, login, size: limits.concurrency, slow: slowOf(limits), reinitialize })
  const keks = new TenantKeks({ module, kekIds, iv, imported })
  const text = new TokenText({ module, iv })
  const { several } = kekIds
  const call = callsOf({ service, concurrencyOption: 'sessions', limits, several, classify, advice })
  const inToken = inTokenOf({ call, pool, several })
  return {
    name: 'pkcs11',
    concurrency: limits.concurrency,
    ...pkcs11Values({ keks, text, inToken }),
    generate: async (identity) => {
      const form = formOf(identity)
      return inToken(encrypting(identity), keks.currentOf(identity.tenant), async (pooled, name) => {
        const kek = await keks.find(name, pooled)
        return madeHere((dek) => text.seal(pooled, kek, form, dek))
      })
    },
    unwrap: async ({ wrapped, kekId }, identity) => {
      const form = formOf(identity)
      const own = ownKek({ wrapped, kekId }, identity)
      return inToken(decrypting(kekId), keks.namesOf(identity.tenant), async (pooled, names) =>
        text.open(pooled, await keks.findOwn(...own, names, pooled), form, wrapped),
      )
    },
    wrap: async (dek, identity) => {
      const form = formOf(identity)
      return inToken(encrypting(identity), keks.currentOf(identity.tenant), async (pooled, name) =>
        text.seal(pooled, await keks.find(name, pooled), form, dek),
      )
    },
    rewrap: async ({ wrapped, kekId }, identity) => {
      const form = formOf(identity)
      const own = ownKek({ wrapped, kekId }, identity)
      return inToken(decrypting(kekId), keks.namesOf(identity.tenant), async (pooled, names) => {
        const from = await keks.findOwn(...own, names, pooled)
        const to = await keks.find(names[0]!, pooled)
        const dek = await text.open(pooled, from, form, wrapped)
        try {
          return from.check === to.check ? { wrapped, kekId } : await text.seal(pooled, to, form, dek)
        } finally {
          dek.fill(0)
        }
      })
    },
    close: () => pool.close(limits.timeout),
  }
}

function formOf(identity: DekIdentity): TextForm {
  const aad = Buffer.concat([LABEL, lengthPrefixed(encryptionContext(identity))])
  return { prefix: PREFIX, aad, bytes: { least: DEK_BYTES, most: DEK_BYTES } }
}

/** The check value of the KEK that a row names, and how messages say so. */
function ownKek({ kekId }: WrappedDek, { key }: DekIdentity): [check: string | null, what: string] {
  return [checkOf(kekId), `The DEK ${quoted(key)} is under the KEK ${quoted(kekId)}`]
}

function encrypting({ tenant }: DekIdentity): Target {
  return { action: 'C_Encrypt', keyId: ofTenant(tenant) }
}

function decrypting(kekId: string): Target {
  return { action: 'C_Decrypt', keyId: quoted(kekId) }
}
