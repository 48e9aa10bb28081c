import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { restoreVariables, setVariable } from '../../support/environment.js'
import { refusal } from '../../support/refusal.js'
import { type Hotel, openHotel } from './hotel.js'
import { blocksOf, commandsOf, statementsOf } from './runbook.js'

const PAGE = 'plaintext-written.md'

let hotel: Hotel
beforeAll(async () => {
  setVariable('GUESTS_STATE', 'strict')
  hotel = await openHotel(8)
})
afterAll(async () => {
  await hotel?.close()
  restoreVariables()
})

/** What is on the disk of the table, free places included, and in the statistics of its column. */
async function traces(word: string) {
  await hotel.pool.query('CHECKPOINT')
  const { rows } = await hotel.pool.query(
    `SELECT position($1::bytea IN pg_read_binary_file(pg_relation_filepath('guest'))) > 0 AS file,
       EXISTS (SELECT FROM pg_stats WHERE tablename = 'guest' AND attname = 'email' AND
         concat(histogram_bounds, most_common_vals) LIKE '%' || $2 || '%') AS statistics`,
    [Buffer.from(word), word],
  )
  return rows[0]
}

describe(`docs/runbooks/${PAGE}`, () => {
  it('finds and encrypts it, has the database refuse more, and leaves none in the files of the table', async () => {
    const { command, found, pool } = hotel
    expect(await command(['encrypt'])).toMatchObject({ code: 0, errors: '' })
    await pool.query('VACUUM (FULL, ANALYZE) guest')
    const write = () =>
      pool.query(
        `INSERT INTO guest (email, hotel) SELECT 'clear' || n || '@x.org', 'ritz' FROM generate_series(1, 8) n`,
      )
    await write()
    await pool.query('ANALYZE guest')
    const { code, message } = await refusal(() => hotel.read('ritz'))
    expect([code, message]).toEqual([
      'CIPHERTEXT_INVALID',
      'Guest.email holds something that is not a ciphertext of this library',
    ])
    expect(await found('ritz', 'clear1@x.org')).toBe(0)
    expect(await traces('clear1@x.org')).toEqual({ file: true, statistics: true })

    const outputs: string[] = []
    for (const block of blocksOf(PAGE)) {
      if (block.language === 'bash')
        for (const args of commandsOf(block)) {
          const { code, output, errors } = await command(args)
          expect(errors).toBe('')
          outputs.push(`${args[0]} ${code}\n${output}`)
        }
      else
        for (const statement of statementsOf(block)) {
          if (statement.startsWith('VACUUM'))
            expect(await traces('clear1@x.org')).toEqual({ file: true, statistics: true })
          const { rows } = await pool.query(statement)
          if (statement.startsWith('SELECT')) expect(rows).toHaveLength(8)
        }
    }
    const [looked, encrypted, verified] = outputs
    expect(looked).toMatch(/^doctor 3\nproblem {2}Guest.email holds plaintext in 8 rows\n/)
    expect(encrypted).toMatch(/^encrypt 0\n[\s\S]*│ Guest │ 16 +│ 8 +│/)
    expect(verified).toMatch(/^verify 0\n[\s\S]*Everything is encrypted, readable and indexed/)
    await expect(write()).rejects.toThrow('fieldseal_guest_email')
    await hotel.add('ritz', 'next@x.org')
    expect(await found('ritz', 'clear1@x.org')).toBe(1)
    expect(await traces('clear1@x.org')).toEqual({ file: false, statistics: false })
  }, 300_000)
})
