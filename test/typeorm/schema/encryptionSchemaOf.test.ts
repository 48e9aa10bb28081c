import { describe, expect, it } from '@jest/globals'
import {
  ChildEntity,
  Column,
  Entity,
  EntitySchema,
  Index,
  JoinColumn,
  ManyToMany,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  TableInheritance,
} from 'typeorm'
import { EncryptionKeyColumns, encryptionKeys } from '../../../src/typeorm/keys/encryptionKeyColumns.js'
import { blindIndex, encrypted, tenant } from '../../../src/typeorm/schema/columns.js'
import { BlindIndex, Encrypted, EncryptionKeys, Tenant } from '../../../src/typeorm/schema/decorators.js'
import { schemaOf } from '../dataSourceOf.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

enum Role {
  Admin = 'admin',
  Guest = 'guest',
}

describe('decorators', () => {
  @Entity({ name: 'users', schema: 'app' })
  class User {
    @PrimaryColumn('uuid') id!: string
    @Tenant() @Column({ name: 'tenant_id', length: 36 }) tenantId!: string
    @Encrypted({ bind: 'id', mask: 'email', as: 'Person.email' }) email!: string
    @BlindIndex<User>('email', { normalize: ['trim', 'lowercase'], unique: true }) emailIndex?: string
    @Encrypted({ type: 'Int', nullable: true, state: 'migrating' }) age!: number | null
    @Encrypted({ column: 'jsonb', nullable: true, name: 'note' }) notes!: object | null
    @Encrypted({ column: 'bytea', pad: 64 }) scan!: Buffer
    @Encrypted({ array: true, type: 'DateTime' }) visits!: Date[]
    @Encrypted({ enum: Role, mode: 'kms' }) role!: Role
    @BlindIndex<User>(['email', 'age'], { bits: 16, scope: 'global', column: 'bytea' }) both?: Buffer
  }

  it('give a table its model', async () => {
    const { keysModel, models, format } = await schemaOf([User, EncryptionKey])
    expect({ format, keysModel }).toEqual({ format: 4, keysModel: 'EncryptionKey' })
    expect(models.User).toEqual({
      schema: 'app',
      table: 'users',
      id: ['id'],
      uniques: {},
      columns: {
        id: 'id',
        tenantId: 'tenant_id',
        email: 'email',
        emailIndex: 'emailIndex',
        age: 'age',
        notes: 'note',
        scan: 'scan',
        visits: 'visits',
        role: 'role',
        both: 'both',
      },
      tenant: 'tenantId',
      tenantLength: 36,
      encrypted: {
        email: { type: 'String', required: true, mask: 'email', context: 'Person.email', bind: ['id'] },
        age: { type: 'String', value: 'Int', required: false, state: 'migrating', context: 'User.age', bind: [] },
        notes: { type: 'Json', required: false, context: 'User.notes', bind: [] },
        scan: { type: 'Bytes', required: true, pad: 64, context: 'User.scan', bind: [] },
        visits: { type: 'String', value: 'DateTime', list: true, required: true, context: 'User.visits', bind: [] },
        role: {
          type: 'String',
          value: 'Enum',
          enum: ['admin', 'guest'],
          mode: 'kms',
          required: true,
          context: 'User.role',
          bind: [],
        },
      },
      indexes: {
        emailIndex: {
          type: 'String',
          sources: ['email'],
          normalize: ['trim', 'lowercase'],
          scope: 'tenant',
          bits: 128,
          unique: true,
        },
        both: { type: 'Bytes', sources: ['email', 'age'], normalize: [], scope: 'global', bits: 16 },
      },
      bound: { id: { type: 'Uuid' } },
      relations: {},
    })
  })

  it('give the keys table the names that Prisma gives it', async () => {
    const { models } = await schemaOf([User, EncryptionKey])
    expect(models.EncryptionKey).toMatchObject({
      table: 'encryption_keys',
      id: ['id'],
      columns: { kekId: 'kekId', createdAt: 'createdAt' },
      uniques: { tenant_purpose_version: ['tenant', 'purpose', 'version'] },
    })
  })
})

describe('an EntitySchema', () => {
  it('says the same with helpers', async () => {
    const user = new EntitySchema({
      name: 'User',
      columns: {
        id: { type: 'uuid', primary: true },
        tenantId: tenant({ type: 'uuid', transformer: { to: (v) => v, from: (v) => v } }),
        email: encrypted({ bind: ['id'], name: 'mail' }),
        emailIndex: blindIndex('email', { unique: true }),
      },
    })
    const { keysModel, models } = await schemaOf([user, encryptionKeys({ name: 'Key' })])
    expect(keysModel).toBe('Key')
    expect(models.Key!.uniques).toEqual({ tenant_purpose_version: ['tenant', 'purpose', 'version'] })
    expect(models.User).toMatchObject({
      table: 'user',
      tenant: 'tenantId',
      tenantType: 'Uuid',
      encrypted: { email: { context: 'User.email', bind: ['id'] } },
      indexes: { emailIndex: { sources: ['email'], unique: true } },
      columns: { email: 'mail' },
    })
  })
})

describe('embedded classes', () => {
  class Phone {
    @Column() country!: string
    @Encrypted({ bind: ['country', 'id'] }) number!: string
    @BlindIndex('number') numberIndex?: string
  }

  class Profile {
    @Tenant() @Column() owner!: string
    @Column(() => Phone) phone!: Phone
  }

  @Entity()
  class Person {
    @PrimaryColumn('uuid') id!: string
    @Column(() => Profile) profile!: Profile
    @Column(() => Phone, { prefix: 'work' }) work!: Phone
  }

  it('have fields named by their paths, and name properties beside their own first', async () => {
    const { models } = await schemaOf([Person, EncryptionKey])
    expect(models.Person).toMatchObject({
      tenant: 'profile.owner',
      encrypted: {
        'profile.phone.number': { context: 'Person.profile.phone.number', bind: ['profile.phone.country', 'id'] },
        'work.number': { context: 'Person.work.number', bind: ['work.country', 'id'] },
      },
      indexes: { 'work.numberIndex': { sources: ['work.number'] } },
      columns: { 'profile.phone.number': 'profilePhoneNumber', 'work.number': 'workNumber' },
    })
  })
})

describe('inheritance', () => {
  abstract class Base {
    @PrimaryColumn('uuid') id!: string
    @Encrypted() secret!: string
  }

  @Entity()
  @TableInheritance({ column: { type: 'varchar', name: 'kind' } })
  class Content extends Base {
    @Column() title!: string
  }

  @ChildEntity()
  class Photo extends Content {
    @Encrypted() place!: string
    @BlindIndex<Photo>('place') placeIndex?: string
  }

  @Entity()
  class Letter extends Base {}

  it('by one table has the columns of all in the model of the root', async () => {
    const { models } = await schemaOf([Photo, Content, Letter, EncryptionKey])
    expect(Object.keys(models).toSorted()).toEqual(['Content', 'EncryptionKey', 'Letter'])
    expect(models.Content!.encrypted).toMatchObject({
      secret: { context: 'Content.secret', required: true },
      place: { context: 'Content.place', required: false },
    })
    expect(models.Content!.columns).toMatchObject({ kind: 'kind', place: 'place' })
  })

  it('by tables of their own has a model for each', async () => {
    const { models } = await schemaOf([Letter, Content, EncryptionKey])
    expect(models.Letter!.encrypted).toMatchObject({ secret: { context: 'Letter.secret' } })
  })
})

describe('relations', () => {
  @Entity()
  class Clinic {
    @PrimaryColumn() id!: string
    @OneToMany(
      () => Patient,
      ({ clinic }) => clinic,
    )
    patients!: Patient[]
  }

  @Entity()
  @Index(['clinic', 'number'], { unique: true })
  class Patient {
    @PrimaryColumn() id!: string
    @Tenant()
    @ManyToOne(
      () => Clinic,
      ({ patients }) => patients,
      { nullable: false },
    )
    clinic!: Clinic
    @Column() number!: number
    @Column({ nullable: true }) friendId!: string | null
    @ManyToOne(() => Patient) @JoinColumn({ name: 'friendId' }) friend!: Patient | null
    @ManyToMany(() => Clinic) visited!: Clinic[]
    @Encrypted({ bind: 'number' }) name!: string
  }

  it('are in the model, and a tenant may be one', async () => {
    const { models } = await schemaOf([Clinic, Patient, EncryptionKey])
    expect(models.Patient).toMatchObject({
      tenant: 'clinic.id',
      columns: { 'clinic.id': 'clinicId', friendId: 'friendId' },
      uniques: { 'clinic.id_number': ['clinic.id', 'number'] },
      bound: { number: { type: 'Int' } },
    })
    expect(models.Patient!.relations).toEqual({
      clinic: { model: 'Clinic', relationName: 'Patient.clinic', list: false, from: ['clinic.id'], to: ['id'] },
      friend: { model: 'Patient', relationName: 'Patient.friend', list: false, from: ['friendId'], to: ['id'] },
      visited: { model: 'Clinic', relationName: 'Patient.visited', list: true, from: [], to: [] },
    })
    expect(models.Clinic!.relations).toEqual({
      patients: { model: 'Patient', relationName: 'Patient.clinic', list: true, from: [], to: [] },
    })
  })
})

it('takes a data source without anything encrypted', async () => {
  @Entity()
  class Plain {
    @PrimaryColumn() id!: string
  }
  expect(await schemaOf([Plain])).toMatchObject({ keysModel: '', models: { Plain: { table: 'plain', encrypted: {} } } })
})
