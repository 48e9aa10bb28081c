import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys, encryptionOf } from 'fieldseal/typeorm'
import { Column, Entity, PrimaryColumn } from 'typeorm'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

class Street {
  @Encrypted({ nullable: true })
  declare line: string | null

  @BlindIndex<Street>('line')
  declare lineIndex?: string
}

class Address {
  @Encrypted({ type: 'Int', nullable: true })
  declare floor: number | null

  @Column(() => Street)
  declare street: Street
}

@Entity()
class Place {
  @PrimaryColumn({ type: 'int' })
  declare id: number

  @Column(() => Address)
  declare home: Address

  @Column(() => Address, { prefix: 'w' })
  declare work: Address
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

let source: SourceUnderTest
beforeAll(async () => {
  source = await openEntities([Place, Keys])
  await source.dataSource.getRepository(Place).save({
    id: 1,
    home: { floor: 3, street: { line: 'Elm St' } },
    work: { floor: null, street: { line: 'Elm St' } },
  })
})
afterAll(() => source?.close())

const places = () => source.dataSource.getRepository(Place)

describe('columns of embedded classes', () => {
  it('are encrypted and read at any depth', async () => {
    const [row] = await source.stored('SELECT * FROM place')
    const cells = Object.entries(row!).filter(
      ([name, value]) => name !== 'id' && !/index/i.test(name) && value !== null,
    )
    expect(cells).toHaveLength(3)
    for (const [, cell] of cells) expect(cell).toMatch(CIPHERTEXT)
    expect(await places().findOneByOrFail({ id: 1 })).toMatchObject({
      home: { floor: 3, street: { line: 'Elm St' } },
      work: { floor: null, street: { line: 'Elm St' } },
    })
  })

  it('are fields of the entity, by their paths', () => {
    const { encrypted, indexes } = encryptionOf(source.dataSource).schema.models.Place!
    expect(Object.keys(encrypted).sort()).toEqual(['home.floor', 'home.street.line', 'work.floor', 'work.street.line'])
    expect(indexes['home.street.lineIndex']).toMatchObject({ sources: ['home.street.line'] })
  })

  it('are found by, each place by its own', async () => {
    expect(await places().findBy({ home: { street: { line: 'Elm St' } } })).toHaveLength(1)
    expect(await places().findBy({ work: { street: { line: 'Oak St' } } })).toHaveLength(0)
    const [row] = await source.stored('SELECT * FROM place')
    const indexes = Object.entries(row!).filter(([name]) => /index/i.test(name))
    expect(new Set(indexes.map(([, value]) => value)).size).toBe(2)
  })

  it('are named with their path in refusals', async () => {
    const byFloor = () => places().findBy({ home: { floor: 3 } })
    await refusedBeforeSql(source, byFloor, { names: 'Place.home.floor' })
  })
})
