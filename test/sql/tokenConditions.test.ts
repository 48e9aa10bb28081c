import { beforeAll, describe, expect, it } from '@jest/globals'
import { type AnalysisOptions, analyse } from '../../src/sql/analyse.js'
import { loadParser } from '../../src/sql/parser.js'
import { schemaCatalog } from '../../src/sql/schemaCatalog.js'
import { plansOf, shown } from './support/encryptedStatements.js'
import { payrollSchema } from './support/payrollSchema.js'

beforeAll(loadParser)

const options: AnalysisOptions = { catalog: schemaCatalog(payrollSchema, plansOf(payrollSchema)), across: false }

/** Conditions on the table "employee" e, and what is sent in their place. */
const CONDITIONS: readonly (readonly [condition: string, sent: string])[] = [
  ['e.salary > $1', '‹gt e.salary $1 by e."salaryT"›'],
  ['salary <= $1::text', '‹lte salary $1 by "salaryT"›'],
  ['$1 < e.salary', '‹gt e.salary $1 by e."salaryT"›'],
  ['$1 >= "salary"', '‹lte "salary" $1 by "salaryT"›'],
  ['salary BETWEEN $1 AND $2', '‹gte lte salary $1 $2 by "salaryT"›'],
  ['salary NOT BETWEEN $1 AND $2', '‹not gte lte salary $1 $2 by "salaryT"›'],
  ['(e.salary) > ($1)', '‹gt e.salary $1 by e."salaryT"›'],
  ['((e.salary > (($1::varchar))) AND n = 1)', '((‹gt e.salary $1 by e."salaryT"›) AND n = 1)'],
  ['(($1)) > e.salary', '‹lt e.salary $1 by e."salaryT"›'],
  ['salary BETWEEN ($1) AND (($2)) AND n = 1', '‹gte lte salary $1 $2 by "salaryT"› AND n = 1'],
  ['NOT salary > $1', 'NOT ‹gt salary $1 by "salaryT" null is true›'],
  ['NOT (n = 1 OR salary > $1)', 'NOT (n = 1 OR ‹gt salary $1 by "salaryT" null is true›)'],
  ['NOT (n = 1 AND NOT salary > $1)', 'NOT (n = 1 AND NOT ‹gt salary $1 by "salaryT"›)'],
  ['(salary > $1) IS NOT TRUE', '(‹gt salary $1 by "salaryT" null is unknown›) IS NOT TRUE'],
  ['NOT (salary > $1) IS NULL', 'NOT (‹gt salary $1 by "salaryT" null is unknown›) IS NULL'],
  ['born > $1', '‹gt born $1 by "bornT" checked›'],
  ['born > $1 OR n = 1', '‹gt born $1 by "bornT"› OR n = 1'],
  ['old > $1', '‹gt old $1 by "oldT" checked›'],
  ['e.name LIKE $1', '‹like e.name $1 by e."nameT" e."nameG" checked›'],
  ['e.name NOT LIKE $1', '‹not like e.name $1 by e."nameT" e."nameG" checked›'],
  ['name ILIKE ($1)', '‹like name $1 by "nameT" "nameG" checked›'],
  ['NOT name NOT ILIKE $1', 'NOT ‹not like name $1 by "nameT" "nameG" null is true›'],
  ['fieldseal_words(e.name, $1)', '‹words e.name $1 by e."nameT" e."nameG" checked›'],
  ['fieldseal_words ( (name) , ($1) ) AND n = 1', '‹words name $1 by "nameT" "nameG" checked› AND n = 1'],
  ['CASE WHEN name LIKE $1 THEN true END', 'CASE WHEN ‹like name $1 by "nameT" "nameG" null is unknown› THEN true END'],
]

const SELECTED = 'SELECT salary, born, old, name FROM employee e WHERE '

it.each(CONDITIONS)('answers a condition by tokens: %s', (condition, sent) => {
  expect(shown(analyse(SELECTED + condition, options)!).sql).toBe(SELECTED + sent)
})

describe('what a row must be looked at for again', () => {
  it('is read where it was not asked for, and taken out again', () => {
    const { sql, reads } = shown(analyse('SELECT id FROM employee WHERE name LIKE $1', options)!)
    expect(sql).toMatch(/^SELECT "employee"."name" AS "fieldseal 1", id FROM/)
    expect(reads).toEqual(['fieldseal 1 = Employee.name', 'without fieldseal 1'])
  })

  it('is not read where the index tells all values apart', () => {
    expect(shown(analyse('SELECT id FROM employee WHERE salary > $1', options)!).reads).toEqual([])
  })
})

it('searches by the tokens of a subquery, which gives them too', () => {
  const sql = 'SELECT x.s FROM (SELECT salary AS s FROM employee) x WHERE x.s > $1'
  expect(shown(analyse(sql, options)!).sql).toBe(
    'SELECT x.s FROM (SELECT "employee"."salaryT" AS "fieldseal 1", salary AS s FROM employee) x WHERE ‹gt x.s $1 by x."fieldseal 1"›',
  )
})

const WRITTEN: readonly (readonly [statement: string, sent: string])[] = [
  [
    'INSERT INTO employee (id, salary) VALUES ($1, $2), ($3, NULL), ($4, DEFAULT)',
    'INSERT INTO employee ("salaryT", id, salary) VALUES (‹tokens Employee.salaryT $2›, $1, ‹value Employee.salary $2›), (NULL, $3, NULL), (NULL, $4, DEFAULT)',
  ],
  [
    'UPDATE employee SET name = $1 WHERE salary < $2',
    'UPDATE employee SET "nameT" = ‹tokens Employee.nameT $1›, "nameG" = ‹tokens Employee.nameG $1›, name = ‹value Employee.name $1› WHERE ‹lt salary $2 by "salaryT"›',
  ],
  ['UPDATE employee SET salary = NULL', 'UPDATE employee SET "salaryT" = NULL, salary = NULL'],
  [
    'INSERT INTO employee (id, born) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET born = EXCLUDED.born',
    'INSERT INTO employee ("bornT", id, born) VALUES (‹tokens Employee.bornT $2›, $1, ‹value Employee.born $2›) ON CONFLICT (id) DO UPDATE SET "bornT" = EXCLUDED."bornT", born = EXCLUDED.born',
  ],
  ['DELETE FROM employee WHERE salary < $1', 'DELETE FROM employee WHERE ‹lt salary $1 by "salaryT"›'],
]

it.each(WRITTEN)('writes tokens with values: %s', (statement, sent) => {
  expect(shown(analyse(statement, options)!).sql).toBe(sent)
})

const REFUSED: readonly (readonly [condition: string, message: string])[] = [
  ['salary > 5', 'Employee.salary is encrypted, so ">" compares it with parameters only'],
  ['salary > n', 'compares it with parameters only'],
  ['salary > $1 + 1', 'compares it with parameters only'],
  ['salary BETWEEN $1 AND 7', '"BETWEEN" compares it with parameters only'],
  ['salary > $1::int', 'for which a cast to int has no meaning'],
  ['salary BETWEEN SYMMETRIC $1 AND $2', 'Employee.salary is encrypted'],
  ['salary > ANY($1)', 'Employee.salary is encrypted'],
  ['salary = $1', 'Employee.salary is encrypted, so "=" needs a blind index; add a blind index'],
  ['bare > $1', 'Employee.bare is encrypted, so ">" needs a range index of it'],
  ['salary LIKE $1', 'Employee.salary is encrypted'],
  ['name > $1', 'Employee.name is encrypted'],
  ['name OPERATOR(x.>) $1', 'Employee.name is encrypted'],
  ['salary OPERATOR(x.>) $1', 'Employee.salary is encrypted'],
  ["name LIKE 'Ada%'", '"LIKE" compares it with parameters only'],
  ["name LIKE $1 ESCAPE '!'", 'compares it with parameters only'],
  ['$1 LIKE name', 'Employee.name is encrypted'],
  ['name SIMILAR TO $1', 'Employee.name is encrypted'],
  ['name LIKE ANY($1)', 'Employee.name is encrypted'],
  ['fieldseal_words(salary, $1)', 'fieldseal_words takes an encrypted column that has a text index of words'],
  ["fieldseal_words(name, 'ada')", 'fieldseal_words takes an encrypted column'],
  ['fieldseal_words(name)', 'fieldseal_words takes an encrypted column'],
  ['fieldseal_words(n, $1)', 'fieldseal_words takes an encrypted column'],
  ["$1 = '' OR salary > $1", 'the statement looks at it besides'],
]

it.each(REFUSED)('refuses a condition that no tokens answer: %s', (condition, message) => {
  expect(() => analyse(SELECTED + condition, options)).toThrow(message)
})

it('takes no tokens from anybody else, and sorts by none', () => {
  for (const [statement, message] of [
    ['UPDATE employee SET "salaryT" = $1', 'Employee.salaryT is a range index, which is filled with its column'],
    ['INSERT INTO employee (id, "nameT") VALUES ($1, $2)', 'Employee.nameT is a text index'],
    ['SELECT id FROM employee ORDER BY salary', 'ORDER BY has no right answer'],
    ['SELECT max(salary) FROM employee', 'Employee.salary is encrypted'],
  ] as const)
    expect(() => analyse(statement, options)).toThrow(message)
})

it('notes the tokens that a statement reads as they are', () => {
  const { indexesRead } = analyse('SELECT id FROM employee WHERE "salaryT" && $1 ORDER BY "nameT"', options)!
  expect(indexesRead.map(({ index }) => index.name).sort()).toEqual(['Employee.nameT', 'Employee.salaryT'])
})
