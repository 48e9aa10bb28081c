import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { refusalCode } from '../../support/refusal.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf } from './runbook.js'

const PAGE = 'keys-table-lost.md'

let hotel: Hotel
beforeAll(async () => {
  hotel = await openHotel(20)
})
afterAll(() => hotel?.close())

describe(`docs/runbooks/${PAGE}`, () => {
  it('brings back an emptied table in which keys were made since, with every row readable and found', async () => {
    const { add, command, found, keys, pool } = hotel
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    expect(await command(['doctor'])).toMatchObject({
      output: expect.stringContaining('no export of the keys table is known'),
    })
    expect(await command(['keys', 'export', 'keys.jsonl'])).toMatchObject({ code: 0, errors: '' })
    await pool.query('CREATE SCHEMA restored')
    await pool.query('CREATE TABLE restored.encryption_keys AS SELECT * FROM encryption_keys')

    await pool.query('DELETE FROM encryption_keys')
    expect(await refusalCode(() => add('ritz', 'new@x.org'))).toBe('KEY_MISSING')
    expect(await refusalCode(() => found('ritz', 'g2@x.org'))).toBe('KEY_MISSING')
    expect(await keys()).toEqual([])
    const lost = await command(['keys', 'export', 'keys.jsonl'])
    expect(lost).toMatchObject({ code: 1, errors: expect.stringMatching(/KEY_MISSING.*empty/) })
    await hotel.inNewProcess(({ encryption }) => encryption.reopen('ritz'))
    await add('ritz', 'young@x.org')
    expect(await keys()).toEqual(['ritz encrypt 1 active', 'ritz index 1 active'])

    const ended: { command: string; code: number | null; output: string }[] = []
    for (const args of blocksOf(PAGE).flatMap(commandsOf)) {
      const { code, output, errors } = await command(args)
      expect(errors).toBe('')
      ended.push({ command: args.slice(0, 2).join(' '), code, output })
      if (output.includes('Searches ask for')) {
        expect(await found('ritz', 'young@x.org')).toBe(1)
        expect(await found('ritz', 'g2@x.org')).toBe(1)
        expect(await found('adlon', 'g1@x.org')).toBe(1)
        expect(await keys()).toEqual([
          ...['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 retired', 'ritz encrypt 2 retired'],
          ...['ritz index 1 replaced', 'ritz index 2 replaced', 'ritz index 3 active'],
        ])
        const next = /fieldseal (rotate --purpose index --tenant) '(ritz)'/.exec(output)!
        const rotation = [...next[1]!.split(' '), next[2]!, '--settle', '10ms']
        expect(await command(rotation, { GUESTS_TTL: '1' })).toMatchObject({ code: 0, errors: '' })
      }
    }
    const [looked, dry, file, table, verified, exported] = ended
    expect(looked).toMatchObject({ code: 3, output: expect.stringContaining('keys that the keys table does not have') })
    expect(dry).toMatchObject({ code: 0, output: expect.stringContaining('4 keys would be restored') })
    expect(file).toMatchObject({
      code: 0,
      output: expect.stringMatching(/4 keys restored[\s\S]*2 keys made since the loss/),
    })
    expect(table).toMatchObject({ code: 0, output: expect.stringContaining('0 keys restored, 4 there already') })
    expect(verified).toMatchObject({ command: 'verify', code: 0 })
    expect(exported).toMatchObject({ command: 'keys export', code: 0 })
    expect(await keys()).toEqual([
      ...['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 retired', 'ritz encrypt 2 retired'],
      ...['ritz index 1 destroyed', 'ritz index 2 destroyed', 'ritz index 3 active'],
    ])
    await add('ritz', 'last@x.org')
    for (const email of ['g2@x.org', 'young@x.org', 'last@x.org']) expect(await found('ritz', email)).toBe(1)
    expect((await keys()).filter((key) => key.startsWith('ritz encrypt'))).toContain('ritz encrypt 3 active')
    expect(await command(['doctor'])).toMatchObject({
      output: expect.stringContaining('the last export of the keys table was 0 days ago'),
    })
  }, 300_000)
})
