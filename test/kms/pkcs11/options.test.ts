import { describe, expect, it } from '@jest/globals'
import { type Pkcs11KmsOptions, type Pkcs11Module, pkcs11Kms } from 'fieldseal/pkcs11'
import { checkOf, kekIdOf } from '../../../src/kms/pkcs11/kekId.js'
import { parseKeyName } from '../../../src/kms/pkcs11/keyName.js'
import { METHODS } from '../../../src/kms/pkcs11/pkcs11Module.js'
import { readWrapped, writeWrapped } from '../../../src/kms/pkcs11/wrappedText.js'
import { fail } from '../../support/fail.js'

const pkcs11 = Object.fromEntries(
  METHODS.map((name) => [name, () => fail(`${name} was called`)]),
) as never as Pkcs11Module
const right: Pkcs11KmsOptions = { pkcs11, token: 'app', pin: '1234', keyId: 'kek' }

describe('pkcs11Kms, options', () => {
  it('are taken without any call of the module', () => {
    expect(pkcs11Kms(right)).toMatchObject({ name: 'pkcs11', concurrency: 4 })
    expect(pkcs11Kms({ ...right, token: undefined, slot: 0, pin: undefined, sessions: 9 }).concurrency).toBe(9)
    expect(pkcs11Kms({ ...right, keyId: () => 'pkcs11:id=%01', formerKeyIds: ['fieldseal:1', 'my key'] }).name).toBe(
      'pkcs11',
    )
  })

  it.each<[option: string, wrong: { readonly [name: string]: unknown }]>([
    ['pkcs11', { pkcs11: undefined }],
    ['pkcs11', { pkcs11: { ...pkcs11, C_DecryptAsync: undefined } }],
    ['pkcs11', { reinitialize: true } /* without C_Finalize */],
    ['token', { token: undefined }],
    ['token', { slot: 1 }],
    ['token', { token: '' }],
    ['token', { token: 'app    ' }],
    ['slot', { token: undefined, slot: -1 }],
    ['slot', { token: undefined, slot: '1' }],
    ['pin', { pin: '' }],
    ['pin', { pin: 1234 }],
    ['keyId', { keyId: '' }],
    ['keyId', { keyId: undefined }],
    ['keyId', { keyId: 'pkcs11:' }],
    ['keyId', { keyId: 'pkcs11:token=app;object=kek' }],
    ['formerKeyIds', { formerKeyIds: 'kek' }],
    ['formerKeyIds', { formerKeyIds: ['pkcs11:id=%0'] }],
    ['sessions', { sessions: 0 }],
    ['iv', { iv: 'mine' }],
    ['allowImported', { allowImported: 'yes' }],
    ['reinitialize', { reinitialize: 1 }],
    ['timeout', { timeout: 0 }],
    ['attemptTimeout', { attemptTimeout: 5_000, timeout: 4_000 }],
    ['concurrency', { concurrency: 4 }],
    ['keyid', { keyid: 'kek' }],
  ])('refuses a bad "%s" when they are given', (option, wrong) => {
    expect(() => pkcs11Kms({ ...right, ...wrong } as never)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining(`"${option}"`) }),
    )
  })
})

describe('the name of a KEK', () => {
  it.each([
    ['fieldseal:1', 'fieldseal:1', undefined],
    ['my key', 'my key', undefined],
    ['pkcs11:object=my%20key', 'my key', undefined],
    ['pkcs11:id=%01%a0', undefined, '01a0'],
    ['pkcs11:id=A%01;object=k%C3%A9k;type=secret-key', 'kék', '4101'],
  ])('%s is read', (name, label, id) => {
    const parsed = parseKeyName(name)
    expect([parsed?.label, parsed?.id?.toString('hex')]).toEqual([label, id])
  })

  it.each([
    '',
    'pkcs11:',
    'pkcs11:object=',
    'pkcs11:type=secret-key',
    'pkcs11:object=a;type=private',
    'pkcs11:object=a;object=b',
    'pkcs11:object=a?pin-value=1',
    'pkcs11:object=a;serial=1',
    'pkcs11:id=%1',
    'pkcs11:object=a=b',
    'x'.repeat(257),
  ])('%j is none', (name) => expect(parseKeyName(name)).toBeNull())
})

describe('the id of a KEK', () => {
  it.each(['kek', 'my key', 'ключ', '', '#', '🔑'.repeat(100), '\ud800', 'a#0123456789abcdef'])(
    'of the label %j is one text without blanks, which holds the check value',
    (label) => {
      const kekId = kekIdOf(label, '0123456789abcdef')
      expect(kekId).toMatch(/^\S{1,256}$/)
      expect(checkOf(kekId)).toBe('0123456789abcdef')
    },
  )

  it.each(['', 'kek', 'kek#0123', 'kek#0123456789ABCDEF', '#0123456789abcdef', 'kek#0123456789abcdef '])(
    'is not %j',
    (text) => expect(checkOf(text)).toBeNull(),
  )
})

describe('a wrapped text', () => {
  const message = { iv: Buffer.alloc(12, 1), sealed: Buffer.alloc(48, 2) }

  it.each([12, 16])('comes back with its iv of %i bytes', (length) => {
    const given = { ...message, iv: Buffer.alloc(length, 3) }
    expect(readWrapped('fsp11.', writeWrapped('fsp11.', given))).toEqual(given)
  })

  it('is refused with another prefix, another length of iv, without a tag, or as another text of the same bytes', () => {
    const text = writeWrapped('fsp11.', message)
    const iv = Buffer.alloc(13)
    for (const wrong of [
      `x${text}`,
      text.slice(1),
      writeWrapped('fsp11.', { ...message, iv }),
      writeWrapped('fsp11.', { ...message, sealed: Buffer.alloc(16) }),
      `${text}=`,
      'fsp11.',
    ])
      expect(readWrapped('fsp11.', wrong)).toBeNull()
  })
})
