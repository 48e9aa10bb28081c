import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import type { Operation } from 'fieldseal/prisma'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { blindIndex } from '../support/decryptor.mjs'
import { readKeysTable } from '../support/keysTableReader.js'
import { openPool } from '../support/pool.js'

/** A capital of Unicode 16: for older tables it has no small letter. */
const EMAIL = '\ua7cb@example.com'
/** As it is in lower case for a process with other tables than ours. */
const OTHER = EMAIL.toLowerCase() === EMAIL ? '\u0264@example.com' : EMAIL

describe('a blind index that another version of Unicode made', () => {
  const kek = randomBytes(32)
  let fixture: Fixture
  const sql = (text: string) => fixture.plain.$queryRawUnsafe(text)
  const acme = () => fixture.prisma.$forTenant('acme').customer!
  const found = () => acme().findMany({ where: { email: EMAIL } })

  beforeAll(async () => {
    fixture = await openFixture('migration.prisma', { kms: localKms({ key: kek.toString('hex') }) })
    const data = [EMAIL, 'ada@example.com'].map((email, number) => ({ tenantId: 'acme', number, name: 'x', email }))
    await acme().createMany({ data })
  })
  afterAll(() => fixture?.close())

  async function maintain(operation: Operation) {
    const pool = openPool(fixture.url, { max: 2 })
    const [report] = await fixture
      .another()
      .$encryption.maintain({ operation, database: pool, models: ['Customer'] })
      .finally(() => pool.end())
    return report!
  }

  it('is reported by verify and made again by reindex, after which the row is found', async () => {
    expect(await maintain('verify')).toMatchObject({ scanned: 2, problems: [] })
    const dek = (await readKeysTable(sql, [kek])).ofIndexes('acme')
    const values = [{ kind: 'Enum', context: 'Customer.email', value: OTHER }]
    const index = blindIndex({ dek, values, normalize: ['trim', 'lowercase'] }).toString('base64url')
    await sql(`UPDATE customers SET email_index = '${index}' WHERE number = 0`)
    expect(await found()).toEqual([])

    const { problems } = await maintain('verify')
    expect(problems).toMatchObject([
      {
        code: 'INDEX_MISMATCH',
        message: 'Customer.emailIndex is not the index that is made of the value beside it now: run reindex',
      },
    ])
    expect(await maintain('reindex')).toMatchObject({ changed: 1, problems: [] })
    expect(await found()).toMatchObject([{ email: EMAIL }])
    expect(await maintain('verify')).toMatchObject({ scanned: 2, problems: [] })
  })
})
