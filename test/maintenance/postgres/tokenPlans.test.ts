import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { endFastUpdate, raiseStatistics } from '../../../src/maintenance/postgres/tokenColumns.js'
import { openPeople, type People } from '../people.js'

const ROWS = 20_000

let people: People
beforeAll(async () => {
  people = await openPeople()
  await people.sql(
    `INSERT INTO "Person" (id, "clinicId", name, salary)
     SELECT n, 'acme', left(md5(n::text), 8) || ' ' || left(md5(n || 'x'), 8), (n * 7919) % 100000 FROM generate_series(1, $1) n`,
    [ROWS],
  )
  await people.run('encrypt')
  for (const column of ['nameParts', 'salary_ranges']) {
    await people.sql(endFastUpdate(undefined, `Person_${column}_idx`))
    await people.sql(raiseStatistics({ table: 'Person' }, column))
  }
}, 120_000)
afterAll(() => people?.close())

interface Plan {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly Plans?: readonly Plan[]
}

/** What PostgreSQL does, from the top down. */
async function planOf(sql: string, tokens: readonly string[]): Promise<string[]> {
  const [row] = await people.sql(`EXPLAIN (FORMAT JSON) ${sql}`, [tokens])
  const [{ Plan: plan }] = row!['QUERY PLAN'] as [{ Plan: Plan }]
  const flat = (node: Plan): Plan[] => [node, ...(node.Plans ?? []).flatMap(flat)]
  return flat(plan).map((node) => [node['Node Type'], node['Index Name']].filter(Boolean).join(' '))
}

const tokensOf = async (column: string, id: number, take: number) =>
  ((await people.sql(`SELECT "${column}" AS tokens FROM "Person" WHERE id = $1`, [id]))[0]!.tokens as string[]).slice(
    0,
    take,
  )

describe('PostgreSQL finds rows by tokens through the GIN index', () => {
  const count = (condition: string) => `SELECT count(*) FROM "Person" WHERE ${condition}`
  const FORMS = [
    ['any of some tokens', count('"salary_ranges" && $1::uuid[]'), 'salary_ranges', 1],
    ['one token', count('"nameParts" @> $1::uuid[]'), 'nameParts', 1],
    ['all of some tokens', count('"nameParts" @> $1::uuid[]'), 'nameParts', 5],
    ['any of some tokens, twice negated', count('NOT (NOT ("salary_ranges" && $1::uuid[]))'), 'salary_ranges', 1],
    ['tokens beside the tenant', count(`"clinicId" = 'acme' AND "salary_ranges" && $1::uuid[]`), 'salary_ranges', 1],
  ] as const

  it.each(FORMS)('for %s', async (_, sql, column, take) => {
    // The token of the value itself, which few have; the others of a value are over more and more of them.
    const tokens = await rarest(column, take)
    expect(await planOf(sql, tokens)).toContain(`Bitmap Index Scan Person_${column}_idx`)
  })

  it('for the first rows in the order of the key, of few that match', async () => {
    const sql = 'SELECT id FROM "Person" WHERE "salary_ranges" && $1::uuid[] ORDER BY id LIMIT 20'
    expect(await planOf(sql, await rarest('salary_ranges', 1))).toContain('Bitmap Index Scan Person_salary_ranges_idx')
  })

  it('for two indexes in one search', async () => {
    const [name, salary] = [await rarest('nameParts', 1), await rarest('salary_ranges', 1)]
    const sql = `SELECT id FROM "Person" WHERE "nameParts" @> ARRAY['${name[0]}']::uuid[] OR "salary_ranges" && $1::uuid[]`
    const plan = await planOf(sql, salary)
    expect(plan).toContain('Bitmap Index Scan Person_nameParts_idx')
    expect(plan).toContain('Bitmap Index Scan Person_salary_ranges_idx')
  })
})

/** Of the tokens of one row, those that the fewest rows have. */
async function rarest(column: string, take: number): Promise<string[]> {
  const rows = await people.sql(
    `SELECT token FROM unnest($1::uuid[]) AS token JOIN "Person" ON "${column}" && ARRAY[token] GROUP BY token ORDER BY count(*) LIMIT $2`,
    [await tokensOf(column, 17, 99), take],
  )
  return rows.map(({ token }) => token as string)
}
