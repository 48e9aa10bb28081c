import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { plaintextCopies } from '../../src/cli/doctor/copies.js'
import type { Check } from '../../src/cli/doctor/finding.js'
import { suspiciousNames } from '../../src/cli/doctor/names.js'
import { indexEntries } from '../../src/cli/doctor/stored.js'
import { slowTokenSearches } from '../../src/cli/doctor/tokenSearches.js'
import { openPeople, type People } from '../maintenance/people.js'

let people: People
beforeAll(async () => {
  people = await openPeople()
})
beforeEach(async () => {
  await people.sql('TRUNCATE "Person"')
  await people.sql(`INSERT INTO "Person" (id, "clinicId", name, salary)
    SELECT n, 'acme', 'Person ' || n, (n * 37) % 100000 FROM generate_series(1, 100) n`)
  await people.run('encrypt', { restart: true })
})
afterAll(() => people?.close())

const findings = async (check: Check) => {
  const { schema, pool: database } = people
  const client = people.another()
  const survey = await client.$encryption.survey({ database })
  return check({ client: client as never, database, schema, survey })
}
const slow = async () =>
  (await findings(slowTokenSearches)).map(({ severity, what, next }) => `${severity}: ${what} → ${next}`)

describe('doctor on token indexes', () => {
  it('names rows without tokens, and tokens beside no value', async () => {
    expect(await findings(indexEntries)).toEqual([])
    await people.sql(`UPDATE "Person" SET "nameParts" = NULL WHERE id < 3`)
    await people.sql(`UPDATE "Person" SET salary = NULL WHERE id = 4`)
    const next = 'fieldseal reindex --model Person'
    expect(await findings(indexEntries)).toEqual([
      {
        ...{ severity: 'problem', check: 'token indexes', next },
        what: 'Person.nameParts is missing in 2 rows and beside no value in 0',
      },
      {
        ...{ severity: 'problem', check: 'token indexes', next },
        what: 'Person.salaryRanges is missing in 0 rows and beside no value in 1',
      },
    ])
  })

  it('takes their columns neither for suspicious ones nor for copies', async () => {
    const { Person: person, ...models } = people.schema.models
    const columns = { ...person!.columns, email: 'nameParts' }
    const schema = { ...people.schema, models: { ...models, Person: { ...person!, columns } } }
    const tokenIndexes = { email: person!.tokenIndexes!.nameParts! }
    const renamed = { ...schema, models: { ...schema.models, Person: { ...schema.models.Person!, tokenIndexes } } }
    const context = { client: people.prisma as never, database: people.pool, survey: undefined as never }
    expect(await suspiciousNames({ ...context, schema })).toHaveLength(1)
    expect((await suspiciousNames({ ...context, schema: renamed })).map(({ what }) => what)).toEqual([
      'Person.salaryRanges looks like personal or secret data, and is not marked',
    ])
    expect(await findings(plaintextCopies)).toEqual([])
  })

  it('gives SQL for statistics and for new entries, and is content once it has run', async () => {
    const found = await slow()
    expect(found).toEqual([
      expect.stringMatching(
        /^hint: Person\.nameParts has the index "Person_nameParts_idx", whose new entries are in a list/,
      ),
      'risk: Person.nameParts has statistics of 100 values, so PostgreSQL may misjudge how many rows have a token, and read them all to find a few' +
        ' → ALTER TABLE "Person" ALTER COLUMN "nameParts" SET STATISTICS 1000; ANALYZE "Person" ("nameParts")',
      expect.stringMatching(/^hint: Person\.salaryRanges has the index "Person_salary_ranges_idx"/),
      expect.stringMatching(/^risk: Person\.salaryRanges has statistics of 100 values/),
    ])
    for (const finding of found) await people.sql(finding.split(' → ')[1]!)
    expect(await slow()).toEqual([])
    const [{ reloptions } = {}] = await people.sql(
      `SELECT reloptions FROM pg_class WHERE relname = 'Person_nameParts_idx'`,
    )
    expect(reloptions).toEqual(['fastupdate=off'])
  })

  it('tells how long the list of new entries is, where pgstattuple is there', async () => {
    await people.sql('ALTER INDEX "Person_nameParts_idx" SET (fastupdate = on)')
    await people.sql('CREATE SCHEMA "its own"; CREATE EXTENSION pgstattuple SCHEMA "its own"')
    await people.sql(`UPDATE "Person" SET "nameParts" = ARRAY(SELECT gen_random_uuid() FROM generate_series(1, 200))`)
    const [found] = await slow()
    expect(found).toMatch(
      /^risk: Person\.nameParts has the index .*\(fastupdate\), and \d+ pages of it wait now → ALTER INDEX/,
    )
    await people.sql(found!.split(' → ')[1]!)
    expect(await slow()).toEqual([])
    await people.sql('DROP EXTENSION pgstattuple')
  })

  it('says that there is no index, that it is a btree, invalid or of some rows only, with the SQL for one', async () => {
    const create = 'CREATE INDEX CONCURRENTLY ON "Person" USING gin ("nameParts") WITH (fastupdate = off)'
    await people.sql('DROP INDEX "Person_nameParts_idx"')
    expect(await slow()).toEqual([
      `risk: Person.nameParts has no index in the database, so each search reads the whole table → ${create}`,
    ])
    await people.sql('CREATE INDEX trial ON "Person" ("nameParts")')
    expect(await slow()).toEqual([
      expect.stringMatching(/^risk: Person\.nameParts has an index that PostgreSQL cannot use for a search .*btree/),
    ])
    await people.sql(
      'DROP INDEX trial; CREATE INDEX trial ON "Person" USING gin ("nameParts") WITH (fastupdate = off) WHERE id > 5',
    )
    expect(await slow()).toEqual([
      expect.stringMatching(/^risk: Person\.nameParts has the index "trial" of some rows only, WHERE \(id > 5\)/),
    ])
    await people.sql('DROP INDEX trial')
    await people.sql(create)
    expect(await slow()).toEqual([])
    const made = await people.sql(`SELECT indexname FROM pg_indexes WHERE indexname = 'Person_nameParts_idx'`)
    expect(made).toHaveLength(1)
  })
})
