import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { DataSource } from 'typeorm'
import { refusal } from '../support/refusal.js'
import { User } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT, emptyTables, plantPeople } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
let dataSource: DataSource
let id: number
beforeAll(async () => {
  source = await openSource()
  dataSource = source.dataSource
})
beforeEach(async () => {
  await emptyTables(source)
  id = (await plantPeople(source)).id
})
afterAll(() => source?.close())

describe('query', () => {
  it('reads plaintext, and finds by a value', async () => {
    const rows = await dataSource.query('SELECT id, email FROM "user" WHERE email = $1', ['ada@x.org'])
    expect(rows).toEqual([{ id, email: 'ada@x.org' }])
  })

  it('writes ciphertext with its index', async () => {
    const rows = await dataSource.query('INSERT INTO "user"(version, email) VALUES (1, $1) RETURNING email', [
      'r@x.org',
    ])
    expect(rows).toEqual([{ email: 'r@x.org' }])
    const [stored] = await source.stored('SELECT * FROM "user" ORDER BY id DESC LIMIT 1')
    expect(stored).toMatchObject({ email: expect.stringMatching(CIPHERTEXT), emailIndex: expect.any(String) })
  })

  it('updates a row of columns', async () => {
    await dataSource.query('UPDATE "user" SET (plain, email) = ($1, $2) WHERE id = $3', ['q', 'new@x.org', id])
    const found = 'SELECT id, plain, email FROM "user" WHERE email = $1'
    expect(await dataSource.query(found, ['new@x.org'])).toEqual([{ id, plain: 'q', email: 'new@x.org' }])
    const [stored] = await source.stored('SELECT email FROM "user" WHERE id = $1', [id])
    expect(stored!.email).toMatch(CIPHERTEXT)
  })

  it('counts by a filter, whatever the order of its parameters', async () => {
    const text = 'SELECT count(email) FILTER (WHERE email = $2 AND n >= $1) c FROM "user"'
    expect(await dataSource.query(text, [0, 'ada@x.org'])).toEqual([{ c: '1' }])
  })

  it('answers whether a value is NULL without sending the value', async () => {
    const text =
      'SELECT id FROM "user" WHERE ($1 IS NULL OR email = $1) AND ($2::text IS NOT NULL OR n = 5) ORDER BY id'
    source.takeSql()
    expect(await dataSource.query(text, ['ada@x.org', null])).toEqual([{ id }])
    expect(await dataSource.query(text, ['ada@x.org', 'bobby@x.org'])).toEqual([{ id }])
    expect(await dataSource.query(text, [null, 'x'])).toHaveLength(5)
    expect(JSON.stringify(source.takeSql())).not.toContain('ada@x.org')
  })

  it.each([
    ['compares it with a constant', `SELECT id FROM "user" WHERE $1 = '' OR email = $1`],
    ['measures it', 'SELECT id FROM "user" WHERE length($1) = 0 OR email = $1'],
    ['takes another in its place', `SELECT id FROM "user" WHERE coalesce($1, '') = '' OR email = $1`],
  ])('refuses to send a value in plaintext only because the statement %s', async (_, text) => {
    await refusedBeforeSql(source, () => dataSource.query(text, ['ada@x.org']), { names: '$1' })
  })

  it.each([
    ['one more than it names', 'SELECT id FROM "user" WHERE email = $1', ['ada@x.org', 'bobby@x.org'], '$2'],
    ['one that it leaves out', 'SELECT id FROM "user" WHERE email = $2', ['bobby@x.org', 'ada@x.org'], '$1'],
  ])('sends no value to a statement that is given %s', async (_, text, values, names) => {
    await refusedBeforeSql(source, () => dataSource.query(text, values), { names })
  })

  it('quotes nothing of a statement that cannot be read', async () => {
    const broken = `SELECT id FROM "user" WHERE email = 'O'S3CRBrien'`
    expect((await refusal(() => dataSource.query(broken))).message).not.toContain('S3CR')
  })

  it('uses one parameter for several columns', async () => {
    const text = 'SELECT id FROM "user" WHERE plain = $1 OR email = $1 OR "profilePhone" = $1 ORDER BY id'
    expect(await dataSource.query(text, ['11'])).toHaveLength(1)
    expect(await dataSource.query(text, ['p'])).toEqual([{ id }])
    expect(await dataSource.query(text, ['ada@x.org'])).toEqual([{ id }])
  })

  it('understands LATERAL, a star and aliases', async () => {
    const text = 'SELECT q.z, u.* FROM public."user" u, LATERAL (SELECT u.email AS z) q WHERE $1 = u.email'
    const rows = await dataSource.query(text, ['ada@x.org'])
    expect(rows).toMatchObject([{ z: 'ada@x.org', email: 'ada@x.org', notes: { at: 1 } }])
  })

  it('understands EXISTS and derived tables', async () => {
    const text = `SELECT s.m FROM (SELECT email m, id FROM "user") s
      WHERE EXISTS (SELECT 1 FROM "user" w WHERE w.id = s.id AND w.email IN ($1, $2)) ORDER BY s.id`
    expect(await dataSource.query(text, ['ada@x.org', 'c1@x.org'])).toEqual([{ m: 'ada@x.org' }, { m: 'c1@x.org' }])
  })

  it.each([
    ['the value', 'email = ($1)'],
    ['the column', '("user".email) = $1'],
    ['both', '((email)) = ($1::text)'],
    ['the value, before the column', '($1) = (email)'],
    ['a value of a list', '(email) IN (($1), $1)'],
    ['the condition', '((email) = ($1) AND (n) >= (0))'],
    ['what NOT is said of', 'NOT ((email) <> ($1))'],
  ])('finds by a value with parentheses around %s', async (_, condition) => {
    expect(await dataSource.query(`SELECT id FROM "user" WHERE ${condition}`, ['ada@x.org'])).toEqual([{ id }])
  })

  it('finds by a list with parentheses around it', async () => {
    const text = 'SELECT id FROM "user" WHERE (email) = ANY(($1))'
    expect(await dataSource.query(text, [['ada@x.org', 'zz']])).toEqual([{ id }])
  })

  it('understands lists of values', async () => {
    const any = 'SELECT id FROM "user" WHERE email = ANY($1)'
    expect(await dataSource.query(any, [['ada@x.org', 'zz']])).toEqual([{ id }])
    const cast = 'SELECT id FROM "user" WHERE email = ANY($1::text[])'
    expect(await dataSource.query(cast, [['ada@x.org', null]])).toEqual([{ id }])
    expect(await dataSource.query(cast, [[]])).toEqual([])
    expect(await dataSource.query(cast, [null])).toEqual([])
    const none = 'SELECT count(*)::int AS c FROM "user" WHERE email <> ALL($1::text[])'
    expect(await dataSource.query(none, [['ada@x.org']])).toEqual([{ c: 3 }])
    expect(await dataSource.query(none, [['ada@x.org', null]])).toEqual([{ c: 0 }])
    expect(await dataSource.query(none, [[]])).toEqual([{ c: 5 }])
    const all = 'SELECT count(*)::int AS c FROM "user" WHERE email <> ALL($1)'
    expect(await dataSource.query(all, [['ada@x.org', 'zz']])).toEqual([{ c: 3 }])
  })

  it('gives null for null, and is told of nulls', async () => {
    const rows = await dataSource.query('SELECT email FROM "user" WHERE email IS NULL')
    expect(rows).toEqual([{ email: null }])
    expect(await dataSource.query('SELECT id FROM "user" WHERE email = $1', [null])).toEqual([])
  })

  it('does what has nothing to do with encrypted tables as ever', async () => {
    await dataSource.query('INSERT INTO city(name) VALUES ($1)', ['Bonn'])
    expect(await dataSource.query('SELECT name, lower(name) l FROM city')).toEqual([{ name: 'Bonn', l: 'bonn' }])
    expect(await dataSource.query('SELECT $1::int AS n', [7])).toEqual([{ n: 7 }])
  })

  it('leaves the values that it is given as they were', async () => {
    const values = ['ada@x.org', 'q']
    await dataSource.query('UPDATE "user" SET plain = $2 WHERE email = $1', values)
    expect(values).toEqual(['ada@x.org', 'q'])
  })

  it('gives rows and their number where that is asked for', async () => {
    const runner = dataSource.createQueryRunner()
    const result = await runner.query('SELECT email FROM "user" WHERE id = $1', [id], true)
    await runner.release()
    expect(result.records).toEqual([{ email: 'ada@x.org' }])
    expect(result.raw).toEqual([{ email: 'ada@x.org' }])
  })
})

describe('refused, with nothing sent', () => {
  it.each([
    `SELECT id FROM "user" WHERE upper(EMAIL) = 'A'`,
    'SELECT email::text FROM "user"',
    'SELECT (SELECT email FROM "user" LIMIT 1) e',
    'SELECT (u).email FROM "user" u',
    'SELECT u FROM "user" u',
    'SELECT u.email(u) FROM "user" u',
    'SELECT email(u) FROM "user" u',
    'SELECT id FROM "user" WHERE (email, n) = ($1, 1)',
    'SELECT id FROM "user" WHERE email IS DISTINCT FROM $1',
    'SELECT id FROM "user" WHERE email = ANY(ARRAY[$1])',
    'UPDATE "user" SET (email, n) = (upper($1), 2)',
    'SELECT id, email FROM "user" GROUP BY 1, 2',
    'SELECT email m FROM "user" GROUP BY m',
    'SELECT DISTINCT ON (m) email m FROM "user"',
    'SELECT DISTINCT email FROM "user"',
    'SELECT count(DISTINCT email) FROM "user"',
    'SELECT max(email) OVER () FROM "user"',
    'SELECT rank() OVER (ORDER BY email) FROM "user"',
    'SELECT rank() OVER w FROM "user" WINDOW w AS (PARTITION BY email)',
    'SELECT id FROM "user" ORDER BY lower(email)',
    'SELECT email, id FROM "user" ORDER BY 1',
    'SELECT a.id FROM "user" a JOIN "user" b USING (email)',
    'SELECT a.id FROM "user" a NATURAL JOIN "user" b',
    'WITH k AS (SELECT email e FROM "user") SELECT id FROM city WHERE name IN (SELECT e FROM k)',
    'SELECT CASE WHEN email IS NULL THEN $1 ELSE email END FROM "user"',
    'SELECT json_agg(u) FROM "user" u',
    'SELECT * FROM json_each((SELECT row_to_json(u) FROM "user" u LIMIT 1))',
    'COPY "user" TO STDOUT',
    'COPY (SELECT email FROM "user") TO STDOUT',
    'CREATE TABLE z AS SELECT * FROM "user"',
    'SELECT email INTO z FROM "user"',
    'CREATE VIEW z AS SELECT upper(email) e FROM "user"',
    'EXPLAIN ANALYZE UPDATE "user" SET email = $1',
    'SELECT id FROM "user" WHERE email = $1 COLLATE "C"',
    'SELECT id FROM "user" WHERE email LIKE $1',
    'SELECT id FROM "user" WHERE email BETWEEN $1 AND $1',
    'SELECT id FROM "user" WHERE email ~ $1',
    'SELECT id FROM "user" WHERE email || $1 = $1',
    'INSERT INTO city(name) SELECT email FROM "user"',
    'INSERT INTO "user"(email) SELECT plain FROM "user"',
    `INSERT INTO "user"(version, email) VALUES (1, 'literal')`,
    'INSERT INTO "user" VALUES (1, $1)',
    'MERGE INTO "user" u USING city c ON u.email = c.name WHEN MATCHED THEN DO NOTHING',
    'SELECT coalesce(email, $1) FROM "user"',
    'SELECT nullif(email, $1) FROM "user"',
    'SELECT id FROM "user" WHERE $1 = ANY(SELECT email FROM "user")',
    'SELECT id FROM "user" WHERE email = (SELECT plain FROM "user" LIMIT 1)',
    'SELECT email FROM "user" UNION SELECT name FROM city',
    'SELECT email FROM "user" EXCEPT SELECT name FROM city',
    'UPDATE "user" SET plain = email',
    `UPDATE "user" SET email = 'x'`,
    'UPDATE "user" SET email = plain',
    'UPDATE city SET name = u.email FROM "user" u',
    'DELETE FROM "user" WHERE id = -1 RETURNING upper(email)',
    'DELETE FROM city USING "user" u WHERE u.email = city.name',
    'INSERT INTO "user"(version, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET plain = EXCLUDED.email',
    'INSERT INTO "user"(version, email) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.plain',
    'VALUES ((SELECT email FROM "user" LIMIT 1))',
    'TABLE "user" ORDER BY 2',
    'SELECT ARRAY[email] FROM "user"',
    'SELECT ROW(email, id) FROM "user"',
    'SELECT string_agg(email, $1) FROM "user"',
    'SELECT greatest(email, $1) FROM "user"',
    'SELECT xmlelement(name x, email) FROM "user"',
    'SELECT jsonb_build_object($1::text, email) FROM "user"',
    'SELECT notes->>$1 FROM "user", LATERAL (SELECT email) x',
    'PREPARE p AS SELECT email FROM "user"',
    'DECLARE c CURSOR FOR SELECT email FROM "user"',
  ])('is %s', async (text) => {
    const values = text.includes('$1') ? ['x'] : []
    await refusedBeforeSql(source, () => dataSource.query(text, values), { names: 'User.' })
  })

  it('is what writes a blind index by hand', async () => {
    const names = { names: 'User.emailIndex' }
    await refusedBeforeSql(source, () => dataSource.query('UPDATE "user" SET "emailIndex" = $1', ['x']), names)
    const insert = 'INSERT INTO "user"(email, "emailIndex") VALUES ($1, $2)'
    await refusedBeforeSql(source, () => dataSource.query(insert, ['a', 'b']), names)
  })

  it('are several statements of which one is about an encrypted table', async () => {
    const text = `SELECT 1; UPDATE "user" SET n = 1`
    await refusedBeforeSql(source, () => dataSource.query(text), { names: 'several' })
  })

  it('is what does not parse', async () => {
    const text = 'SELECT garbage garbage FROM "user" (('
    await refusedBeforeSql(source, () => dataSource.query(text), { names: '' })
  })

  it('is a seal in another place', async () => {
    const column = dataSource.getMetadata(User).findColumnWithPropertyName('email')
    const transformer = column!.transformer as { to(value: unknown): unknown }
    await refusedBeforeSql(source, () => dataSource.query('SELECT $1::text AS x', [transformer.to('secret')]), {
      names: '',
    })
  })
})
