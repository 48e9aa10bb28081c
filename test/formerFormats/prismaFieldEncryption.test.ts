import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type FormerHashOptions, prismaFieldEncryption } from 'fieldseal/former-formats'
import { hashString } from 'prisma-field-encryption/dist/hash.js'
import { cloakKey, storedByPrismaFieldEncryption } from '../support/formerLibraries.js'
import { refusal } from '../support/refusal.js'
import { failureOf } from './failureOf.js'

const KEY = cloakKey()
const OLDER = cloakKey()
const TEXTS = ['Ada', '', 'Ünïcödé 日本 😀', 'v1.aesgcm256.', 'x'.repeat(100_000), 'tab\tand\u0007bell']

afterEach(() => {
  delete process.env.PRISMA_FIELD_ENCRYPTION_KEY
  delete process.env.PRISMA_FIELD_DECRYPTION_KEYS
})

describe('what prisma-field-encryption has stored', () => {
  it.each(TEXTS)('is read: %#', (text) => {
    const format = prismaFieldEncryption({ encryptionKey: KEY, decryptionKeys: [OLDER] })
    for (const key of [KEY, OLDER]) {
      const stored = storedByPrismaFieldEncryption(text, key)
      expect(stored.startsWith(format.prefix!)).toBe(true)
      expect(Buffer.from(format.decrypt(stored)).toString()).toBe(text)
    }
  })

  it('is read under the keys in the variables that the library reads', () => {
    process.env.PRISMA_FIELD_ENCRYPTION_KEY = KEY
    process.env.PRISMA_FIELD_DECRYPTION_KEYS = `${OLDER},`
    const format = prismaFieldEncryption()
    for (const key of [KEY, OLDER])
      expect(Buffer.from(format.decrypt(storedByPrismaFieldEncryption('Ada', key))).toString()).toBe('Ada')
  })

  it('under a key that is not given is an error that says which, and which option to set', () => {
    const stored = storedByPrismaFieldEncryption('Ada', OLDER)
    const { code, message } = failureOf(() => prismaFieldEncryption({ encryptionKey: KEY }).decrypt(stored))
    expect(code).toBe('KEY_NOT_FOUND')
    expect(message).toContain(createHash('sha256').update(OLDER).digest('hex').slice(0, 8))
    expect(message).toContain('"decryptionKeys"')
  })

  it('and was changed anywhere, or cut, is an error', () => {
    const format = prismaFieldEncryption({ encryptionKey: KEY })
    const [v, a, f, nonce, sealed] = storedByPrismaFieldEncryption('Ada Lovelace', KEY).split('.')
    const other = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`)
    const codeOf = (parts: unknown[]) => failureOf(() => format.decrypt(parts.join('.'))).code
    expect(codeOf([v, a, f, other(nonce!), sealed])).toBe('DECRYPTION_FAILED')
    expect(codeOf([v, a, f, nonce, other(sealed!)])).toBe('DECRYPTION_FAILED')
    expect(codeOf([v, a, f, nonce, sealed!.slice(4)])).toBe('DECRYPTION_FAILED')
    const torn = [
      [v, a, f, nonce],
      [v, a, f, nonce, sealed!.slice(0, 8)],
      [v, a, f, nonce, sealed, 'more'],
      [v, a, ''],
    ]
    for (const parts of torn) expect(codeOf(parts)).toBe('CIPHERTEXT_INVALID')
  })

  it('needs a key that is one, and no message shows it', async () => {
    expect(await refusal(() => prismaFieldEncryption())).toMatchObject({
      code: 'OPTIONS_INVALID',
      message: expect.stringContaining('PRISMA_FIELD_ENCRYPTION_KEY'),
    })
    const wrong = await refusal(() => prismaFieldEncryption({ encryptionKey: 'k1.aesgcm256.secret' }))
    expect(wrong).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.not.stringContaining('secret') })
  })
})

describe('the hash of prisma-field-encryption', () => {
  const normalizers = ['lowercase', 'uppercase', 'trim', 'spaces', 'diacritics'] as const
  const options: Omit<FormerHashOptions, 'field'>[] = [
    {},
    { algorithm: 'sha512', salt: 'pepper', outputEncoding: 'base64' },
    { salt: 'c0ffee', inputEncoding: 'hex' },
    { salt: 'c29sdA==', inputEncoding: 'base64', outputEncoding: 'base64' },
    { normalize: ['trim', 'lowercase'] },
    { normalize: [...normalizers].reverse() },
    ...normalizers.map((one) => ({ normalize: [one] })),
  ]

  it.each(options)('is the same: %j', (hash) => {
    const { search } = prismaFieldEncryption({ encryptionKey: KEY, hash: { field: 'emailHash', ...hash } })
    const original = { algorithm: 'sha256', inputEncoding: 'utf8', outputEncoding: 'hex', normalize: [], ...hash }
    // What is no hexadecimal number has no hash of its own to the library either.
    const texts = ['', '00ff', ...(hash.inputEncoding === 'hex' ? [] : ['Ada@Example.com', ' Éloïse  d’Été ', 'YWRh'])]
    for (const text of texts) {
      expect(search!.formOf(text)).toBe(hashString(text, { targetField: 'emailHash', ...original } as never))
    }
    expect(search!.field).toBe('emailHash')
  })

  it.each([
    [{ field: '' }, /"hash.field"/],
    [{ field: 'h', algorithm: 'sha0' }, /"hash.algorithm"/],
    [{ field: 'h', normalize: ['lower'] }, /lowercase, uppercase, trim, spaces, diacritics/],
    [{ field: 'h', inputEncoding: 'latin1' }, /"hash.inputEncoding"/],
    [{ field: 'h', outputEncoding: 'utf8' }, /"hash.outputEncoding"/],
  ])('is refused where it is none: %j', async (hash, message) => {
    const { code, message: said } = await refusal(() =>
      prismaFieldEncryption({ encryptionKey: KEY, hash: hash as never }),
    )
    expect([code, said]).toEqual(['OPTIONS_INVALID', expect.stringMatching(message)])
  })
})
