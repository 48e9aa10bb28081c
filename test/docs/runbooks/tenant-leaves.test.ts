import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { refusalCode } from '../../support/refusal.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf, statementsOf } from './runbook.js'

const PAGE = 'tenant-leaves.md'

let hotel: Hotel
beforeAll(async () => {
  hotel = await openHotel(8)
})
afterAll(() => hotel?.close())

/** Whether a text is on the disk of the keys table, in the place of old row versions too. */
async function isOnDisk(text: string): Promise<boolean> {
  await hotel.pool.query('CHECKPOINT')
  const { rows } = await hotel.pool.query(
    `SELECT position($1::bytea IN pg_read_binary_file(pg_relation_filepath('encryption_keys'))) > 0 AS found`,
    [Buffer.from(text)],
  )
  return rows[0].found
}

describe(`docs/runbooks/${PAGE}`, () => {
  it('leaves nothing that anybody could read, and a restore brings nothing back', async () => {
    const { add, command, keys, pool, read } = hotel
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    expect(await command(['keys', 'export', 'keys-before.jsonl'])).toMatchObject({ code: 0, errors: '' })
    expect(await read('adlon')).toEqual(['g1@x.org', 'g3@x.org', 'g5@x.org', 'g7@x.org'])
    const { rows } = await pool.query(`SELECT wrapped FROM encryption_keys WHERE tenant = 'adlon' ORDER BY purpose`)
    const wrapped: string = rows[0].wrapped

    const outputs: string[] = []
    for (const block of blocksOf(PAGE)) {
      if (block.language === 'sql') {
        expect(await refusalCode(() => read('adlon'))).toBe('KEY_DESTROYED')
        expect(await isOnDisk(wrapped)).toBe(true)
        for (const statement of statementsOf(block)) await pool.query(statement.replace('acme', 'adlon'))
        expect(await isOnDisk(wrapped)).toBe(false)
        continue
      }
      for (const args of commandsOf(block)) {
        const { code, output, errors } = await command(args.map((arg) => (arg === 'acme' ? 'adlon' : arg)))
        expect(errors).toBe('')
        outputs.push(`${code}\n${output}`)
      }
    }
    const [looked, dry, receipt, metadata, unreadable, verified, exported, restored] = outputs
    expect(looked).toMatch(/^0\n[\s\S]*│ Guest.email │ 4 +│ 0 +│ 0 +│ 4 +│/)
    expect(dry).toMatch(/^0\nshred would destroy 2 keys; 4 values could not be read again:/)
    expect(JSON.parse(receipt!.slice(2))).toMatchObject({
      ...{ event: 'receipt', tenant: 'adlon', notReached: [], heldUntil: expect.any(String) },
      keys: [{ purpose: 'encrypt' }, { purpose: 'index' }],
    })
    expect(JSON.parse(metadata!.slice(2))).toMatchObject([{ state: 'destroyed' }, { state: 'destroyed' }])
    expect(unreadable).toMatch(/^3\n(KEY_DESTROYED {2}Guest \d: .*\n){4}┌/)
    expect(verified).toMatch(/^0\n[\s\S]*Everything is encrypted, readable and indexed/)
    expect(exported).toMatch(/^0\n4 keys written/)
    expect(restored).toMatch(
      /^0\n0 keys would be restored, 2 there already[\s\S]*2 keys of tenants that were shredded would stay destroyed/,
    )
    expect(await keys()).toEqual([
      ...['adlon encrypt 1 destroyed', 'adlon index 1 destroyed', 'ritz encrypt 1 active', 'ritz index 1 active'],
    ])
    expect(await refusalCode(() => add('adlon', 'new@x.org'))).toBe('KEY_DESTROYED')
    expect(await read('ritz')).toHaveLength(4)
  }, 300_000)
})
