import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import {
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  forTenant,
  RangeIndex,
  TextIndex,
  Words,
} from 'fieldseal/typeorm'
import {
  And,
  Between,
  Column,
  DataSource,
  Entity,
  type FindOptionsWhere,
  ILike,
  In,
  Index,
  type IndexOptions,
  IsNull,
  LessThan,
  LessThanOrEqual,
  Like,
  MoreThan,
  MoreThanOrEqual,
  Not,
  Or,
  PrimaryGeneratedColumn,
  type Repository,
} from 'typeorm'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

/** TypeORM 0.3 cannot make a GIN index, and leaves one alone that it is told of. */
const HAS_GIN = 'supportedIndexTypes' in new DataSource({ type: 'postgres' }).driver
const GIN: IndexOptions = HAS_GIN ? { type: 'gin' } : ({ synchronize: false } as IndexOptions)

/** Each encrypted column has a plain one beside it that holds the same, whose answers are the right ones. */
@Entity()
class Employee {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted({ nullable: true })
  declare name: string | null

  @Column({ type: 'text', nullable: true })
  declare plainName: string | null

  @Index('employee_name', GIN)
  @TextIndex<Employee>('name', { prefix: [2, 4], suffix: [2, 3], words: true, wordPrefix: [2, 5] })
  declare nameTokens?: string[]

  @TextIndex<Employee>('name', { prefix: [1, 6], grams: 3, normalize: ['lowercase'] })
  declare nameGrams?: string[]

  @Encrypted({ type: 'Int', nullable: true })
  declare salary: number | null

  @Column({ type: 'int', nullable: true })
  declare plainSalary: number | null

  @Index('employee_salary', GIN)
  @RangeIndex<Employee>('salary', { min: -1000, max: 100_000 })
  declare salaryTokens?: string[]

  @Encrypted({ type: 'DateTime', nullable: true })
  declare born: Date | null

  @Column({ type: 'timestamptz', nullable: true })
  declare plainBorn: Date | null

  /** By the day: what is later on the same day is told apart after decryption. */
  @RangeIndex<Employee>('born', { min: '1900-01-01', max: '2030-01-01' })
  declare bornTokens?: string[]

  @Encrypted({ type: 'Decimal', nullable: true })
  declare rate: string | null

  @Column({ type: 'numeric', nullable: true })
  declare plainRate: string | null

  @RangeIndex<Employee>('rate', { min: 0, max: '1000', scale: 2, sparsity: 4 })
  declare rateTokens?: string[]
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
let employees: Repository<Employee>
beforeAll(async () => {
  source = await openEntities([Employee, Keys])
  employees = source.dataSource.getRepository(Employee)
  if (!HAS_GIN) {
    await source.stored('CREATE INDEX employee_name ON employee USING gin ("nameTokens")')
    await source.stored('CREATE INDEX employee_salary ON employee USING gin ("salaryTokens")')
  }
})
beforeEach(async () => {
  await emptyTables(source)
  await employees.insert(rows.map(([name, salary, born, rate]) => both({ name, salary, born, rate })))
  source.takeSql()
})
afterAll(() => source?.close())

type Values = Pick<Employee, 'name' | 'salary' | 'born' | 'rate'>

const both = (values: Partial<Values>) => ({
  ...values,
  ...Object.fromEntries(Object.entries(values).map(([name, value]) => [plainOf(name), value])),
})
const plainOf = (name: string) => `plain${name[0]!.toUpperCase()}${name.slice(1)}`

const at = (text: string) => new Date(text)
const rows: readonly (readonly [string | null, number | null, Date | null, string | null])[] = [
  ['Ada Lovelace', 5000, at('1990-05-05T10:00:00Z'), '10.25'],
  ['Adam', 5001, at('1990-05-05T12:00:00Z'), '10.5'],
  ['ada', 0, at('1990-05-06T00:00:00Z'), '0'],
  ['B', -1000, at('1900-01-01T00:00:00Z'), '1000'],
  ['50% off_', 100_000, at('2029-12-31T23:59:59.999Z'), '999.99'],
  ['Ädä love', -1, at('1970-01-01T00:00:00Z'), '0.01'],
  ['a\\b', 42, null, null],
  [null, null, null, null],
  ['', null, at('2000-01-01T00:00:00Z'), '10.26'],
]

const TOKENS = `'{7d444840-9dc0-11d1-b245-5ffdce74fad2}'`

type Condition = FindOptionsWhere<Employee>

/** The same condition on the plain columns. */
function plain(where: Condition): Condition {
  return Object.fromEntries(
    Object.entries(where).map(([name, value]) => [name === 'id' ? name : plainOf(name), value]),
  ) as Condition
}

const idsOf = (found: readonly Employee[]) => found.map(({ id }) => id).sort((a, b) => a - b)

/** Conditions are made twice: TypeORM changes operators that it has used. */
async function answersAsPlain(where: () => Condition | Condition[]): Promise<number[]> {
  const [asked, told] = [where(), [where()].flat().map(plain)]
  const ids = idsOf(await employees.find({ where: asked }))
  expect(ids).toEqual(idsOf(await employees.find({ where: told })))
  return ids
}

describe('comparisons', () => {
  it.each<[string, () => Condition | Condition[]]>([
    ['more than', () => ({ salary: MoreThan(42) })],
    ['more than the least', () => ({ salary: MoreThan(-1000) })],
    ['at least', () => ({ salary: MoreThanOrEqual(5000) })],
    ['less than', () => ({ salary: LessThan(0) })],
    ['at most', () => ({ salary: LessThanOrEqual(0) })],
    ['beyond the range', () => ({ salary: LessThan(1_000_000) })],
    ['above the range', () => ({ salary: MoreThan(1_000_000) })],
    ['between', () => ({ salary: Between(-1, 5000) })],
    ['between nothing', () => ({ salary: Between(7, 3) })],
    ['both', () => ({ salary: And(MoreThan(-1), LessThan(5001)) })],
    ['either', () => ({ salary: Or(MoreThan(5000), LessThan(0)) })],
    ['not more than', () => ({ salary: Not(MoreThan(42)) })],
    ['not between', () => ({ salary: Not(Between(-1, 5000)) })],
    ['not not between', () => ({ salary: Not(Not(Between(-1, 5000))) })],
    ['alternatives', () => [{ salary: MoreThan(5000) }, { salary: LessThan(0) }, { id: 3 }]],
    ['with others', () => ({ salary: MoreThan(-5), rate: LessThan('10.255'), id: Not(In([1])) })],
    ['a decimal', () => ({ rate: MoreThanOrEqual('10.25') })],
    ['a decimal off the scale', () => ({ rate: Not(LessThanOrEqual('10.2501')) })],
    ['a day', () => ({ born: MoreThanOrEqual(at('1990-05-06T00:00:00Z')) })],
    ['an hour of a day', () => ({ born: MoreThan(at('1990-05-05T11:00:00Z')) })],
    ['between hours', () => ({ born: Between(at('1970-01-01T00:00:00Z'), at('1990-05-05T12:00:00Z')) })],
    ['no value beside', () => ({ salary: IsNull(), born: MoreThan(at('1999-12-31T23:00:00Z')) })],
  ])('answer as a plain column does: %s', async (_, where) => {
    await answersAsPlain(where)
  })

  it.each([
    ['LessThan', LessThan],
    ['MoreThan', MoreThan],
    ['LessThanOrEqual', LessThanOrEqual],
    ['MoreThanOrEqual', MoreThanOrEqual],
  ])('answer at every value and beside it: %s', async (_, operator) => {
    for (const bound of [-1001, -1000, -999, -2, -1, 0, 1, 41, 42, 43, 4999, 5000, 5001, 99_999, 100_000, 100_001]) {
      await answersAsPlain(() => ({ salary: operator(bound) }))
      await answersAsPlain(() => ({ salary: Not(operator(bound)) }))
    }
  })

  it('are counted, paged, updated and deleted by', async () => {
    expect(await employees.countBy({ salary: MoreThan(41) })).toBe(4)
    expect(await employees.find({ where: { salary: MoreThan(41) }, take: 2, order: { id: 'ASC' } })).toMatchObject([
      { id: 1, salary: 5000 },
      { id: 2 },
    ])
    await employees.update({ salary: Between(0, 50) }, { plainName: 'poor' })
    expect(await employees.countBy({ plainName: 'poor' })).toBe(2)
    expect(await employees.delete({ salary: LessThan(0) })).toMatchObject({ affected: 2 })
  })

  it('take the values of a QueryBuilder, and of SQL', async () => {
    const found = await employees
      .createQueryBuilder('e')
      .where('(e.salary > :low AND NOT (:high < e.salary)) IS TRUE', { low: 0, high: 5000 })
      .orWhere('e.salary NOT BETWEEN :a AND :b', { a: -1, b: 100_000 })
      .getMany()
    expect(idsOf(found)).toEqual([1, 4, 7])
    const sql = 'SELECT id, (salary < $1) AS less, salary BETWEEN $2 AND $1 AS within FROM employee ORDER BY id'
    const answers = await source.dataSource.query(sql, [0, null])
    expect(answers.map(({ less, within }: { less: unknown; within: unknown }) => [less, within])).toEqual(
      (await source.stored(sql.replaceAll('salary', '"plainSalary"').replace('$2', '$2::int'), [0, null])).map(
        ({ less, within }) => [less, within],
      ),
    )
  })

  it('are refused where rows would be found by mistake', async () => {
    const late = at('1990-05-05T11:00:00Z')
    for (const work of [
      () => employees.countBy({ born: MoreThan(late) }),
      () => employees.find({ where: { born: MoreThan(late) }, take: 1 }),
      () => employees.find({ where: [{ born: MoreThan(late) }, { id: 1 }] }),
      () => employees.find({ where: { born: Not(MoreThan(late)) } }),
      () => employees.delete({ born: LessThan(late) }),
    ]) {
      await refusedBeforeSql(source, work, { names: 'Employee.born' })
    }
  })
})

describe('patterns', () => {
  it.each<[string, () => Condition | Condition[]]>([
    ['a beginning', () => ({ name: Like('Ada%') })],
    ['a longer beginning', () => ({ name: Like('Ada Lov%') })],
    ['an end', () => ({ name: Like('%ce') })],
    ['a longer end', () => ({ name: Like('%lace') })],
    ['a part', () => ({ name: Like('%a L%') })],
    ['escapes', () => ({ name: Like('50\\% o%') })],
    ['an escaped end', () => ({ name: Like('%ff\\_') })],
    ['an escaped backslash', () => ({ name: Like('a\\\\%') })],
    ['a letter of two bytes', () => ({ name: Like('Äd%') })],
    ['no such beginning', () => ({ name: Like('zz%') })],
    ['not a beginning', () => ({ name: Not(Like('Ada%')) })],
    ['not not an end', () => ({ name: Not(Not(Like('%ce'))) })],
    ['any case', () => ({ name: ILike('aDA%') })],
    ['any case, longer', () => ({ name: ILike('aDA LOVEla%') })],
    ['a part in any case', () => ({ name: ILike('%OVE%') })],
    ['not in any case', () => ({ name: Not(ILike('ada%')) })],
    ['alternatives', () => [{ name: Like('Ad%') }, { name: IsNull() }]],
    ['with others', () => ({ name: Like('Ad%'), salary: MoreThan(5000) })],
  ])('answer as a plain column does: %s', async (_, where) => {
    await answersAsPlain(where)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['shorter than the index has', () => employees.findBy({ name: Like('%a') })],
    ['empty', () => employees.findBy({ name: Like('%') })],
    ['of one character', () => employees.findBy({ name: Like('A_a%') })],
    ['with a gap', () => employees.findBy({ name: Like('A%a') })],
    ['without an end that is open', () => employees.findBy({ name: Like('Ada') })],
    ['that end with an escape', () => employees.findBy({ name: Like('%Ada\\') })],
    ['whose case the index knows', () => employees.findBy({ name: ILike('%ce') })],
    ['that are longer, and counted', () => employees.countBy({ name: Like('Ada Lov%') })],
    ['that are longer, and negated', () => employees.findBy({ name: Not(Like('Ada Lov%')) })],
    ['with parts, and alternatives', () => employees.findBy([{ name: Like('%ada%') }, { id: 1 }])],
    ['of a literal', () => employees.query(`SELECT id FROM employee WHERE name LIKE 'Ada%'`)],
    [
      'with an escape of its own',
      () => employees.query(`SELECT id FROM employee WHERE name LIKE $1 ESCAPE '!'`, ['Ada%']),
    ],
    ['that are regular', () => employees.query('SELECT id FROM employee WHERE name ~ $1', ['^Ada'])],
  ])('are refused: %s', async (_, work) => {
    await refusedBeforeSql(source, work, { names: 'Employee.name' })
  })

  it('find in every form of a condition what the plain column finds', async () => {
    const forms = ['$C LIKE $1', 'NOT $C LIKE $1', '$C NOT LIKE $1', 'NOT ($C NOT LIKE $1)', '($C LIKE $1) IS NULL']
    const around = [
      '($F)',
      '($F) IS NOT TRUE',
      'NOT (($F) AND id > 0)',
      '(($F) OR id = 3)',
      'CASE WHEN $F THEN 1 END = 1',
    ]
    for (const form of forms) {
      for (const outer of around) {
        const condition = outer.replace('$F', () => form)
        const sql = (column: string) =>
          `SELECT id FROM employee WHERE ${condition.replaceAll('$C', column)} ORDER BY id`
        const found = await source.dataSource.query(sql('name'), ['Ad%'])
        expect([condition, found]).toEqual([condition, await source.stored(sql('"plainName"'), ['Ad%'])])
      }
    }
  })
})

describe('words', () => {
  it.each([
    ['Ada', [1]],
    ['Lovelace Ada', [1]],
    ['love*', [6]],
    ['Love*', [1]],
    ['Lovelac*', [1]],
    ['off', [5]],
    ['Ada Babbage', []],
  ])('are found: %s', async (words, ids) => {
    expect(idsOf(await employees.findBy({ name: Words(words) }))).toEqual(ids)
  })

  it('are found in a QueryBuilder, negated, and beside each other', async () => {
    const query = employees.createQueryBuilder('e').where('fieldseal_words(e.name, :words)', { words: 'Ada' })
    expect(idsOf(await query.getMany())).toEqual([1])
    expect(await query.getCount()).toBe(1)
    expect(idsOf(await employees.findBy({ name: Not(Words('Ada')) }))).toEqual([2, 3, 4, 5, 6, 7, 9])
    expect(idsOf(await employees.findBy([{ name: Words('Ada') }, { name: Words('off') }]))).toEqual([1, 5])
  })

  it('are refused where there are none, or too few letters of one', async () => {
    for (const words of ['', '  ', '-', 'a*']) {
      await refusedBeforeSql(source, () => employees.findBy({ name: Words(words) }), { names: 'Employee.name' })
    }
    await refusedBeforeSql(source, () => employees.findBy({ plainName: Words('Ada') }), { names: 'fieldseal_words' })
  })

  it('are seen by no logger', async () => {
    await employees.findBy({ name: Words('Zanzibar') })
    await employees.findBy({ name: Like('Zanzi%') })
    expect(source.logged()).not.toContain('Zanzi')
  })
})

describe('writes', () => {
  const tokens = async (id: number) => {
    const sql = 'SELECT "nameTokens" AS name, "salaryTokens" AS salary FROM employee WHERE id = $1'
    return (await source.stored(sql, [id]))[0]!
  }

  it('fill the tokens with a value and clear them with it', async () => {
    const ada = await employees.findOneByOrFail({ id: 1 })
    expect(ada.nameTokens).toBeUndefined()
    const before = await tokens(1)
    expect(before.salary.length).toBeGreaterThan(5)
    await employees.save({ ...ada, ...both({ salary: 7, name: null }) })
    expect(await tokens(1)).toEqual({ name: null, salary: expect.any(Array) })
    expect((await tokens(1)).salary).not.toEqual(before.salary)
    await employees.update(1, both({ salary: null, name: '' }))
    expect(await tokens(1)).toEqual({ name: [], salary: null })
    const upsert = `INSERT INTO employee (id, salary, "plainSalary") VALUES (1, $1, $2) ON CONFLICT (id)
      DO UPDATE SET salary = EXCLUDED.salary, "plainSalary" = EXCLUDED."plainSalary"`
    await source.dataSource.query(upsert, [9, 9])
    expect(await answersAsPlain(() => ({ salary: Between(8, 10) }))).toEqual([1])
  })

  it('are refused for a value that the index cannot hold, and for tokens by hand', async () => {
    const beyond = { code: 'VALUE_INVALID', names: 'Employee.salary' } as const
    for (const salary of [-1001, 100_001]) {
      await refusedBeforeSql(source, () => employees.insert({ salary }), beyond)
      await refusedBeforeSql(source, () => employees.update(1, { salary }), beyond)
    }
    const rate = () => employees.insert({ rate: '1.001' })
    await refusedBeforeSql(source, rate, { code: 'VALUE_INVALID', names: 'Employee.rate' })
    const byHand = () => source.dataSource.query('UPDATE employee SET "nameTokens" = $1', [[]])
    await refusedBeforeSql(source, byHand, { names: 'Employee.nameTokens is a text index' })
  })

  it('fill the tokens of many rows in one statement', async () => {
    const many = Array.from({ length: 400 }, (_, n) => both({ salary: 20_000 + n, name: n % 3 ? `Many ${n}` : null }))
    await employees.insert(many)
    expect(await employees.countBy({ salary: MoreThanOrEqual(20_100) })).toBe(301)
    expect(await answersAsPlain(() => ({ salary: Between(20_010, 20_020), name: Like('Man%') }))).toHaveLength(8)
  })

  it('make the same tokens as any other way', async () => {
    const { salary } = await tokens(1)
    const found = await source.dataSource.query('SELECT "salaryTokens" FROM employee WHERE id = 1')
    expect(found).toEqual([{ salaryTokens: salary }])
  })
})

describe('tenants and limited access', () => {
  it('find none of another tenant', async () => {
    const globex = forTenant(source.dataSource, 'globex').getRepository(Employee)
    expect(await globex.find({ where: { salary: MoreThan(-1000) }, select: { id: true } })).toEqual([])
  })

  it('neither search nor read tokens of a column that may not be read', async () => {
    const limited = forTenant(source.dataSource, 'acme', { allow: ['Employee.name'] }).getRepository(Employee)
    const denied = { code: 'ACCESS_DENIED', names: 'Employee.salary' } as const
    const search = () => limited.find({ where: { salary: MoreThan(1) }, select: { id: true } })
    await refusedBeforeSql(source, search, denied)
    const sorted = () => limited.query('SELECT id FROM employee ORDER BY "salaryTokens"')
    await refusedBeforeSql(source, sorted, denied)
    const [row] = await limited.query('SELECT "salaryTokens", "nameTokens" FROM employee WHERE id = 1')
    expect(row).toEqual({ salaryTokens: null, nameTokens: expect.any(Array) })
    expect(idsOf(await limited.find({ where: { name: Like('Ada%') }, select: { id: true } }))).toEqual([1, 2])
  })
})

describe('the database', () => {
  it('has nothing to change after the schema was made', async () => {
    const { upQueries } = await source.dataSource.driver.createSchemaBuilder().log()
    expect(upQueries).toEqual([])
    const made = await source.stored(`SELECT indexdef FROM pg_indexes WHERE indexname LIKE 'employee%' ORDER BY 1`)
    expect(made.map(({ indexdef }) => indexdef.replace(/.*USING /, ''))).toEqual([
      'gin ("nameTokens")',
      'gin ("salaryTokens")',
    ])
  })

  it.each<[string, Condition, string]>([
    ['<', { salary: LessThan(5000) }, 'employee_salary'],
    ['>=', { salary: MoreThanOrEqual(5000) }, 'employee_salary'],
    ['BETWEEN', { salary: Between(1, 5000) }, 'employee_salary'],
    ['NOT <', { salary: Not(LessThan(5000)) }, 'employee_salary'],
    ['NOT BETWEEN', { salary: Not(Between(1, 5000)) }, 'employee_salary'],
    ['a beginning', { name: Like('Ada%') }, 'employee_name'],
    ['a longer one', { name: Like('Ada Lov%') }, 'employee_name'],
    ['an end', { name: Like('%ce') }, 'employee_name'],
    ['words', { name: Words('ada love*') }, 'employee_name'],
  ])('uses its index for %s', async (_, where, index) => {
    await employees.findBy(where)
    const [statement] = source.takeSql()
    await source.stored('SET enable_seqscan = off')
    const plan = await source.stored(`EXPLAIN ${statement!.replaceAll('$1', TOKENS)}`)
    await source.stored('RESET enable_seqscan')
    expect(JSON.stringify(plan)).toMatch(new RegExp(`Index Scan on ${index}`))
  })
})
