import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { compare } from './compare.js'
import { Tally } from './tally.js'
import { openTwins, type Twins } from './twins.js'

let twins: Twins
beforeAll(async () => {
  twins = await openTwins()
})
afterAll(() => twins?.close())

describe('what generated statements have found stays found', () => {
  it.each<[string, string, unknown[]]>([
    ['ciphertexts behind a table that gives no encrypted column', 'SELECT * FROM contact, public.post AS x', []],
    ['ciphertexts behind a blind index', 'SELECT p."emailIndex", q.body FROM person AS p, public.post AS q', []],
    [
      'a star that a column of an undeclared table hides',
      'SELECT * FROM person JOIN loose ON person.id = loose.id',
      [],
    ],
    ['a name of two tables', 'SELECT x.id FROM public.post AS x, archive.post AS y WHERE $1 = title', ['ada']],
    [
      'a name that an undeclared table has too',
      'SELECT a.n FROM archive.post AS a, loose WHERE email IN ($1)',
      ['ada'],
    ],
    [
      'an inner name that hides an encrypted one',
      `SELECT id FROM person WHERE EXISTS (SELECT FROM loose WHERE email = $1)`,
      ['ada'],
    ],
    ['an alias that hides an encrypted one', 'SELECT name AS email FROM person ORDER BY email, id', []],
    [
      'a row of a subquery with two columns of one name',
      'SELECT (SELECT r FROM (SELECT x.*) AS r)::text FROM (SELECT email AS a, n AS a FROM person) x',
      [],
    ],
    [
      'a name that two columns of a subquery have',
      'SELECT 1 FROM (SELECT email, email FROM person) x WHERE email = $1',
      ['ada'],
    ],
    [
      'a column of a subquery that a star of an undeclared table may give too',
      'SELECT 1 FROM (SELECT * FROM loose JOIN person ON loose.id = person.id) x WHERE x.email = $1',
      ['ada'],
    ],
    ['how many rows tokens find', 'SELECT height FROM person WHERE height > $1', [3]],
    [
      'an index that a value shares with others',
      'UPDATE person SET email = $1, "nickName" = $1 WHERE email = $1',
      ['ada'],
    ],
  ])('both databases agree on %s', async (_, text, values) => {
    const writes = text.startsWith('UPDATE')
    await expect(
      compare(twins, { text, values, ordered: false, writes, features: [] }, new Tally()),
    ).resolves.toBeUndefined()
  })
})
