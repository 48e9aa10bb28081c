import { describe, expect, it } from '@jest/globals'
import {
  Check,
  ChildEntity,
  Column,
  CreateDateColumn,
  DataSource,
  Entity,
  EntitySchema,
  type EntitySchemaColumnOptions,
  Generated,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  TableInheritance,
  UpdateDateColumn,
  VersionColumn,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { EncryptionKeyColumns, encryptionKeys } from '../../src/typeorm/keys/encryptionKeyColumns.js'
import { blindIndex, encrypted, encryptedView, tenant } from '../../src/typeorm/schema/columns.js'
import { BlindIndex, Encrypted, EncryptedView, EncryptionKeys, Tenant } from '../../src/typeorm/schema/decorators.js'
import { encryptionSchemaOf } from '../../src/typeorm/schema/encryptionSchemaOf.js'
import { refusal } from '../support/refusal.js'
import { problemsOf, schemaOf } from './dataSourceOf.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

type Columns = { readonly [name: string]: EntitySchemaColumnOptions }

const id: EntitySchemaColumnOptions = { type: 'uuid', primary: true }
const entity = (columns: Columns, more: object = {}) =>
  new EntitySchema({ name: 'User', columns: { id, ...columns }, ...more })
/** What is wrong with an entity `User` of these columns. */
const problems = (columns: Columns, more?: object) => problemsOf([EncryptionKey, entity(columns, more)])

describe('an encrypted column', () => {
  it('cannot be a key, unique, indexed, or have a value by default', async () => {
    const found = await problems(
      {
        id: { ...encrypted(), primary: true },
        a: { ...encrypted(), unique: true },
        b: encrypted(),
        c: { ...encrypted(), default: 'x' },
        d: { ...encrypted(), default: () => 'gen()' },
      },
      { indices: [{ columns: ['b'] }] },
    )
    expect(found).toEqual([
      'User.id: is in the primary key, and equal values have different ciphertexts; use another property as the id',
      'User.a: is unique, and equal values have different ciphertexts; write `unique: true` for a `@BlindIndex` of it instead',
      'User.b: is in an `@Index`, which cannot find ciphertext; index a `@BlindIndex` column of it instead',
      'User.c: has a `default`, which would store plaintext; remove it and give the value in the entity',
      'User.d: has a `default`, which would store plaintext; remove it and give the value in the entity',
    ])
  })

  it('may be indexed as long as it holds plaintext, and is never unique', async () => {
    const columns = { a: encrypted({ state: 'migrating' }), b: encrypted({ state: 'ejecting' }) }
    expect(await problems(columns, { indices: [{ columns: ['a', 'b'] }, { columns: ['b'] }] })).toEqual([])
    expect(await problems(columns, { indices: [{ columns: ['a'], unique: true }] })).toEqual([
      'User.a: is unique, and equal values have different ciphertexts; write `unique: true` for a `@BlindIndex` of it instead',
    ])
  })

  it('has a type that holds ciphertext, and values that it can hold', async () => {
    const found = await problems({
      a: { ...encrypted(), type: 'int' },
      b: { ...encrypted(), type: 'varchar', length: 50 },
      c: encrypted({ column: 'jsonb', array: true }),
      d: encrypted({ column: 'jsonb', type: 'Int' }),
      e: encrypted({ type: 'Integer' as never }),
      f: encrypted({ type: 'Int', pad: 16 }),
      g: encrypted({ column: 'bytea', type: 'Int', state: 'ejecting' }),
      h: encrypted({ mode: 'kms', pad: 8192 }),
      i: encrypted({ type: 'Int', mask: 'email' }),
    })
    expect(found).toEqual([
      "User.a: has the type integer, whose column cannot hold ciphertext; leave the column's type to fieldseal (`column` is text, varchar, bytea or jsonb), and say what it holds: `type: 'Int'`",
      'User.b: has the type character varying(50), which does not hold every ciphertext; use text',
      'User.c: is a list (jsonb[]), which cannot be encrypted; leave out `array`: a jsonb column holds the whole list',
      "User.d: is Json, which holds JSON only; leave out `type: 'Int'`, or write `column: 'text'`",
      expect.stringMatching(
        /^User\.e: has `type: 'Integer'`, which is no type; .* or give the values of an enum in `enum`$/,
      ),
      'User.f: has `pad: 16`, yet all values of the type Int are equally long; leave it out',
      "User.g: is `state: 'ejecting'` and holds Int in bytea, where plaintext of that type has no form; leave out `state: 'ejecting'`, or write `column: 'text'`",
      expect.stringMatching(/^User\.h: has `pad: 8192` and `mode: 'kms'`, .*or leave out `mode: 'kms'`$/),
      "User.i: has `mask: 'email'` and holds Int, while a mask is text; leave it out: who may not read the property is refused",
    ])
  })

  it('has options that mean something, also for who has no compiler', async () => {
    const given = (options: object) => encrypted(options as never)
    const found = await problems({
      a: given({ nulable: true }),
      b: given({ column: 'char' }),
      c: given({ state: 'migrated', mode: 'kme', mask: 'mail' }),
      d: given({ bind: [] }),
      e: given({ bind: ['id', 'id'] }),
      f: given({ as: 'email' }),
      g: given({ pad: 1 }),
      h: given({ enum: { A: 0, 0: 'A' } }),
      i: given({ enum: [], nullable: true }),
      j: given({ enum: ['a'], type: 'String' }),
    })
    expect(found).toEqual([
      expect.stringMatching(/^User\.a: unknown option `nulable`; did you mean `nullable`\? `@Encrypted` knows `type`/),
      'User.b: `column` does not know `char`; it knows text, varchar, bytea, jsonb',
      'User.c: `state` does not know `migrated`; it knows migrating, ejecting',
      'User.c: `mode` does not know `kme`; did you mean `kms`? it knows dek, kms',
      'User.c: `mask` does not know `mail`; did you mean `email`? it knows email, phone, last4, initials, hidden',
      'User.d: `bind` is an empty list; leave the option out',
      'User.e: `bind` names `id` twice; keep one',
      "User.f: `as` pins the name a property had when it was first encrypted; write it as `as: 'Entity.property'`",
      'User.g: `pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`',
      "User.h: has an `enum` whose values are no texts; write `type: 'Int'`, or give its values texts",
      'User.i: has an `enum` without values; name them, or leave `enum` out',
      'User.j: has `enum` and `type`, which exclude each other; keep one',
      'User.b: has the type character, which does not hold every ciphertext; use text',
    ])
  })

  it('is no foreign key, and nothing refers to it', async () => {
    @Entity()
    class Team {
      @PrimaryColumn() id!: string
      @Encrypted() code!: string
    }
    @Entity()
    class Player {
      @PrimaryColumn() id!: string
      @Encrypted() teamCode!: string
      @ManyToOne(() => Team) @JoinColumn({ name: 'teamCode', referencedColumnName: 'code' }) team!: Team
    }
    expect(await problemsOf([EncryptionKey, Team, Player])).toEqual([
      'Team.code: is what the relation Player.team refers to; leave keys of relations in plaintext',
      'Player.teamCode: is a foreign key of the relation `team`; leave keys of relations in plaintext',
    ])
  })

  it('has no other transformer, and is no discriminator', async () => {
    const other = { to: (value: unknown) => value, from: (value: unknown) => value }
    const { transformer } = encrypted()
    expect(await problems({ a: { ...encrypted(), transformer: [other, transformer as never] } })).toEqual([
      'User.a: has other transformers beside that of fieldseal, which would change what it encrypts or searches; remove them',
    ])

    @Entity()
    @TableInheritance({ column: { name: 'kind', type: 'text' } })
    class Shape {
      @PrimaryColumn() id!: string
      @Encrypted() kind!: string
    }
    @ChildEntity()
    class Circle extends Shape {}
    expect(await problemsOf([EncryptionKey, Shape, Circle])).toContainEqual(
      expect.stringMatching(/^Shape\.kind: tells the entities of one table apart/),
    )
  })

  it('is in no expression that the database computes, but whether it is NULL', async () => {
    const given = {
      name: encrypted({ nullable: true, name: 'the name' }),
      flag: encrypted({ type: 'Boolean' }),
      plain: { type: 'text' },
      index: blindIndex('name'),
    } as const
    const generated = (asExpression: string) =>
      ({ type: 'text', generatedType: 'STORED', asExpression, nullable: true }) as const
    const found = await problems(
      {
        ...given,
        lower: generated('lower("the name")'),
        copy: generated('"User"."the name"'),
        shown: generated('"index"'),
        fine: generated(`lower("plain") || ("the name" IS NULL)::text`),
      },
      {
        tableName: 'User',
        checks: [
          { name: 'short', expression: 'length("the name") < 10' },
          { name: 'literal', expression: `"the name" <> ''` },
          { name: 'bare', expression: 'flag' },
          { name: 'row', expression: `to_jsonb("User") <> '{}'` },
          { name: 'star', expression: 'num_nulls("User".*) < 3' },
          { name: 'broken', expression: 'flag OR OR' },
          { name: 'fine', expression: `"the name" IS NOT NULL OR plain <> '' OR (flag IS NULL)` },
          { name: 'fieldseal_User_the name', expression: `"the name" LIKE 'fs1.%'` },
          { name: 'fieldseal_User_flag', expression: `"the name" LIKE 'A%'` },
        ],
        exclusions: [
          { name: 'twice', expression: 'USING gist ("the name" WITH =)' },
          { name: 'computed', expression: 'USING gist (lower("the name") WITH =)' },
          { name: 'some', expression: `USING gist (plain WITH =) WHERE (flag = 'x')` },
          { name: 'none', expression: 'USING gist (index WITH =, plain WITH =) WHERE (flag IS NOT NULL)' },
        ],
        indices: [
          { name: 'partial', columns: ['plain'], where: `"the name" = 'Ada'` },
          { name: 'present', columns: ['index'], where: '"the name" IS NOT NULL' },
        ],
      },
    )
    const taken = (property: string, what: string) =>
      `User.${property}: is in ${what}, in which the database would take ciphertext for a value; leave it out, or ask only whether it IS NULL`
    const whole = (what: string) =>
      `User: has ${what}, which takes the whole row, with encrypted columns in it; name the columns that it needs`
    expect(found).toEqual([
      taken('name', 'the `@Check` "short"'),
      taken('name', 'the `@Check` "literal"'),
      taken('flag', 'the `@Check` "bare"'),
      whole('the `@Check` "row"'),
      whole('the `@Check` "star"'),
      'User: has the `@Check` "broken", which cannot be read as PostgreSQL\'s SQL',
      taken('name', 'the `@Check` "fieldseal_User_flag"'),
      taken('name', 'the `@Exclusion` "twice"'),
      taken('name', 'the `@Exclusion` "computed"'),
      taken('flag', 'the `@Exclusion` "some"'),
      taken('name', 'the condition of the `@Index` "partial"'),
      taken('name', 'the generated column `lower`'),
      taken('name', 'the generated column `copy`'),
      'User.index: is in the generated column `shown`, which results would show; leave it out',
    ])
  })

  it('is in no expression of another entity of its table, or of a child in it', async () => {
    @Entity()
    @TableInheritance({ column: { name: 'kind', type: 'text' } })
    class Animal {
      @PrimaryColumn() id!: string
      @Encrypted() name!: string
    }
    @ChildEntity()
    @Check('child', `"name" <> ''`)
    class Dog extends Animal {
      @Column({ type: 'text', asExpression: 'upper("name")', generatedType: 'STORED' }) loud!: string
    }
    const twin = new EntitySchema({
      name: 'Twin',
      tableName: 'animal',
      columns: { id: { type: 'varchar', primary: true } },
      checks: [{ name: 'twin', expression: `animal.name <> ''` }],
    })
    expect(await problemsOf([EncryptionKey, Animal, Dog, twin])).toEqual([
      expect.stringMatching(/^Animal\.name: is in the `@Check` "child"/),
      expect.stringMatching(/^Animal\.name: is in the generated column `loud`/),
      expect.stringMatching(/^Animal\.name: is in the `@Check` "twin"/),
    ])
  })

  it('shares its context with no other', async () => {
    const found = await problems({ a: encrypted({ as: 'Old.a' }), b: encrypted({ as: 'Old.a' }) })
    expect(found).toHaveLength(2)
    expect(found[0]).toMatch(/^User\.a: has the context "Old\.a", as User\.b has: .*give each its own name in `as`$/)
  })
})

describe('declarations', () => {
  it('that TypeORM does not go by are found', async () => {
    @Entity()
    class Twice {
      @PrimaryColumn() id!: string
      @Encrypted() @Column('text') below!: string
      @Column('text') @Encrypted() above!: string
    }
    abstract class Base {
      @PrimaryColumn() id!: string
      @Column('text') plain!: string
    }
    @Entity()
    class Child extends Base {
      @Encrypted() override plain = ''
    }
    expect(await problemsOf([EncryptionKey, Twice, Child])).toEqual([
      'Twice.below: has another decorator of columns beside `@Encrypted`; keep one',
      'Twice.above: has another decorator of columns beside `@Encrypted`; keep one',
      expect.stringMatching(/^Child\.plain: is declared twice, and TypeORM does not go by its `@Encrypted`/),
    ])
  })

  it('of children in one table agree', async () => {
    @Entity()
    @TableInheritance({ column: { name: 'kind', type: 'text' } })
    class Item {
      @PrimaryColumn() id!: string
    }
    @ChildEntity()
    class Book extends Item {
      @Encrypted() title!: string
    }
    @ChildEntity()
    class Song extends Item {
      @Encrypted({ pad: 64 }) title!: string
    }
    expect(await problemsOf([EncryptionKey, Item, Book, Song])).toContainEqual(
      expect.stringMatching(/\.title: is declared twice, and TypeORM does not go by its `@Encrypted`/),
    )
  })

  it('of children in one table agree about what is encrypted at all', async () => {
    const children = (dog: PropertyDecorator, cat: PropertyDecorator) => {
      @Entity()
      @TableInheritance({ column: { name: 'kind', type: 'text' } })
      class Animal {
        @PrimaryColumn() id!: string
      }
      class Dog extends Animal {}
      class Cat extends Animal {}
      dog(Dog.prototype, 'note')
      cat(Cat.prototype, 'note')
      ChildEntity()(Dog)
      ChildEntity()(Cat)
      return problemsOf([EncryptionKey, Animal, Dog, Cat])
    }
    const plain = () => Column('text', { nullable: true })
    const marked = () => Encrypted({ nullable: true })
    expect(await children(marked(), plain())).toEqual([
      'Cat.note: is declared twice, with `@Encrypted` by one of two, and TypeORM goes by one of them; declare it alike, or under different names',
    ])
    expect(await children(plain(), marked())).toContainEqual(
      expect.stringMatching(/^Cat\.note: is declared twice, and TypeORM does not go by its `@Encrypted`/),
    )
    expect(await children(marked(), marked())).toEqual([])
    expect(await children(plain(), plain())).toEqual([])
  })

  it('of a class and of one that it extends agree', async () => {
    abstract class Base {
      @PrimaryColumn() id!: string
      @Encrypted() secret!: string
    }
    @Entity()
    class Child extends Base {
      @Column('text') override secret = ''
    }
    expect(await problemsOf([EncryptionKey, Child])).toEqual([
      expect.stringMatching(/^Child\.secret: is declared twice, with `@Encrypted` by one of two/),
    ])
  })

  it('of schemas of one table agree', async () => {
    class Animal {}
    class Dog extends Animal {}
    class Cat extends Animal {}
    const column = { type: 'text', nullable: true } as const
    const schemas = (dog: EntitySchemaColumnOptions, cat: EntitySchemaColumnOptions) =>
      problemsOf([
        EncryptionKey,
        new EntitySchema({
          name: 'Animal',
          target: Animal,
          columns: { id, kind: { type: 'text' } },
          inheritance: { pattern: 'STI', column: 'kind' },
        }),
        new EntitySchema({ name: 'Dog', target: Dog, type: 'entity-child', columns: { note: dog } }),
        new EntitySchema({ name: 'Cat', target: Cat, type: 'entity-child', columns: { note: cat } }),
      ])
    const marked = () => encrypted({ nullable: true })
    expect(await schemas(marked(), column)).toEqual([
      expect.stringMatching(/^Cat\.note: is declared twice, with `@Encrypted`/),
    ])
    expect(await schemas(column, marked())).toEqual([
      expect.stringMatching(/^Cat\.note: is declared twice, with `@Encrypted`/),
    ])
    expect(await schemas(marked(), marked())).toEqual([])
  })

  it('say what they hold where TypeScript says that it is no text', async () => {
    @Entity()
    class Typed {
      @PrimaryColumn() id!: string
      @Encrypted() age!: number
      @Encrypted() born!: Date
      @Encrypted({ type: 'Boolean' }) ok!: boolean
    }
    expect(await problemsOf([EncryptionKey, Typed])).toEqual([
      "Typed.age: is a Number and holds text unless told; write `type: 'Int'` or `type: 'Float'`",
      "Typed.born: is a Date and holds text unless told; write `type: 'DateTime'`",
    ])
  })
})

describe('a bound column', () => {
  it('has its value before the row is written, in one form, for ever', async () => {
    @Entity()
    class User {
      @PrimaryGeneratedColumn('uuid') id!: string
      @PrimaryColumn() @Generated('increment') number!: number
      @CreateDateColumn() made!: Date
      @UpdateDateColumn() changed!: Date
      @VersionColumn() version!: number
      @Column({ nullable: true, type: 'text' }) maybe!: string | null
      @Column({ default: 'x' }) constant!: string
      @Column('int', { array: true }) list!: number[]
      @Encrypted() other!: string
      @BlindIndex<User>('other') index?: string
      @Encrypted({
        bind: ['id', 'number', 'made', 'changed', 'version', 'maybe', 'constant', 'list', 'other', 'index', 'idd'],
      })
      secret!: string
    }
    const fromDatabase = (name: string) =>
      `User.secret: binds to \`${name}\`, which gets its value from the database (@PrimaryGeneratedColumn, @Generated or a \`default\` in SQL), too late to encrypt with it; write \`@PrimaryColumn('uuid') id: string = randomUUID()\` or give the value in the entity`
    const found = await problemsOf([EncryptionKey, User])
    expect(found).toEqual(
      expect.arrayContaining([
        fromDatabase('id'),
        fromDatabase('number'),
        'User.secret: binds to `changed`, which changes at every update (@UpdateDateColumn or @VersionColumn); bind to a column that never changes',
        'User.secret: binds to `version`, which changes at every update (@UpdateDateColumn or @VersionColumn); bind to a column that never changes',
        'User.secret: binds to `maybe`, which may be null (text, nullable); leave out `nullable`',
        'User.secret: binds to `constant`, which has a constant `default`; remove it and give the value in the entity',
        'User.secret: binds to `list`, which is a list (integer[]); bind to a column of the type text, varchar, uuid, integer or bigint',
        'User.secret: binds to `other`, which is itself encrypted; bind to a plaintext column',
        'User.secret: binds to `index`, which is a blind index; bind to the id',
        'User.secret: binds to `idd`, which is no property of User; did you mean `id`?',
      ]),
    )
  })

  it('that is a foreign key does not follow what it refers to', async () => {
    @Entity()
    class Clinic {
      @PrimaryColumn() id!: string
    }
    @Entity()
    class Patient {
      @PrimaryColumn() id!: string
      @Column() clinicId!: string
      @ManyToOne(() => Clinic, { onUpdate: 'CASCADE' }) @JoinColumn() clinic!: Clinic
      @Encrypted({ bind: 'clinicId' }) name!: string
    }
    expect(await problemsOf([EncryptionKey, Clinic, Patient])).toEqual([
      "Patient.name: binds to `clinicId`, which is the foreign key of `clinic`, and the database changes it when the referred row's key changes; write `onUpdate: 'RESTRICT'` in the options of the relation",
    ])
  })
})

describe('a blind index', () => {
  it('is of encrypted properties of its own entity', async () => {
    const found = await problems({
      email: encrypted(),
      notes: encrypted({ column: 'jsonb' }),
      age: encrypted({ type: 'Int' }),
      plain: { type: 'text' },
      a: blindIndex([]),
      b: blindIndex('emial'),
      c: blindIndex('plain'),
      d: blindIndex('notes'),
      e: blindIndex('Other.email'),
      f: blindIndex('f'),
      g: blindIndex('age', { normalize: ['trim'] }),
    })
    expect(found).toEqual([
      "User.a: `@BlindIndex` does not say which property it indexes; write `@BlindIndex('email')`",
      'User.b: indexes `emial`, which is no property of User; did you mean `email`?',
      'User.c: indexes `plain`, which is not encrypted; put `@Encrypted` on it or remove the blind index',
      'User.d: indexes `notes`, which is Json and has no one form to compare; index a property of another type',
      'User.e: indexes `Other.email`, which is no property of User; name an encrypted property of the same entity',
      'User.f: indexes itself; name the `@Encrypted` property it is made from',
      'User.g: normalises `age`, which is Int; leave out `normalize`: it works on String values only',
    ])
  })

  it('is a column that fieldseal alone writes, of a type and length that hold it', async () => {
    const given = (options: object) => blindIndex('email', options as never)
    const found = await problems({
      email: encrypted(),
      a: { ...given({}), select: true },
      b: { ...given({}), nullable: false },
      c: { ...given({}), default: 'x' },
      d: { ...given({}), type: 'int' },
      e: { ...given({}), type: 'varchar', length: 5 },
      f: given({ bits: 64, unique: true }),
      g: given({ bits: 12 }),
      h: given({ normalize: ['lowercse'], scope: 'all', column: 'jsonb' }),
    })
    expect(found).toEqual(
      expect.arrayContaining([
        'User.a: is an index that fieldseal alone reads and writes; leave out `select`, `insert` and `update`',
        'User.b: is required; leave `nullable` to fieldseal: it is null in rows without a value and in rows not indexed yet',
        'User.c: has a `default`, which is no index of any value; remove it',
        "User.d: is a blind index of the type integer, nullable; leave its type to fieldseal (`column` is 'text' or 'bytea')",
        'User.e: has the type character varying(5), which does not hold an index of 128 bits; use text or varchar(22)',
        expect.stringMatching(/^User\.f: is unique with 64 bits/),
        'User.g: `bits` is a multiple of 8 from 8 to 256; leave it out for 128',
        'User.h: `scope` does not know `all`; it knows tenant, global',
        'User.h: `normalize` does not know `lowercse`; did you mean `lowercase`? it knows trim, lowercase, nfkc, digits, diacritics',
      ]),
    )
  })
})

describe('the tenant', () => {
  it('is in one required column that gives texts back as they were', async () => {
    const found = await problems({
      a: tenant({ type: 'text', nullable: true }),
      b: tenant({ type: 'int' }),
      c: tenant({ type: 'char', length: 8 }),
      d: tenant({ type: 'text', default: 'acme' }),
    })
    expect(found).toEqual([
      'User.a: holds the tenant and may be null; leave out `nullable`: a row without tenant has no key',
      'User.b: is a second `@Tenant` of User, after `a`; a row belongs to one tenant: keep one',
      'User.b: holds the tenant and has the type integer; make it text, varchar or uuid',
      'User.c: is a second `@Tenant` of User, after `a`; a row belongs to one tenant: keep one',
      'User.c: has the type character(8), which changes what it stores or compares; use text, varchar or uuid',
      'User.d: is a second `@Tenant` of User, after `a`; a row belongs to one tenant: keep one',
      'User.d: has a constant `default`, so that rows would name another tenant than their key does; remove it, or use the `defaultTenant` option',
    ])
  })

  it('is a column', async () => {
    @Entity()
    class Bare {
      @PrimaryColumn() id!: string
      @Tenant() tenantId!: string
    }
    expect(await problemsOf([Bare])).toEqual([
      'Bare.tenantId: is marked `@Tenant` and is no column; write `@Column()` beside it',
    ])
  })
})

describe('the keys', () => {
  it('are stored by one entity, which is shown to paste where there is none', async () => {
    const error = await refusal(() => schemaOf([entity({ email: encrypted() })]))
    expect(error.message).toContain(
      'User.email: is encrypted, but no entity stores the keys; add one marked `@EncryptionKeys`',
    )
    expect(error.message).toContain('@EncryptionKeys()\nexport class EncryptionKey extends EncryptionKeyColumns {}')
    const second = encryptionKeys({ name: 'Second', tableName: 'second' })
    expect(await problemsOf([EncryptionKey, second, entity({ email: encrypted() })])).toEqual([
      'Second: is a second `@EncryptionKeys` entity, after EncryptionKey; keep one',
    ])
  })

  it('are in the columns of fieldseal, unencrypted', async () => {
    @EncryptionKeys({ name: 'own_keys' })
    @Index(['state'])
    class Keys extends EncryptionKeyColumns {
      @Column() owner!: string
      @Encrypted() note!: string
    }
    @EncryptionKeys({ name: 'bare' })
    class Bare {
      @PrimaryColumn('text') id!: string
    }
    expect(await problemsOf([Keys])).toEqual([
      'Keys.note: is in the entity that stores the keys; remove `@Encrypted`: wrapped keys are ciphertext already',
      'Keys.owner: is a required property that fieldseal does not fill; make it nullable or give it a `default`',
      'Keys.note: is a required property that fieldseal does not fill; make it nullable or give it a `default`',
    ])
    expect(await problemsOf([Bare])).toEqual(
      expect.arrayContaining([
        'Bare.tenant: is missing; take it from `EncryptionKeyColumns`, or from `encryptionKeys()`, as it is',
        "Bare: lacks `@Index(['tenant', 'purpose', 'version'], { unique: true })`, which decides races for a new key; add it",
      ]),
    )
  })
})

describe('views', () => {
  it('show what is encrypted, in one entity, and encrypt nothing', async () => {
    @Entity()
    class User {
      @PrimaryColumn() id!: string
      @Encrypted() email!: string
      @BlindIndex<User>('email') emailIndex?: string
    }
    @Entity()
    class Pet {
      @PrimaryColumn() id!: string
      @Encrypted() name!: string
    }
    @ViewEntity({ expression: 'SELECT 1' })
    class Wrong {
      @Encrypted() encrypted!: string
    }
    const odd = new EntitySchema({ name: 'Odd', columns: { id, odd: encryptedView('User.email') } })
    expect(await problemsOf([EncryptionKey, User, odd, Wrong])).toEqual([
      'Odd.odd: is in no view; write `@Encrypted()` for a column of a table',
      "Wrong.encrypted: is in a view; write `@EncryptedView('Entity.property')`, with the encrypted property that it shows",
    ])

    @Entity()
    class Owner {
      @PrimaryColumn() id!: string
      @Encrypted() email!: string
      @BlindIndex<Owner>('email') emailIndex?: string
    }
    @ViewEntity({ expression: 'SELECT 1' })
    class Shown {
      @ViewColumn() id!: string
      @EncryptedView('Owner.email') email!: string
      @EncryptedView('Owner.emial') typo!: string
      @EncryptedView('Ownr.email') nobody!: string
      @EncryptedView('Owner.id') plain!: string
      @EncryptedView('Owner.emailIndex') index!: string
      @EncryptedView('Pet.name') pet!: string
    }
    expect(await problemsOf([EncryptionKey, Owner, Pet, Shown])).toEqual([
      'Shown.typo: shows Owner.emial, which is no property of Owner; did you mean `email`?',
      "Shown.nobody: shows Ownr, which is no entity with a table; did you mean `Owner`? write `@EncryptedView('Entity.property')`",
      'Shown.plain: shows Owner.id, which is not encrypted; write `@ViewColumn()`',
      "Shown.index: shows the index Owner.emailIndex, which no result shows; write `@EncryptedView('Owner.emailIndex', { select: false })`",
      'Shown.pet: shows Pet in a view that shows Owner; a view may show what is encrypted in one entity',
    ])
  })
})

describe('entities of one table', () => {
  const person = (name: string, columns: Columns) =>
    new EntitySchema({ name, tableName: 'person', columns: { id, ...columns } })

  it('agree about what is encrypted, under which context', async () => {
    const whole = person('Person', {
      email: encrypted(),
      emailIndex: blindIndex('email'),
      age: encrypted({ type: 'Int' }),
    })
    const found = await problemsOf([
      EncryptionKey,
      whole,
      person('Plain', { email: { type: 'text' } }),
      person('Default', { email: encrypted() }),
      person('Other', { age: encrypted({ type: 'Float', as: 'Person.age' }), extra: encrypted() }),
    ])
    const otherwise = (place: string, column: string) =>
      `${place}: is the column "${column}", which Person.${column} marks in another way; mark both alike, with the same context in \`as\`, or leave one of them out`
    expect(found.toSorted()).toEqual([
      otherwise('Default.email', 'email'),
      otherwise('Other.age', 'age'),
      'Other.extra: is the column "extra", which Person, another entity of the same table, does not mark; mark it there as well',
      otherwise('Plain.email', 'email'),
    ])
  })

  it('have no encrypted column in a key or an index', async () => {
    const columns = { email: encrypted({ as: 'Person.email' }), phone: encrypted({ as: 'Person.phone' }) }
    const twin = new EntitySchema({
      name: 'Twin',
      tableName: 'person',
      columns: { id, ...columns },
      indices: [{ columns: ['email'] }],
      uniques: [{ columns: ['phone'] }],
    })
    const whole = person('Person', { ...columns, more: encrypted() })
    const found = await problemsOf([EncryptionKey, whole, twin])
    const keyed =
      'is in a key or an index of Twin, and equal values have different ciphertexts; use a `@BlindIndex` of it instead'
    expect(found.toSorted()).toEqual([`Twin.email: ${keyed}`, `Twin.phone: ${keyed}`])
  })

  it('make one model where they agree', async () => {
    const whole = person('Person', { email: encrypted({ bind: 'id' }), emailIndex: blindIndex('email') })
    const part = person('Part', { mail: encrypted({ bind: 'id', as: 'Person.email', name: 'email' }) })
    const { models } = await schemaOf([EncryptionKey, part, whole])
    expect(Object.keys(models)).toEqual(['EncryptionKey', 'Person'])
  })

  it('have no column of two properties of which one is plain', async () => {
    expect(await problems({ email: encrypted(), raw: { type: 'text', name: 'email' } })).toEqual([
      expect.stringMatching(/^User\.raw: is the column "email", which User\.email marks in another way/),
    ])
  })
})

describe('a data source', () => {
  it('is of PostgreSQL, and of the copy of typeorm that is imported', () => {
    const of = (dataSource: object) => () => encryptionSchemaOf(dataSource as DataSource)
    const mysql = Object.assign(Object.create(DataSource.prototype), {
      options: { type: 'mysql' },
      entityMetadatas: [],
    })
    expect(of(mysql)).toThrow('data source: has the type "mysql"; this version of fieldseal works with "postgres" only')
    expect(of({ options: { type: 'postgres' }, entityMetadatas: [] })).toThrow(/another copy of typeorm/)
  })
})
