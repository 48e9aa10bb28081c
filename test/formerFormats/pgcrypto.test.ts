import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { pgcrypto } from 'fieldseal/former-formats'
import type pg from 'pg'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { refusal } from '../support/refusal.js'
import { failureOf } from './failureOf.js'

let database: TestDatabase
let pool: pg.Pool
beforeAll(async () => {
  database = await createDatabase()
  pool = openPool(database.url)
  await pool.query('CREATE EXTENSION pgcrypto')
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

/** What PostgreSQL itself makes of a text. */
async function made(text: string, passphrase: string, options = ''): Promise<Buffer> {
  const { rows } = await pool.query('SELECT pgp_sym_encrypt($1, $2, $3) AS made', [text, passphrase, options])
  return rows[0].made
}

const TEXTS = ['Ada', '', 'Ünïcödé 日本 😀', 'line\nand\ttab', 'x'.repeat(40_000), 'y'.repeat(300)]
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe('what pgcrypto has made', () => {
  const format = pgcrypto({ passphrase: ['other', 'open sesame ünd'] })
  let message: Buffer
  let ofSessionKey: Buffer
  beforeAll(async () => {
    message = await made('Ada Lovelace', 'other')
    ofSessionKey = await made('Ada Lovelace', 'other', 'sess-key=1')
  })

  it.each([
    '',
    'cipher-algo=aes192',
    'cipher-algo=aes256',
    'compress-algo=1',
    'compress-algo=2',
    'unicode-mode=1',
    'sess-key=1',
    's2k-mode=0',
    's2k-mode=1',
    's2k-mode=3, s2k-count=1048576',
    's2k-digest-algo=md5',
    'cipher-algo=aes256, sess-key=1, compress-algo=2, s2k-cipher-algo=aes128, s2k-digest-algo=sha1',
  ])('is read, with the options "%s"', async (options) => {
    for (const value of TEXTS) expect(text(format.decrypt(await made(value, 'open sesame ünd', options)))).toBe(value)
  })

  it('is read in a column of text, however it came there', async () => {
    const { rows } = await pool.query(
      `SELECT armor($1) AS armored, armor($1, ARRAY['Comment'], ARRAY['of hers']) AS headed,
         encode($1, 'hex') AS hex, encode($1, 'base64') AS base64`,
      [message],
    )
    for (const stored of Object.values(rows[0])) expect(text(format.decrypt(stored))).toBe('Ada Lovelace')
    const long = await made('z'.repeat(5_000), 'other', 'compress-algo=0')
    const armored = (await pool.query('SELECT armor($1) AS armored', [long])).rows[0].armored
    expect(text(format.decrypt(armored))).toBe('z'.repeat(5_000))
  })

  it('is read of bytes', async () => {
    const bytes = Buffer.from([0, 255, 1, 254, 128])
    const { rows } = await pool.query(`SELECT pgp_sym_encrypt_bytea($1, 'other') AS made`, [bytes])
    expect(Buffer.from(format.decrypt(rows[0].made))).toEqual(bytes)
  })

  it('with another passphrase is an error', async () => {
    const failure = failureOf(() => pgcrypto({ passphrase: 'wrong' }).decrypt(message))
    expect([failure.code, failure.message]).toEqual([
      'DECRYPTION_FAILED',
      expect.stringContaining('the passphrase is another one'),
    ])
    expect(failureOf(() => pgcrypto({ passphrase: 'wrong' }).decrypt(ofSessionKey)).code).toBe('DECRYPTION_FAILED')
  })

  it('and was changed or cut at any place is an error, and never a value', () => {
    for (const whole of [message, ofSessionKey]) {
      for (let position = 0; position < whole.length; position++) {
        const changed = Buffer.from(whole)
        changed[position]! ^= 0x01
        expect(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED']).toContain(failureOf(() => format.decrypt(changed)).code)
        const cut = whole.subarray(0, position)
        expect(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED']).toContain(failureOf(() => format.decrypt(cut)).code)
      }
    }
  })

  it('whose passphrase would be stretched for long is refused', async () => {
    const long = failureOf(() => format.decrypt(Buffer.from(message).fill(255, 14, 15)))
    expect([long.code, long.message]).toEqual(['CIPHERTEXT_INVALID', expect.stringContaining('s2k-count is above')])
  })

  it('without an integrity check is refused', async () => {
    const without = await made('Ada', 'other', 'disable-mdc=1')
    const unprotected = failureOf(() => format.decrypt(without))
    expect([unprotected.code, unprotected.message]).toEqual([
      'CIPHERTEXT_INVALID',
      expect.stringContaining('disable-mdc'),
    ])
  })

  it.each(['Ada', '', 'YWRh', '00ff', '-----BEGIN PGP MESSAGE-----', '-----BEGIN PGP MESSAGE-----\n\nwcA=\n=AAAA\n'])(
    'is not what plaintext is: %j',
    (value) => {
      expect(failureOf(() => format.decrypt(value)).code).toBe('CIPHERTEXT_INVALID')
      expect(failureOf(() => format.decrypt(Buffer.from(value))).code).toBe('CIPHERTEXT_INVALID')
    },
  )

  it('needs a passphrase', async () => {
    for (const passphrase of ['', [], ['a', '']])
      expect(await refusal(() => pgcrypto({ passphrase }))).toMatchObject({ code: 'OPTIONS_INVALID' })
  })
})
