import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Repository } from 'typeorm'
import { refusal } from '../support/refusal.js'
import { Card } from './entities.js'
import { openSource, type SourceUnderTest } from './openSource.js'
import { emptyTables } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
let cards: Repository<Card>
const id = randomUUID()
beforeAll(async () => {
  source = await openSource()
  cards = source.dataSource.getRepository(Card)
})
beforeEach(async () => {
  await emptyTables(source)
  await cards.save({ id, pan: '4111', label: 'a' })
})
afterAll(() => source?.close())

describe('a ciphertext that is bound to the id', () => {
  it('is updated by the id', async () => {
    await cards.update(id, { pan: '4222' })
    expect(await cards.findOneByOrFail({ id })).toMatchObject({ pan: '4222' })
    await cards.save({ id, pan: '4333' })
    expect(await cards.find()).toMatchObject([{ pan: '4333', label: 'a' }])
    await cards.createQueryBuilder().update().set({ pan: '4444' }).where('id = :id', { id }).execute()
    expect(await cards.findOneBy({ id })).toMatchObject({ pan: '4444' })
  })

  it('is inserted in many rows, each with its own', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID()]
    await cards.insert(ids.map((each, n) => ({ id: each, pan: `pan${n}` })))
    for (const [n, each] of ids.entries()) expect(await cards.findOneBy({ id: each })).toMatchObject({ pan: `pan${n}` })
  })

  it('is read although the id was not asked for, and the id is not in the result', async () => {
    const found = await cards.find({ select: { pan: true } })
    expect(found.map(({ pan, id: shown }) => ({ pan, shown }))).toEqual([{ pan: '4111', shown: undefined }])
  })

  it('is read by a builder and by raw SQL that do not ask for the id', async () => {
    expect(await cards.createQueryBuilder('c').select('c.pan', 'pan').getRawMany()).toEqual([{ pan: '4111' }])
    expect(await source.dataSource.query('SELECT pan FROM card')).toEqual([{ pan: '4111' }])
  })

  it('fails in another row', async () => {
    const other = randomUUID()
    await cards.save({ id: other, pan: '5555' })
    await source.stored('UPDATE card SET pan = (SELECT pan FROM card WHERE id = $1) WHERE id = $2', [id, other])
    const error = await refusal(() => cards.findOneBy({ id: other }))
    expect(error).toMatchObject({ code: 'DECRYPTION_FAILED', message: expect.stringContaining('Card.pan') })
    expect(await cards.findOneBy({ id })).toMatchObject({ pan: '4111' })
  })

  it('may become null in many rows', async () => {
    await cards.update({ label: 'a' }, { pan: null })
    expect(await cards.findOneBy({ id })).toMatchObject({ pan: null })
  })
})

describe('refused, with nothing sent', () => {
  const missing = { code: 'BOUND_VALUE_MISSING', names: 'Card.pan' } as const
  it('is an update of many rows', async () => {
    await refusedBeforeSql(source, () => cards.update({ label: 'a' }, { pan: '1' }), missing)
  })

  it('is an insert without what it is bound to', async () => {
    const insert = () => source.dataSource.query('INSERT INTO card(pan) VALUES ($1)', ['1'])
    await refusedBeforeSql(source, insert, missing)
  })

  it('is a change of what it is bound to', async () => {
    await refusedBeforeSql(source, () => cards.update(id, { id: randomUUID() }), { names: 'Card.id' })
    const row = () => source.dataSource.query('UPDATE card SET (label, id) = ($1, $2)', ['a', randomUUID()])
    await refusedBeforeSql(source, row, { names: 'Card.id' })
  })

  it('is an upsert that would write over a row with another', async () => {
    const row = { id: randomUUID(), pan: '1', label: 'a' }
    const insert = cards.createQueryBuilder().insert().values(row).orUpdate(['pan'], ['label'])
    await refusedBeforeSql(source, () => insert.execute(), { names: 'Card.pan' })
  })
})
