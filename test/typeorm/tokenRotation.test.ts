import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import {
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  forTenant,
  RangeIndex,
  TextIndex,
  Words,
} from 'fieldseal/typeorm'
import { Between, type DataSource, Entity, Like, Not, PrimaryGeneratedColumn, type Repository } from 'typeorm'
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
    async () => ['a part', (await members.findBy({ name: Like('%mber7%'), age: Between(0, 500) })).length, 1],
  ]
}

it('has its keys rotated beside searchers and writers, and no search misses a row', async () => {
  const rows = Array.from({ length: ROWS }, (_, age) => ({ name: `Member Number${age}`, age }))
  await membersOf(source.dataSource).insert(rows)
  const [searcher, writer] = await Promise.all([source.another(), source.another()])
  const wrong: string[] = []
  const counts = { asked: 0, written: 0 }
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
      await membersOf(writer!).insert({ name: `Xenia ${counts.written}`, age: 900 })
      const found = await membersOf(searcher!).countBy({
        name: Words(`Xenia ${counts.written}`),
        age: Between(900, 900),
      })
      if (found !== 1) wrong.push(`${counts.written} was written and not found`)
      await delay(5)
    }
  }
  const running = [search(), write()]
  const pool = openPool(source.url)
  const { outcome, added } = await encryptionOf(source.dataSource).rotateIndexKeys({ database: pool, settle: 50 })
  await delay(TTL)
  isDone = true
  await Promise.all(running)
  await pool.end()
  expect({ outcome, added, wrong }).toEqual({ outcome: 'done', added: 1, wrong: [] })
  expect(counts.asked).toBeGreaterThan(50)
  expect(counts.written).toBeGreaterThan(20)
}, 60_000)
