import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { keyAges } from '../../src/cli/doctor/keys.js'
import type { Migration } from '../maintenance/migration.js'
import { openPeople, type People } from '../maintenance/people.js'
import { runHere } from './runHere.js'

let people: People
beforeAll(async () => {
  people = await openPeople()
})
beforeEach(async () => {
  await people.sql('TRUNCATE "Person", "EncryptionKey"')
  await people.sql('DROP SCHEMA IF EXISTS fieldseal CASCADE')
  await people.sql(`INSERT INTO "Person" (id, "clinicId", name, salary)
    SELECT n, CASE WHEN n % 2 = 0 THEN 'acme' ELSE 'globex' END, 'Person ' || n, n FROM generate_series(1, 20) n`)
  await people.run('encrypt')
})
afterAll(() => people?.close())

const run = (...args: string[]) => {
  const client = { keys: { ttl: 100, staleFor: 0 } }
  return runHere(people as never as Migration, { client, tenants: {} }, ...args)
}
const states = async () => {
  const rows = await people.sql(
    `SELECT tenant, version, state FROM "EncryptionKey" WHERE purpose = 'index' ORDER BY 1, 2`,
  )
  return rows.map(({ tenant, version, state }) => `${tenant} ${version} ${state}`)
}

describe('fieldseal rotate --purpose index', () => {
  it('says what it does and waits for, and ends with the old keys gone', async () => {
    const { code, output, errors } = await run('rotate', '--purpose', 'index', '--settle', '1s')
    expect({ code, errors }).toEqual({ code: 0, errors: '' })
    expect(output.replaceAll(/^Person: .*\n/gm, '')).toBe(
      [
        'New keys beside the present ones …',
        'Waiting 1 s, until every process works by these keys …',
        'Blind indexes are written under 2 new keys now.',
        'Waiting 1 s, until every process works by these keys …',
        'New indexes for all rows …',
        'Waiting 1 s, until nobody sees the rows as they were …',
        '2 old keys are not used any more.',
        'Waiting 1 s, until every process works by these keys …',
        'Without the old tokens …',
        '2 old keys go.',
        '2 keys new, 2 destroyed, 0 failed. Next: fieldseal verify',
        '',
      ].join('\n'),
    )
    expect(await states()).toEqual(['acme 1 destroyed', 'acme 2 active', 'globex 1 destroyed', 'globex 2 active'])
  })

  it('of one tenant, with each event as JSON', async () => {
    const { code, output } = await run('rotate', '--purpose', 'index', '--settle', '20ms', '--tenant', 'acme', '--json')
    const events = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(code).toBe(0)
    expect(events.filter(({ event }) => event === 'step').map(({ step }) => step)).toEqual([
      'add',
      'forget',
      'replace',
      'forget',
      'fill',
      'settle',
      'retire',
      'forget',
      'drop',
      'destroy',
    ])
    expect(events.at(-1)).toEqual({
      ...{ event: 'report', operation: 'rotate', purpose: 'index', outcome: 'done' },
      ...{ added: 1, destroyed: 1, failed: 0 },
    })
    expect(await states()).toEqual(['acme 1 destroyed', 'acme 2 active', 'globex 1 active'])
  })

  it('shows rows that it cannot index, keeps the old keys, and doctor says so', async () => {
    await people.sql(`UPDATE "Person" SET salary = left(salary, 60) || 'AAAA' WHERE id = 2`)
    const { code, output } = await run('rotate', '--purpose', 'index', '--settle', '20ms')
    expect(code).toBe(3)
    expect(output).toContain('CIPHERTEXT_INVALID  Person 2: Person.salary is torn')
    expect(output).toContain('The old keys stay: 1 row could not be indexed. See to it, then run this again.')
    expect(await states()).toEqual(['acme 1 replaced', 'acme 2 active', 'globex 1 replaced', 'globex 2 active'])
    const client = people.another()
    const survey = await client.$encryption.survey({ database: people.pool })
    expect(await keyAges({ client: client as never, database: people.pool, schema: people.schema, survey })).toEqual([
      {
        ...{ severity: 'hint', check: 'keys' },
        next: "fieldseal rotate --purpose index --tenant 'acme'; fieldseal rotate --purpose index --tenant 'globex'",
        what: 'the rotation of 2 keys for indexes has not ended, unless it runs now',
      },
    ])
  })

  it('takes no dry run and no two tenants', async () => {
    for (const args of [['--dry-run'], ['--tenant', 'acme', 'globex']]) {
      const { code, errors } = await run('rotate', '--purpose', 'index', ...args)
      expect({ code, errors }).toMatchObject({ code: 2, errors: expect.stringContaining('one --tenant or all') })
    }
    expect((await run('rotate', '--purpose', 'index', '--settle', 'soon')).errors).toContain(
      'It must be a time, such as 5s or 2m.',
    )
    expect(await states()).toEqual(['acme 1 active', 'globex 1 active'])
  })
})
