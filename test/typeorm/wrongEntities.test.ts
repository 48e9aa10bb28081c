import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import {
  BlindIndex,
  Encrypted,
  EncryptedView,
  EncryptionKeyColumns,
  EncryptionKeys,
  fieldEncryption,
  Tenant,
} from 'fieldseal/typeorm'
import {
  Column,
  CreateDateColumn,
  Entity,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { refusal } from '../support/refusal.js'
import { City, EncryptionKey } from './entities.js'
import { openSource, plainSource, type SourceUnderTest } from './openSource.js'

let source: SourceUnderTest
beforeAll(async () => {
  source = await openSource()
})
afterAll(() => source?.close())

abstract class WithId {
  @PrimaryGeneratedColumn()
  declare id: number
}

/** A column of an entity, decorated in a wrong way. */
function entityOf(name: string, decorate: (prototype: object) => void): new () => object {
  class Wrong extends WithId {}
  Object.defineProperty(Wrong, 'name', { value: name })
  decorate(Wrong.prototype)
  Entity()(Wrong)
  return Wrong
}

const put = (prototype: object, property: string, ...decorators: PropertyDecorator[]) => {
  for (const decorator of decorators.toReversed()) decorator(prototype, property)
}
const text = { type: 'text' } as const

/** What is wrong, the property that must be named, and how it is declared. */
const WRONG: readonly [string, string, (prototype: object) => void][] = [
  ['a primary key', 'email', (to) => put(to, 'email', PrimaryColumn(text), Encrypted())],
  ['an index of nothing', 'emailIndex', (to) => put(to, 'emailIndex', BlindIndex('email'))],
  [
    'an index of a plain column',
    'emailIndex',
    (to) => {
      put(to, 'email', Column(text))
      put(to, 'emailIndex', BlindIndex('email'))
    },
  ],
  [
    'an index of JSON',
    'notesIndex',
    (to) => {
      put(to, 'notes', Encrypted({ type: 'Json' }))
      put(to, 'notesIndex', BlindIndex('notes'))
    },
  ],
  [
    'an index of a list',
    'namesIndex',
    (to) => {
      put(to, 'names', Encrypted({ array: true }))
      put(to, 'namesIndex', BlindIndex('names'))
    },
  ],
  [
    'bits that are no number of bytes',
    'emailIndex',
    (to) => {
      put(to, 'email', Encrypted())
      put(to, 'emailIndex', BlindIndex('email', { bits: 12 }))
    },
  ],
  [
    'a normaliser of what is no text',
    'ageIndex',
    (to) => {
      put(to, 'age', Encrypted({ type: 'Int' }))
      put(to, 'ageIndex', BlindIndex('age', { normalize: ['trim'] }))
    },
  ],
  [
    'a unique index of few bits',
    'emailIndex',
    (to) => {
      put(to, 'email', Encrypted())
      put(to, 'emailIndex', BlindIndex('email', { bits: 16, unique: true }))
    },
  ],
  ['a bound column that does not exist', 'pan', (to) => put(to, 'pan', Encrypted({ bind: 'number' }))],
  ['a bound id that the database makes', 'pan', (to) => put(to, 'pan', Encrypted({ bind: 'id' }))],
  [
    'a bound column that is encrypted itself',
    'pan',
    (to) => {
      put(to, 'name', Encrypted())
      put(to, 'pan', Encrypted({ bind: 'name' }))
    },
  ],
  ['padding to nothing', 'pin', (to) => put(to, 'pin', Encrypted({ pad: 0 }))],
  ['a mask that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ mask: 'all' as never }))],
  ['a mask of a number', 'pin', (to) => put(to, 'pin', Encrypted({ type: 'Int', mask: 'last4' }))],
  ['a type that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ type: 'Text' as never }))],
  ['an option that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ mod: 'kms' } as never))],
  ['a column that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ column: 'char' as never }))],
  ['a state that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ state: 'moving' as never }))],
  ['a mode that nobody knows', 'pin', (to) => put(to, 'pin', Encrypted({ mode: 'aes' as never }))],
  ['a list of JSON in a JSON column', 'pin', (to) => put(to, 'pin', Encrypted({ array: true, column: 'jsonb' }))],
  ['a context that has no form', 'pin', (to) => put(to, 'pin', Encrypted({ as: '' }))],
  ['an enum without values', 'pin', (to) => put(to, 'pin', Encrypted({ enum: [] }))],
  ['a tenant that is no column', 'org', (to) => put(to, 'org', Tenant())],
  ['a tenant that is encrypted', 'org', (to) => put(to, 'org', Tenant(), Encrypted())],
  [
    'two tenants',
    'other',
    (to) => {
      put(to, 'org', Tenant(), Column(text))
      put(to, 'other', Tenant(), Column(text))
    },
  ],
  ['a column that is encrypted and plain', 'name', (to) => put(to, 'name', Encrypted(), Column(text))],
  ['a date that TypeORM makes', 'at', (to) => put(to, 'at', Encrypted(), CreateDateColumn())],
]

async function problemsOf(...list: unknown[]) {
  const dataSource = fieldEncryption(plainSource(source.url, { entities: list as never[] }), {
    kms: localKms({ key: Buffer.alloc(32, 7).toString('base64') }),
  })
  try {
    return await refusal(() => dataSource.initialize())
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy()
  }
}

describe('an entity that is marked wrongly stops initialize, which names entity and property', () => {
  it.each(WRONG.map(([what, property, decorate], n) => ({ what, property, decorate, name: `Wrong${n}` })))(
    'is named with its property: $what',
    async ({ property, decorate, name }) => {
      const error = await problemsOf(entityOf(name, decorate), EncryptionKey)
      expect(error.code).toBe('SCHEMA_INVALID')
      expect(error.message).toContain(`${name}.${property}`)
    },
  )

  it('is named with all others at once', async () => {
    const one = entityOf('One', (to) => put(to, 'pin', Encrypted({ pad: 0 })))
    const two = entityOf('Two', (to) => put(to, 'emailIndex', BlindIndex('email')))
    const { message } = await problemsOf(one, two, EncryptionKey)
    expect(message).toContain('One.pin')
    expect(message).toContain('Two.emailIndex')
  })

  it('no keys entity, and two', async () => {
    const good = entityOf('Good', (to) => put(to, 'pin', Encrypted()))
    expect(await problemsOf(good)).toMatchObject({ code: 'SCHEMA_INVALID', message: expect.stringContaining('Keys') })
    @EncryptionKeys({ name: 'more_keys' })
    class MoreKeys extends EncryptionKeyColumns {}
    expect(await problemsOf(good, EncryptionKey, MoreKeys)).toMatchObject({ code: 'SCHEMA_INVALID' })
  })

  it('a view of a column that does not exist', async () => {
    @ViewEntity({ expression: 'SELECT 1 AS id, NULL AS mail' })
    class Overview {
      @ViewColumn()
      declare id: number

      @EncryptedView('Nobody.mail')
      declare mail: string
    }
    expect(await problemsOf(Overview, City, EncryptionKey)).toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringContaining('Overview.mail'),
    })
  })

  it('a foreign key that is encrypted', async () => {
    @Entity()
    class Child extends WithId {
      @Encrypted()
      declare parentId: string

      @ManyToOne(() => City)
      @JoinColumn({ name: 'parentId' })
      declare parent: Relation<City>
    }
    expect(await problemsOf(Child, City, EncryptionKey)).toMatchObject({
      code: 'SCHEMA_INVALID',
      message: expect.stringContaining('Child.parent'),
    })
  })

  it('which leaves nothing behind', async () => {
    const wrong = entityOf('Behind', (to) => put(to, 'pin', Encrypted({ pad: 0 })))
    const dataSource = fieldEncryption(
      plainSource(source.url, { entities: [wrong, EncryptionKey] as never[], synchronize: true }),
      {
        kms: localKms({ key: Buffer.alloc(32, 7).toString('base64') }),
      },
    )
    expect(await refusal(() => dataSource.initialize())).toMatchObject({ code: 'SCHEMA_INVALID' })
    expect(dataSource.isInitialized).toBe(false)
    expect(await source.stored(`SELECT FROM pg_tables WHERE tablename = 'behind'`)).toEqual([])
  })
})
