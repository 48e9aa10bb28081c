import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BlindIndex, Encrypted, EncryptionKeyColumns, EncryptionKeys, encryptionOf } from 'fieldseal/typeorm'
import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm'
import { Doctor, Patient, Person } from './entities.js'
import { openEntities, openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
  const { dataSource } = source
  await dataSource.getRepository(Patient).save({ name: 'pat', ssn: '123' })
  await dataSource.getRepository(Doctor).save({ name: 'doc', licence: 'L1' })
  await dataSource.getRepository(Person).save({ name: 'per' })
})
afterAll(() => source?.close())

describe('inheritance in one table', () => {
  it('finds by an encrypted column of a child', async () => {
    expect(await source.dataSource.getRepository(Patient).findOneByOrFail({ ssn: '123' })).toMatchObject({ ssn: '123' })
  })

  it('gives each row as what it is', async () => {
    const found = await source.dataSource.getRepository(Person).find({ order: { id: 'ASC' } })
    expect(found).toMatchObject([{ ssn: '123' }, { licence: 'L1' }, { name: 'per' }])
    expect(found.map((one) => one.constructor)).toEqual([Patient, Doctor, Person])
  })

  it('is one model of the root’s name', async () => {
    const [row] = await source.stored('SELECT * FROM person WHERE ssn IS NOT NULL')
    expect(row!.ssn).toMatch(CIPHERTEXT)
    expect(encryptionOf(source.dataSource).schema.models.Person!.encrypted).toMatchObject({
      ssn: { context: 'Person.ssn' },
      licence: { context: 'Person.licence' },
    })
    expect(encryptionOf(source.dataSource).schema.models).not.toHaveProperty('Patient')
  })

  it('refuses what a child may not be asked, by its name', async () => {
    const doctors = source.dataSource.getRepository(Doctor)
    await refusedBeforeSql(source, () => doctors.findBy({ licence: 'L1' }), { names: 'Person.licence' })
  })
})

abstract class Base {
  @PrimaryGeneratedColumn()
  declare id: number

  @Encrypted()
  declare secret: string

  @BlindIndex<Base>('secret')
  declare secretIndex?: string
}

@Entity()
class Left extends Base {}

@Entity()
class Right extends Base {
  @Column({ type: 'int', default: 0 })
  declare n: number
}

@EncryptionKeys()
class Keys extends EncryptionKeyColumns {}

describe('a class that several entities extend', () => {
  it('gives each its own context, so that ciphertexts of one are nothing to the other', async () => {
    const own = await openEntities([Left, Right, Keys])
    const { manager } = own.dataSource
    await manager.save(Left, { secret: 's' })
    await manager.save(Right, { secret: 's', n: 1 })
    expect(await manager.findOneBy(Right, { secret: 's' })).toMatchObject({ secret: 's', n: 1 })
    const [left] = await own.stored('SELECT * FROM "left"')
    const [right] = await own.stored('SELECT * FROM "right"')
    expect(left!.secretIndex).not.toBe(right!.secretIndex)
    await own.stored('UPDATE "right" SET secret = (SELECT secret FROM "left")')
    await expect(manager.find(Right)).rejects.toMatchObject({
      code: 'DECRYPTION_FAILED',
      message: expect.stringContaining('Right.secret'),
    })
    await own.close()
  })
})
