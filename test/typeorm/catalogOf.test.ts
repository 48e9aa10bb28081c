import { describe, expect, it } from '@jest/globals'
import {
  ChildEntity,
  Column,
  type DataSource,
  Entity,
  EntitySchema,
  PrimaryColumn,
  TableInheritance,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { compilePlans } from '../../src/plan/compilePlans.js'
import type { CatalogTable } from '../../src/sql/catalog.js'
import { catalogOf } from '../../src/typeorm/catalogOf.js'
import { EncryptionKeyColumns } from '../../src/typeorm/keys/encryptionKeyColumns.js'
import { encrypted } from '../../src/typeorm/schema/columns.js'
import { BlindIndex, Encrypted, EncryptedView, EncryptionKeys } from '../../src/typeorm/schema/decorators.js'
import { encryptionSchemaOf } from '../../src/typeorm/schema/encryptionSchemaOf.js'
import { dataSourceOf } from './dataSourceOf.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

async function catalogFor(...[entities, options]: Parameters<typeof dataSourceOf>) {
  const dataSource = await dataSourceOf([EncryptionKey, ...(entities as [])], options)
  return { dataSource, ...catalogFrom(dataSource) }
}

function catalogFrom(dataSource: DataSource) {
  const schema = encryptionSchemaOf(dataSource)
  return catalogOf(dataSource, schema, compilePlans(schema, { toDecimal: String as never }))
}

/** An entity of a table with one encrypted column, or none. */
const entity = (name: string, table: string, schema?: string, isEncrypted = true) =>
  new EntitySchema({
    name,
    tableName: table,
    ...(schema === undefined ? {} : { schema }),
    columns: { id: { type: 'int', primary: true }, name: isEncrypted ? encrypted() : { type: 'text' } },
  })

const kinds = (table: CatalogTable | undefined) =>
  Object.fromEntries([...(table?.columns ?? [])].map(([name, { kind }]) => [name, kind]))

describe('columns', () => {
  class Phone {
    @Encrypted() number!: string
    @BlindIndex('number', { name: 'find' }) numberIndex?: string
  }

  @Entity('people')
  @TableInheritance({ column: { name: 'kind', type: 'text' } })
  class Person {
    @PrimaryColumn({ name: 'person_id' }) id!: number
    @Column(() => Phone) phone!: Phone
  }

  @ChildEntity()
  class Member extends Person {
    @Encrypted({ name: 'badge_text' }) badge!: string
  }

  it('are known by their names in the database, those of embedded and of child classes too', async () => {
    const { find } = await catalogFor([Person, Member])
    const people = find(undefined, 'people')
    expect(kinds(people)).toEqual({
      person_id: 'plain',
      phoneNumber: 'encrypted',
      phoneFind: 'index',
      badge_text: 'encrypted',
      kind: 'plain',
    })
    expect(people).toMatchObject({ name: 'people', schema: undefined, isView: false, plan: { name: 'Person' } })
    expect(people!.columns.get('phoneNumber')).toMatchObject({ field: { name: 'Person.phone.number' } })
    expect(people!.columns.get('phoneFind')).toMatchObject({ index: { field: 'phone.numberIndex' } })
    expect(people!.columns.get('person_id')).toEqual({ kind: 'plain', field: 'id' })
  })

  it('that another entity of the table has are plain', async () => {
    const more = new EntitySchema({
      name: 'More',
      tableName: 'thing',
      columns: { id: { type: 'int', primary: true }, size: { type: 'int' } },
    })
    const { find } = await catalogFor([more, entity('Thing', 'thing')])
    expect(kinds(find(undefined, 'thing'))).toEqual({ id: 'plain', name: 'encrypted', size: 'plain' })
    expect(find(undefined, 'thing')!.plan.name).toBe('Thing')
  })
})

describe('names', () => {
  it('of tables that nobody declared mean nothing', async () => {
    const { find } = await catalogFor([entity('User', 'user')])
    expect(find(undefined, 'User')).toBeUndefined()
    expect(find('app', 'other')).toBeUndefined()
  })

  it('without schema mean the table that has one, and with any schema the table that has none', async () => {
    const { find } = await catalogFor([entity('A', 'a', 'app'), entity('B', 'b')])
    expect(find(undefined, 'a')!.plan.name).toBe('A')
    expect(find('app', 'a')!.plan.name).toBe('A')
    expect(find('elsewhere', 'a')).toBeUndefined()
    expect(find('anywhere', 'b')!.plan.name).toBe('B')
  })

  it('are of the schema that the data source says', async () => {
    const { find } = await catalogFor([entity('A', 'a')], { schema: 'app' })
    expect(find('app', 'a')).toMatchObject({ schema: 'app' })
    expect(find('other', 'a')).toBeUndefined()
  })

  it('that may mean several tables, one of them encrypted, are refused', async () => {
    const { find } = await catalogFor([entity('A', 'user', 'a'), entity('B', 'user', 'b', false)])
    expect(() => find(undefined, 'user')).toThrow(
      'the table "user" may be that of several entities, A (a), B (b), and one has encrypted columns; write the schema',
    )
    expect(find('b', 'user')!.plan.name).toBe('B')
  })

  it('that may mean several plain tables mean none that is known', async () => {
    const { find } = await catalogFor([entity('A', 'user', 'a', false), entity('B', 'user', 'b', false)])
    expect(find(undefined, 'user')).toBeUndefined()
  })

  it('without schema mean the entity without, unless the connection’s own schema has another', async () => {
    const { find, dataSource } = await catalogFor([entity('A', 'user', 'a'), entity('B', 'user', undefined, false)])
    expect(find(undefined, 'user')!.plan.name).toBe('B')
    ;(dataSource.driver as { searchSchema?: string }).searchSchema = 'a'
    expect(() => find(undefined, 'user')).toThrow(/several entities/)
    expect(find('a', 'user')!.plan.name).toBe('A')
  })
})

describe('views', () => {
  @Entity()
  class User {
    @PrimaryColumn() id!: number
    @Encrypted({ bind: 'id' }) email!: string
    @BlindIndex<User>('email') emailIndex?: string
  }

  @ViewEntity({ name: 'contacts', expression: 'SELECT * FROM "user"' })
  class Contact {
    @ViewColumn({ name: 'number' }) id!: number
    @EncryptedView('User.email', { name: 'mail' }) address!: string
    @EncryptedView('User.emailIndex', { select: false }) index?: string
  }

  @ViewEntity({ expression: 'SELECT 1 AS one' })
  class One {
    @ViewColumn() one!: number
  }

  it('show the columns of a table by names of their own', async () => {
    const { find } = await catalogFor([User, Contact])
    const view = find(undefined, 'contacts')!
    expect(view).toMatchObject({ isView: true, plan: { name: 'User' } })
    expect(view.columns.get('mail')).toMatchObject({ kind: 'encrypted', field: { name: 'User.email' } })
    expect(view.columns.get('index')).toMatchObject({ kind: 'index', index: { name: 'User.emailIndex' } })
    expect(view.columns.get('number')).toEqual({ kind: 'plain', field: 'id' })
  })

  it('without anything encrypted are declared all the same', async () => {
    const { find } = await catalogFor([One])
    expect(find(undefined, 'one')).toMatchObject({ isView: true, plan: { name: 'One', encrypted: [] } })
    expect(kinds(find(undefined, 'one'))).toEqual({ one: 'plain' })
  })
})
