import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { refusalCode } from '../../support/refusal.js'
import { copyDatabase, exchangeDatabases } from './copies.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf } from './runbook.js'

const PAGE = 'wrong-dump-restored.md'
const KEK_OF_STAGING = Buffer.alloc(32, 8).toString('base64')

let hotel: Hotel
beforeAll(async () => {
  hotel = await openHotel(8)
})
afterAll(() => hotel?.close())

describe(`docs/runbooks/${PAGE}`, () => {
  it('puts the right keys back, with those of tenants who came meanwhile, and leaves the foreign ones out', async () => {
    const { add, command, found, keys, pool } = hotel
    const staging = await copyDatabase(hotel.url, 'staging')
    const onStaging = { GUESTS_URL: staging, GUESTS_KEK: KEK_OF_STAGING }
    expect(await command(['encrypt'], onStaging)).toMatchObject({ code: 0, errors: '' })
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    expect(await command(['keys', 'export', 'keys.jsonl'])).toMatchObject({ code: 0, errors: '' })

    await exchangeDatabases(hotel.url, staging)
    expect(await refusalCode(() => found('ritz', 'g2@x.org'))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(() => add('ritz', 'new@x.org'))).toBe('KMS_KEY_UNUSABLE')
    const { rows: foreign } = await pool.query('SELECT * FROM encryption_keys')
    await exchangeDatabases(hotel.url, staging)

    await pool.query('DELETE FROM encryption_keys')
    await pool.query('INSERT INTO encryption_keys SELECT * FROM json_populate_recordset(NULL::encryption_keys, $1)', [
      JSON.stringify(foreign),
    ])
    expect(await refusalCode(() => found('ritz', 'g2@x.org'))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(() => add('ritz', 'new@x.org'))).toBe('KMS_KEY_UNUSABLE')
    await add('young', 'new@x.org')

    const outputs: string[] = []
    for (const block of blocksOf(PAGE)) {
      if (block.language === 'sql') {
        await pool.query(block.text)
        if (block.text.startsWith('BEGIN'))
          expect(await refusalCode(() => found('ritz', 'g2@x.org'))).toBe('KEY_MISSING')
        continue
      }
      for (const args of commandsOf(block)) {
        const { code, output, errors } = await command(args)
        expect(errors).toBe('')
        outputs.push(`${args[0]} ${code}\n${output}`)
      }
    }
    const [looked, restored, brought, clean, verified] = outputs
    expect(looked).toMatch(/^doctor 3\nproblem {2}a key under the KEK local:\w+ cannot be unwrapped/)
    expect(looked).toContain('8 ciphertexts of keys that the keys table does not have')
    expect(restored).toMatch(/^keys 0\n4 keys restored/)
    expect(brought).toMatch(/^keys 3\n(KMS_KEY_UNUSABLE.*\n){4}2 keys restored, .* 4 left out/)
    expect(clean).toMatch(/^doctor 0\n/)
    expect(verified).toMatch(/^verify 0\n/)
    expect(await keys()).toEqual([
      ...['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 active', 'ritz index 1 active'],
      ...['young encrypt 1 active', 'young index 1 active'],
    ])
    expect([await found('ritz', 'g2@x.org'), await found('young', 'new@x.org')]).toEqual([1, 1])
    expect((await pool.query(`SELECT to_regclass('encryption_keys_foreign') AS name`)).rows).toEqual([{ name: null }])
  }, 300_000)
})
