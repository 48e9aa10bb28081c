import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import {
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  forTenant,
  RangeIndex,
  TextIndex,
  Words,
} from 'fieldseal/typeorm'
import { Any, Between, type DataSource, Entity, In, Like, Not, PrimaryGeneratedColumn, type Repository } from 'typeorm'
import { openPool } from '../support/pool.js'
import { openEntities, type SourceUnderTest } from './openSource.js'

@Entity()
class Member {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare name: string

  @TextIndex<Member>('name', { prefix: [1, 3], words: true, grams: 3 })
  declare nameTokens?: string[]

  @Encrypted({ type: 'Int' })
  declare age: number

  @RangeIndex<Member>('age', { min: 0, max: 1000 })
  declare ageTokens?: string[]

  @Encrypted({ nullable: true })
  declare city: string | null

  @BlindIndex<Member>('city', { column: 'bytea' })
  declare cityIndex?: Buffer

  @Encrypted({ nullable: true })
  declare email: string | null

  @BlindIndex<Member>('email', { unique: true })
  declare emailIndex?: string
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

/** For how long each process holds keys, in milliseconds. */
const TTL = 400
const ROWS = 60

let source: SourceUnderTest
beforeAll(async () => {
  source = await openEntities([Member, Keys], { encryption: { keys: { ttl: TTL, staleFor: 0 } } })
})
afterAll(() => source?.close())

const membersOf = (dataSource: DataSource): Repository<Member> => forTenant(dataSource, 'acme').getRepository(Member)

/** Questions with their right answers, as long as nobody writes but for what has another name and age. */
function questions(
  members: Repository<Member>,
): readonly (() => Promise<readonly [what: string, asked: number, right: number]>)[] {
  return [
    async () => ['a range', await members.countBy({ age: Between(10, 19) }), 10],
    async () => ['not a range', await members.countBy({ age: Not(Between(10, 1000)) }), 10],
    async () => ['a beginning', await members.countBy({ name: Like('Me%') }), ROWS],
    async () => ['no beginning', await members.countBy({ name: Not(Like('M%')), age: Between(0, 500) }), 0],
    async () => ['two words', await members.countBy({ name: Words('Number7 Member') }), 1],
    async () => [
      'not two words',
      await members.countBy({ name: Not(Words('Number7 Member')), age: Between(0, 500) }),
      ROWS - 1,
    ],
    async () => ['equal', await members.countBy({ city: 'City 3', age: Between(0, 500) }), 12],
    async () => ['not equal', await members.countBy({ city: Not('City 3'), age: Between(0, 500) }), 48],
    async () => ['in', await members.countBy({ city: In(['City 3', 'City 4']), age: Between(0, 500) }), 24],
    async () => ['not in', await members.countBy({ city: Not(In(['City 3', 'City 4'])), age: Between(0, 500) }), 36],
    async () => ['any', await members.countBy({ city: Any(['City 3', 'City 4']), age: Between(0, 500) }), 24],
    async () => ['unique', await members.countBy({ email: '7@example.com' }), 1],
    async () => ['a part', (await members.findBy({ name: Like('%mber7%'), age: Between(0, 500) })).length, 1],
  ]
}

it('has its keys rotated beside searchers and writers, and no search misses a row', async () => {
  const rows = Array.from({ length: ROWS }, (_, age) => ({
    ...{ name: `Member Number${age}`, age, city: `City ${age % 5}` },
    email: `${age}@example.com`,
  }))
  await membersOf(source.dataSource).insert(rows)
  const [searcher, writer] = await Promise.all([source.another(), source.another()])
  const wrong: string[] = []
  const counts = { asked: 0, written: 0, refused: 0 }
  let isDone = false
  const search = async () => {
    const all = questions(membersOf(searcher!))
    for (; !isDone; counts.asked += 1) {
      const [what, asked, right] = await all[counts.asked % all.length]!()
      if (asked !== right) wrong.push(`${what}: ${asked} and not ${right}`)
      await delay(2)
    }
  }
  const write = async () => {
    for (; !isDone; counts.written += 1) {
      const city = `Town ${counts.written}`
      await membersOf(writer!).insert({ name: `Xenia ${counts.written}`, age: 900, city })
      const found = await membersOf(searcher!).countBy({
        name: Words(`Xenia ${counts.written}`),
        age: Between(900, 900),
      })
      if (found !== 1 || (await membersOf(searcher!).countBy({ city })) !== 1)
        wrong.push(`${counts.written} was written and not found`)
      await membersOf(writer!).update({ city }, { city: null })
      if ((await membersOf(searcher!).countBy({ city })) !== 0) wrong.push(`${counts.written} was changed and found`)
      await membersOf(writer!)
        .insert({ name: 'Twice', age: 901, email: '5@example.com' })
        .then(
          () => wrong.push('an email is there twice'),
          (error: unknown) => {
            if (FieldsealError.is(error, 'KEY_ROTATING')) counts.refused += 1
            else if (!String(error).includes('duplicate key')) wrong.push(String(error))
          },
        )
      await delay(5)
    }
  }
  const running = [search(), write()]
  const pool = openPool(source.url)
  const { outcome, added } = await encryptionOf(source.dataSource).rotateIndexKeys({
    ...{ database: pool, settle: 50, pauseUniqueWrites: true },
  })
  await delay(TTL)
  isDone = true
  await Promise.all(running)
  await pool.end()
  expect({ outcome, added, wrong }).toEqual({ outcome: 'done', added: 1, wrong: [] })
  expect(counts.asked).toBeGreaterThan(50)
  expect(counts.written).toBeGreaterThan(20)
  expect(counts.refused).toBeGreaterThan(0)
}, 60_000)
