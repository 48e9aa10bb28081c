import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { DekIdentity } from '../../../src/keys/kms.js'
import { pkcs11FailureOf } from '../../../src/kms/pkcs11/returnCodes.js'
import { refusal } from '../../support/refusal.js'
import { type Around, aadOf, pkcs11Error } from './aroundModule.js'
import { onSoftHsm } from './onSoftHsm.js'

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }
const GENERAL_ERROR = pkcs11Error('CKR_GENERAL_ERROR', 0x5)

type Mechanism = { parameter?: { iv: Buffer; ivBits: number; aad: Buffer } }
const ivOf = (args: readonly unknown[]) => (args[1] as Mechanism).parameter?.iv

/** As CloudHSM: writes an iv of its own where it was given zeros. */
const returning: Around = (name, call, args) => {
  const iv = name === 'C_EncryptInit' ? ivOf(args) : undefined
  if (iv && !iv.equals(Buffer.alloc(12))) throw pkcs11Error('CKR_MECHANISM_PARAM_INVALID', 0x71)
  if (iv) randomBytes(12).copy(iv)
  return call()
}

/** As Luna in FIPS mode: takes an iv of its own, of 16 bytes, and appends it. */
function appending(): Around {
  const own = new Map<string, Buffer>()
  return (name, call, args) => {
    const session = Buffer.isBuffer(args[0]) ? args[0].toString('hex') : ''
    const parameter = name === 'C_EncryptInit' ? (args[1] as Mechanism).parameter : undefined
    if (name === 'C_EncryptInit') own.delete(session)
    if (parameter) {
      own.set(session, randomBytes(16))
      Object.assign(parameter, { iv: own.get(session)!, ivBits: 128 })
    }
    const iv = name === 'C_EncryptAsync' ? own.get(session) : undefined
    return iv ? (call() as Promise<Buffer>).then((made) => Buffer.concat([made, iv])) : call()
  }
}

await onSoftHsm('tokens of other kinds', ({ softHsm, user, kmsOf }) => {
  it.each([
    ['returns', () => returning, 12],
    ['appends', appending, 16],
  ])('one that makes the iv itself and %s it is used so, and opened by any other', async (_, make, length) => {
    const keyId = user.createKek()
    const kms = kmsOf({ keyId, iv: 'token' }, make())
    const made = await Promise.all(Array.from({ length: 5 }, () => kms.generate(identity)))
    const ivs = made.map(({ wrapped }) => {
      const body = Buffer.from(wrapped.slice('fsp11.'.length), 'base64url')
      expect(body[0]).toBe(length)
      return body.toString('hex', 1, 1 + length)
    })
    expect(new Set(ivs).size).toBe(5)
    for (const { dek, ...wrapped } of made) expect(await kmsOf({ keyId }).unwrap(wrapped, identity)).toEqual(dek)
    const value = await kms.encrypt(Buffer.from('value'), { aad: 'a', field: 'User.note', tenant: 'acme' })
    expect((await kmsOf({ keyId }).decrypt(value, { aad: 'a', field: 'User.note', tenant: 'acme' })).toString()).toBe(
      'value',
    )
  })

  it('one that makes the iv itself is refused without the option, and one that does not with it', async () => {
    const appended = await refusal(() => kmsOf({}, appending()).generate(identity))
    expect([appended.code, appended.message]).toEqual(['KMS_REFUSED', expect.stringContaining('iv: "token"')])
    const zeros = await refusal(() => kmsOf({ iv: 'token' }).generate(identity))
    expect([zeros.code, zeros.message]).toEqual(['KMS_REFUSED', expect.stringContaining('leave out the option iv')])
  })

  it('one that ignores the AAD is refused', async () => {
    const ignoring: Around = (_, call, args) => {
      if (aadOf(args)) Object.assign((args[1] as Mechanism).parameter!, { aad: Buffer.from('always the same') })
      return call()
    }
    const error = await refusal(() => kmsOf({}, ignoring).generate(identity))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('ignores the AAD')])
  })

  it('one that is broken is KMS_UNAVAILABLE, though it says the same of a text that was changed', async () => {
    let broken = false
    const around: Around = (name, call) => {
      if (!broken || name !== 'C_DecryptAsync') return call()
      return (call() as Promise<unknown>).then(() => Promise.reject(GENERAL_ERROR))
    }
    const kms = kmsOf({ maxRetries: 1 }, around)
    const { dek, ...wrapped } = await kms.generate(identity)
    const changed = { ...wrapped, wrapped: wrapped.wrapped.replace(/.{5}$/, 'AAAAA') }
    const refused = await refusal(() => kms.unwrap(changed, identity))
    expect([refused.code, refused.cause]).toEqual(['KMS_REFUSED', { code: 'CKR_GENERAL_ERROR' }])
    broken = true
    const error = await refusal(() => kms.unwrap(wrapped, identity))
    expect([error.code, error.message]).toEqual(['KMS_UNAVAILABLE', expect.stringContaining('after 2 attempts')])
    broken = false
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })

  it('one that fails once and opens the known text is asked again before a text is refused', async () => {
    let failing = 0
    const kms = kmsOf({ maxRetries: 0 }, (name, call) => {
      if (name === 'C_DecryptAsync' && failing > 0) {
        failing -= 1
        return (call() as Promise<unknown>).then(() => Promise.reject(GENERAL_ERROR))
      }
      return call()
    })
    const { dek, ...wrapped } = await kms.generate(identity)
    failing = 1
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })

  it.each<[name: string, code: number, ours: string, attempts: number]>([
    ['CKR_ENCRYPTED_DATA_INVALID', 0x40, 'KMS_REFUSED', 1],
    ['CKR_AEAD_DECRYPT_FAILED', 0x42, 'KMS_REFUSED', 1],
    ['CKR_KEY_FUNCTION_NOT_PERMITTED', 0x68, 'KMS_KEY_UNUSABLE', 1],
    ['CKR_ACTION_PROHIBITED', 0x1b, 'KMS_DENIED', 1],
    ['CKR_USER_NOT_LOGGED_IN', 0x101, 'KMS_DENIED', 1],
    ['CKR_SESSION_HANDLE_INVALID', 0xb3, 'KMS_UNAVAILABLE', 3],
    ['CKR_KEY_HANDLE_INVALID', 0x60, 'KMS_KEY_UNUSABLE', 1],
    ['CKR_DEVICE_ERROR', 0x30, 'KMS_UNAVAILABLE', 3],
    ['CKR_TOKEN_NOT_PRESENT', 0xe0, 'KMS_UNAVAILABLE', 3],
    ['CKR_HOST_MEMORY', 0x2, 'KMS_UNAVAILABLE', 3],
    ['CKR_VENDOR_DEFINED 0x80000123', 0x80000123, 'KMS_UNAVAILABLE', 3],
  ])('one that always answers %s to C_Decrypt is that, named in the error', async (name, code, ours, attempts) => {
    let failing = false
    let asked = 0
    const kms = kmsOf({ maxRetries: 2 }, (method, call, args) => {
      const own = method === 'C_DecryptInit' && aadOf(args)?.includes('"acme"')
      if (own) asked += 1
      if (!failing || method !== 'C_DecryptAsync') return call()
      return (call() as Promise<unknown>).then(() => Promise.reject(pkcs11Error('a message that stays behind', code)))
    })
    const { dek: _, ...wrapped } = await kms.generate(identity)
    failing = true
    const error = await refusal(() => kms.unwrap(wrapped, identity))
    expect([error.code, error.cause]).toEqual([ours, { code: name }])
    expect(error.message).toMatch(new RegExp(`: ${name} after ${attempts} attempts?\\. \\w`))
    expect(asked).toBeGreaterThan(0)
  })

  it('have return values of which pkcs11js knows none that is not in the table', () => {
    const others = /WRAPP|RANDOM_SEED|DOMAIN|STATE|PUBLIC_KEY|CKR_OK$|NO_EVENT|VENDOR|CURVE/
    const names = Object.keys(softHsm.constants).filter((name) => name.startsWith('CKR_') && !others.test(name))
    expect(names.length).toBeGreaterThan(70)
    for (const name of names) expect(pkcs11FailureOf({ code: softHsm.constants[name] }).reason).toBe(name)
  })
})

describe('an error of the module', () => {
  it.each([undefined, null, 'text', new TypeError('no buffer'), { code: 0 }, { code: 'ENOENT' }])(
    'without a return value (%p) is KMS_UNAVAILABLE, and shows nothing',
    (error) => {
      expect(pkcs11FailureOf(error)).toMatchObject({ code: 'KMS_UNAVAILABLE', details: {}, meaning: 'session' })
    },
  )
})
