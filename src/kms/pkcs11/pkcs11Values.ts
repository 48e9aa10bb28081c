import { lengthPrefixed } from '../../crypto/bytes.js'
import { MOST_KMS_BYTES } from '../../crypto/direct.js'
import { valueContext } from '../../keys/encryptionContext.js'
import type { ValueIdentity, ValueKms } from '../../keys/kms.js'
import { ofTenant } from '../call/kekIds.js'
import type { InToken } from './inToken.js'
import type { TenantKeks } from './tenantKeks.js'
import { TextRefused } from './textRefused.js'
import type { TextForm, TokenText } from './tokenText.js'

interface ValueOptions {
  readonly keks: TenantKeks
  readonly text: TokenText
  readonly inToken: InToken
}

const LABEL = lengthPrefixed('fieldseal/1 pkcs11 value')
const FORMAT = 'fsp11v.'
const CHECK = /^fsp11v\.([0-9a-f]{16})\./

/**
 * Values that a KEK in the token encrypts itself: `fsp11v.` ‖ the KEK's check value ‖ `.` ‖ base64url(length of iv(1) ‖ iv ‖
 * AES-256-GCM(value) ‖ tag(16)), AAD = LP("fieldseal/1 pkcs11 value") ‖ LP(encryption context).
 */
export function pkcs11Values({ keks, text, inToken }: ValueOptions): Pick<ValueKms, 'encrypt' | 'decrypt'> {
  return {
    encrypt: async (plaintext, identity) => {
      const aad = aadOf(identity)
      const target = { action: 'C_Encrypt', subject: 'value', keyId: ofTenant(identity.tenant) } as const
      return inToken(target, keks.currentOf(identity.tenant), async (pooled, name) => {
        const kek = await keks.find(name, pooled)
        return (await text.seal(pooled, kek, formOf(kek.check, aad), plaintext)).wrapped
      })
    },
    decrypt: async (ciphertext, identity) => {
      const aad = aadOf(identity)
      const target = { action: 'C_Decrypt', subject: 'value', keyId: ofTenant(identity.tenant) } as const
      return inToken(target, keks.namesOf(identity.tenant), async (pooled, names) => {
        const check = CHECK.exec(ciphertext)?.[1]
        if (check === undefined) throw new TextRefused('not a text of pkcs11Kms')
        const kek = await keks.findOwn(check, `The value is under the KEK with the check value ${check}`, names, pooled)
        return text.open(pooled, kek, formOf(check, aad), ciphertext)
      })
    },
  }
}

function formOf(check: string, aad: Buffer): TextForm {
  return { prefix: `${FORMAT}${check}.`, aad, bytes: { least: 1, most: MOST_KMS_BYTES } }
}

function aadOf(identity: ValueIdentity): Buffer {
  return Buffer.concat([LABEL, lengthPrefixed(valueContext(identity))])
}
