import { randomUUID } from 'node:crypto'
import { afterEach, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import type { DekIdentity } from '../../../src/keys/kms.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import type { Around } from './aroundModule.js'
import { onSoftHsm } from './onSoftHsm.js'
import { PIN } from './token.js'

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }
const [COUNT_LOW, FINAL_TRY, LOCKED] = [0x10000, 0x20000, 0x40000]

await onSoftHsm('the login to a token', ({ user, kmsOf }) => {
  // Who is logged in is the process.
  afterEach(() => user.closeAllSessions())

  /** A KEK, and nobody logged in. */
  const kek = () => {
    const keyId = user.createKek()
    user.closeAllSessions()
    return keyId
  }

  function logins(flags = 0): { readonly around: Around; readonly pins: unknown[] } {
    const pins: unknown[] = []
    const around: Around = (name, call, args) => {
      if (name === 'C_Login') pins.push(args[2])
      if (name !== 'C_GetTokenInfo') return call()
      const info = call() as { readonly flags: number }
      return { ...info, flags: info.flags | flags }
    }
    return { around, pins }
  }

  it('is tried once with a PIN that is refused, however many calls there are and however often', async () => {
    const { around, pins } = logins()
    const kms = kmsOf({ keyId: kek(), pin: 'wrong pin' }, around)
    const calls = Array.from({ length: 8 }, () => refusal(() => kms.generate(identity)))
    const errors = [...(await Promise.all(calls)), await refusal(() => kms.generate(identity))]
    for (const error of errors) {
      expect([error.code, error.message]).toEqual(['KMS_DENIED', expect.stringContaining('CKR_PIN_INCORRECT')])
      expect(error.message).not.toContain('wrong pin')
    }
    expect(pins).toEqual(['wrong pin'])
  })

  it('is tried with the next PIN that the function gives, and with none that was refused before', async () => {
    const { around, pins } = logins()
    const given = ['wrong pin', 'wrong pin', 'other wrong pin', 'wrong pin', PIN]
    const kms = kmsOf({ keyId: kek(), pin: async () => given.shift()! }, around)
    for (let i = 0; i < 4; i += 1) expect(await refusalCode(() => kms.generate(identity))).toBe('KMS_DENIED')
    await kms.generate(identity)
    expect(pins).toEqual(['wrong pin', 'other wrong pin', PIN])
  })

  it.each([
    ['the last try is left', FINAL_TRY, /one more would lock it/],
    ['the token has locked the PIN', LOCKED, /has locked its PIN/],
  ])('is not tried when %s', async (_, flag, message) => {
    const { around, pins } = logins(flag | COUNT_LOW)
    const error = await refusal(() => kmsOf({ keyId: kek() }, around).generate(identity))
    expect([error.code, error.message, pins]).toEqual(['KMS_DENIED', expect.stringMatching(message), []])
  })

  it('is tried when one wrong PIN was given, by whomever', async () => {
    const { around, pins } = logins(COUNT_LOW)
    await kmsOf({ keyId: kek() }, around).generate(identity)
    expect(pins).toEqual([PIN])
  })

  it('is left out where the token wants none', async () => {
    const { around, pins } = logins()
    const keyId = user.createKek(randomUUID(), { CKA_PRIVATE: false })
    user.closeAllSessions()
    const none: Around = (name, call, args) => {
      const info = around(name, call, args)
      return name === 'C_GetTokenInfo' ? { ...(info as object), flags: (info as { flags: number }).flags & ~0x4 } : info
    }
    const kms = kmsOf({ keyId, pin: undefined }, none)
    const { dek, ...wrapped } = await kms.generate(identity)
    expect([await kms.unwrap(wrapped, identity), pins]).toEqual([dek, []])
  })

  it.each<[what: string, pin: undefined | (() => string), code: string, message: RegExp]>([
    ['is not given', undefined, 'KMS_DENIED', /the option "pin" is not given/],
    ['function gives none', () => '', 'KMS_DENIED', /gave no PIN/],
    [
      'function fails',
      () => {
        throw new Error('vault: PIN is 1234')
      },
      'KMS_DENIED',
      /^pkcs11Kms: The "pin" function failed\./,
    ],
    [
      'function says that what it asks is down',
      () => {
        throw new FieldsealError('KMS_UNAVAILABLE', 'the secrets are down')
      },
      'KMS_UNAVAILABLE',
      /secrets are down/,
    ],
  ])('fails where the PIN %s', async (_, pin, code, message) => {
    const error = await refusal(() => kmsOf({ keyId: kek(), pin }).generate(identity))
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)])
    expect(error.message).not.toContain('1234')
  })

  it('that is refused after the PIN was changed is KMS_DENIED, and right again with the new one', async () => {
    const keyId = kek()
    let pin = PIN
    const kms = kmsOf({ keyId, pin: () => pin })
    const { dek, ...wrapped } = await kms.generate(identity)
    user.changePin('another pin')
    try {
      expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
      user.logOut()
      expect(await refusalCode(() => kms.unwrap(wrapped, identity))).toBe('KMS_DENIED')
      pin = 'another pin'
      expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    } finally {
      user.changePin(PIN)
    }
  })
})
