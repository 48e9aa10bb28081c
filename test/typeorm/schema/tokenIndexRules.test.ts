import { describe, expect, it } from '@jest/globals'
import { DataSource, Entity, EntitySchema, type EntitySchemaColumnOptions, Index, PrimaryColumn } from 'typeorm'
import { encryptionKeys } from '../../../src/typeorm/keys/encryptionKeyColumns.js'
import { encrypted, rangeIndex, tenant, textIndex } from '../../../src/typeorm/schema/columns.js'
import { Encrypted, RangeIndex, TextIndex } from '../../../src/typeorm/schema/decorators.js'
import { problemsOf, schemaOf } from '../dataSourceOf.js'

type Columns = { readonly [name: string]: EntitySchemaColumnOptions }

const id: EntitySchemaColumnOptions = { type: 'uuid', primary: true }
const user = (columns: Columns, more: object = {}) =>
  new EntitySchema({ name: 'User', columns: { id, ...columns }, ...more })
/** What is wrong with an entity `User` of these columns. */
const problems = (columns: Columns, more?: object) => problemsOf([encryptionKeys(), user(columns, more)])

const HAS_GIN = 'supportedIndexTypes' in new DataSource({ type: 'postgres' }).driver
const parts = { prefix: [2, 4] } as const
const range = { min: 0, max: 9 }

describe('a text or range index', () => {
  it('becomes the same of a decorator and of an EntitySchema', async () => {
    @Entity({ name: 'user' })
    class User {
      @PrimaryColumn('uuid') id!: string
      @Encrypted() name!: string
      @TextIndex<User>('name', { prefix: [2, 4], words: true, grams: 3, normalize: ['trim'], name: 'parts' })
      nameTokens?: string[]
      @Encrypted({ type: 'DateTime' }) born!: Date
      @RangeIndex<User>('born', { min: new Date(0), max: '2000-01-01', step: '1h', scope: 'global' })
      bornTokens?: string[]
      @Encrypted({ type: 'Decimal' }) rate!: string
      @RangeIndex<User>('rate', { min: 0n, max: '100', scale: 2, sparsity: 4 }) rateTokens?: string[]
    }
    const { models } = await schemaOf([encryptionKeys(), User])
    expect(models.User?.tokenIndexes).toEqual({
      nameTokens: {
        ...{ kind: 'text', source: 'name', scope: 'tenant' },
        ...{ prefix: [2, 4], words: true, grams: 3, normalize: ['trim'] },
      },
      bornTokens: {
        ...{ kind: 'range', source: 'born', scope: 'global', unit: 'ms', min: '0' },
        ...{ max: '946684800000', step: '3600000', sparsity: 2 },
      },
      rateTokens: {
        ...{ kind: 'range', source: 'rate', scope: 'tenant', unit: '0.01', min: '0' },
        ...{ max: '10000', step: '1', sparsity: 4 },
      },
    })
    expect(models.User?.columns).toMatchObject({ nameTokens: 'parts' })
    const described = await schemaOf([
      encryptionKeys(),
      user({
        name: encrypted(),
        nameTokens: textIndex('name', { prefix: [2, 4], words: true, grams: 3, normalize: ['trim'], name: 'parts' }),
        born: encrypted({ type: 'DateTime' }),
        bornTokens: rangeIndex('born', { min: new Date(0), max: '2000-01-01', step: '1h', scope: 'global' }),
        rate: encrypted({ type: 'Decimal' }),
        rateTokens: rangeIndex('rate', { min: 0n, max: '100', scale: 2, sparsity: 4 }),
      }),
    ])
    expect(described.models.User?.tokenIndexes).toEqual(models.User?.tokenIndexes)
  })

  it('is of a property that has what it asks for', async () => {
    const found = await problems({
      name: encrypted(),
      age: encrypted({ type: 'Int' }),
      rate: encrypted({ type: 'Decimal' }),
      weight: encrypted({ type: 'Float' }),
      plain: { type: 'text' },
      a: textIndex('nmae', parts),
      b: textIndex('age', parts),
      c: rangeIndex('name', range),
      d: rangeIndex('rate', range),
      e: rangeIndex('weight', range),
      f: textIndex('plain', parts),
    })
    expect(found).toEqual([
      'User.a: indexes `nmae`, which is no property of User; did you mean `name`?',
      'User.b: indexes `age`, which is Int: a text index is of String values; use `@RangeIndex`',
      'User.f: indexes `plain`, which is not encrypted; put `@Encrypted` on it or remove the text index',
      'User.c: indexes `name`, which is String: a range index is of Int, BigInt, Decimal or DateTime values; use `@TextIndex`',
      'User.d: does not say how many decimal places its values have, at most; write `scale: 2`, or `scale: 0` for none',
      expect.stringMatching(/^User\.e: indexes `weight`, which is Float, whose order takes 64 bits/),
    ])
  })

  it('has options that are right', async () => {
    const given = (options: unknown) => options as never
    const found = await problems({
      name: encrypted(),
      age: encrypted({ type: 'Int' }),
      a: textIndex('name'),
      b: textIndex('name', given({ prefix: [4, 2], sufix: [1, 2] })),
      c: textIndex('name', given({ words: 'yes', scope: 'all', normalize: ['lowercse'] })),
      d: rangeIndex('age', given({ min: 0 })),
      e: rangeIndex('age', given({ min: 5, max: 5, bits: 8 })),
      f: rangeIndex('age', given(undefined)),
      g: textIndex(given(undefined), parts),
      h: rangeIndex('age', { ...range, sparsity: 9 }),
    })
    expect(found).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^User\.a: says nothing that can be searched for/),
        expect.stringMatching(/^User\.b: unknown option `sufix`; did you mean `suffix`\?/),
        expect.stringMatching(/^User\.b: `prefix` is the fewest and the most characters/),
        'User.c: `words` is true or false; write `words: true`',
        'User.c: `scope` does not know `all`; it knows tenant, global',
        expect.stringMatching(/^User\.c: `normalize` does not know `lowercse`; did you mean `lowercase`\?/),
        expect.stringMatching(/^User\.d: does not say what the greatest value is/),
        expect.stringMatching(/^User\.e: unknown option `bits`/),
        'User.e: has a `max` that is not above its `min`; make it larger',
        expect.stringMatching(/^User\.f: does not say what the least value is/),
        "User.g: does not say which property it indexes; write `@TextIndex('name', { prefix: [2, 10] })`",
        expect.stringMatching(/^User\.h: `sparsity` is every how many levels/),
      ]),
    )
  })

  it('is a column that fieldseal alone writes, of the type that it has', async () => {
    const found = await problems({
      name: encrypted(),
      a: { ...textIndex('name', parts), select: true },
      b: { ...textIndex('name', parts), type: 'text' },
      c: { ...textIndex('name', parts), unique: true },
      d: tenant(textIndex('name', parts)),
    })
    expect(found).toEqual(
      expect.arrayContaining([
        'User.a: is an index that fieldseal alone reads and writes; leave out `select`, `insert` and `update`',
        'User.b: is a text index of the type text[], nullable; leave its type to fieldseal',
        'User.c: is unique, while equal values have the same tokens, and different ones may; remove the uniqueness',
        expect.stringMatching(/^User\.d: holds the tenant and is encrypted or an index/),
      ]),
    )
  })

  it('is under no index of the database but GIN, or one that TypeORM leaves alone', async () => {
    const under = async (options: object) => {
      @Entity()
      class User {
        @PrimaryColumn('uuid') id!: string
        @Encrypted() name!: string
        @Index('named', options) @TextIndex<User>('name', parts) nameTokens?: string[]
      }
      return problemsOf([encryptionKeys(), User])
    }
    expect(await under({})).toEqual([
      expect.stringMatching(/^User\.nameTokens: is in the `@Index` "named", which is no GIN index/),
    ])
    expect(await under({ synchronize: false })).toEqual([])
    if (HAS_GIN) expect(await under({ type: 'gin' })).toEqual([])
  })

  it('is declared alike by the entities of one table', async () => {
    const person = (name: string, columns: Columns) =>
      new EntitySchema({ name, tableName: 'person', columns: { id, ...columns } })
    const of = (most: number) => ({ name: encrypted({ as: 'P.n' }), tokens: textIndex('name', { prefix: [1, most] }) })
    expect(await problemsOf([encryptionKeys(), person('A', of(2)), person('B', of(2))])).toEqual([])
    expect(await problemsOf([encryptionKeys(), person('A', of(2)), person('B', of(3))])).toEqual([
      expect.stringMatching(/^B\.tokens: is the column "tokens", which A\.tokens marks in another way/),
    ])
  })
})
