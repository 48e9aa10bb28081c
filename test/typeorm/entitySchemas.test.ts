import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { blindIndex, encrypted, encryptionKeys, forTenant, tenant } from 'fieldseal/typeorm'
import { EntitySchema } from 'typeorm'
import { type Secret, SecretSchema } from './entities.js'
import { openEntities, openSource, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

interface Owned {
  id: string
  org: string
  text: string
  textIndex?: string
  age: number | null
}

const OwnedSchema = new EntitySchema<Owned>({
  name: 'Owned',
  columns: {
    id: { type: 'uuid', primary: true },
    org: tenant({ type: 'text' }),
    text: encrypted({ bind: 'id', name: 'the text', mask: 'initials' }),
    textIndex: blindIndex<Owned>('text', { normalize: ['lowercase'], unique: true, name: 'the index' }),
    age: encrypted({ type: 'Int', nullable: true, column: 'bytea' }),
  },
})

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
})
afterAll(() => source?.close())

describe('an EntitySchema', () => {
  it('has encrypted columns and indexes, as a class has', async () => {
    const secrets = source.dataSource.getRepository<Secret>('Secret')
    await secrets.save({ text: 's3' })
    expect(await secrets.findBy({ text: 's3' })).toMatchObject([{ text: 's3' }])
    expect(await source.stored('SELECT * FROM secret')).toMatchObject([{ text: expect.stringMatching(CIPHERTEXT) }])
    expect(await source.dataSource.getRepository(SecretSchema).count()).toBe(1)
  })

  it('has a tenant, bound columns, other names, and keys without a class', async () => {
    const own = await openEntities([OwnedSchema, encryptionKeys()], { defaultTenant: null })
    const acme = forTenant(own.dataSource, 'acme').getRepository(OwnedSchema)
    const row = { id: '7b1c8a5e-0000-4000-8000-000000000001', org: 'acme', text: 'Ada Lovelace', age: 36 }
    await acme.save({ ...row })
    expect(await acme.findOneBy({ text: 'ADA lovelace' })).toMatchObject(row)
    expect(await own.stored('SELECT "the text" AS t, "the index" AS i, age FROM owned')).toEqual([
      { t: expect.stringMatching(CIPHERTEXT), i: expect.stringMatching(/^[\w-]{22}$/), age: expect.any(Buffer) },
    ])
    const limited = forTenant(own.dataSource, 'acme', { allow: ['Owned.age'] }).getRepository(OwnedSchema)
    expect(await limited.find()).toMatchObject([{ text: 'A••• L•••', age: 36 }])
    const other = () => acme.insert({ ...row, id: '7b1c8a5e-0000-4000-8000-000000000002', org: 'globex', text: 'B' })
    await refusedBeforeSql(own, other, { code: 'TENANT_MISMATCH', names: 'Owned' })
    await own.close()
  })
})
