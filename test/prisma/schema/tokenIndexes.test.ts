import { beforeAll, describe, expect, it } from '@jest/globals'
import { encryptionSchemaOf } from '../../../src/prisma/schema/encryptionSchemaOf.js'
import { keysModelSource } from '../../../src/prisma/schema/keysModelSource.js'
import { datamodelOf } from './datamodelOf.js'
import { fields, named, problemsOf, type Refusal } from './refusals.js'

const sources = `name String /// @encrypted
  int String? /// @encrypted(type: Int)
  big String? /// @encrypted(type: BigInt)
  price String? /// @encrypted(type: Decimal)
  at String? /// @encrypted(type: DateTime)
  float String? /// @encrypted(type: Float)
  names String[] /// @encrypted
  json Json? /// @encrypted
  color String? /// @encrypted(type: Color)
  plain String?`

/** Token indexes of these annotations, in columns a, b, c, … */
const indexes = (...annotations: string[]) =>
  fields([sources, ...annotations.map((text, i) => `${letter(i)} String[] @db.Uuid /// ${text}`)].join('\n  '))
const letter = (i: number) => 'abcdefghijkl'[i]!

const lengths = (option: string) =>
  `\`${option}\` is the fewest and the most characters that can be searched for, from 1 to 64; write \`${option}: [2, 8]\``
const grams = '`grams` is how many characters in a row a token is made of, from 2 to 6; write `grams: 3`'
const sparsity = '`sparsity` is every how many levels a token is stored, from 1 to 8; leave it out for 2'
const scale = '`scale` is how many decimal places a Decimal has, from 0 to 20; write `scale: 2`'
const noParts =
  'says nothing that can be searched for; give one or more of `prefix: [2, 10]` (startsWith), `suffix: [2, 6]` ' +
  '(endsWith), `words: true`, `wordPrefix: [2, 8]` (words that begin so) and `grams: 3` (contains)'
const durations = 'write a duration in days, hours, minutes, seconds or milliseconds: "1d", "12h", "15m", "1s" or "1ms"'

const columns: Refusal[] = [
  {
    of: 'token indexes in columns of other types',
    model: fields(`${sources}
      a String? @db.Uuid /// @textIndex(name, words: true)
      b String[] /// @textIndex(name, words: true)
      c Bytes[] /// @rangeIndex(int, min: 0, max: 9)
      d String[] @db.VarChar(36) /// @rangeIndex(int, min: 0, max: 9)
      e Color[] /// @textIndex(name, words: true)`),
    says: [
      '.a: is a text index of the type String? @db.Uuid; make it String[] @db.Uuid',
      '.b: is a text index of the type String[]; make it String[] @db.Uuid',
      '.c: is a range index of the type Bytes[]; make it String[] @db.Uuid',
      '.d: is a range index of the type String[] @db.VarChar(36); make it String[] @db.Uuid',
      '.e: is a text index of the type Color[]; make it String[] @db.Uuid',
    ],
  },
  {
    of: 'token indexes with a default, even an empty list',
    model: fields(`${sources}
      a String[] @default([]) @db.Uuid /// @textIndex(name, words: true)
      b String[] @default(["00000000-0000-0000-0000-000000000000"]) @db.Uuid /// @rangeIndex(int, min: 0, max: 9)`),
    says: [
      '.a: has a @default, which is no index of any value; remove it',
      '.b: has a @default, which is no index of any value; remove it',
    ],
  },
  {
    of: 'token indexes that are unique',
    model: `model Example {
      id   String   @id
      ${sources}
      a String[] @unique @db.Uuid /// @textIndex(name, words: true)
      b String[] @db.Uuid /// @rangeIndex(int, min: 0, max: 9)
      @@unique([id, b])
    }`,
    says: [
      '.a: is unique, while equal values have the same tokens, and different ones may; remove the uniqueness',
      '.b: is unique, while equal values have the same tokens, and different ones may; remove the uniqueness',
    ],
  },
  {
    of: 'a column that holds two token indexes, or one and something else',
    model: fields(`${sources}
      /// @textIndex(name, words: true)
      /// @textIndex(name, prefix: [2, 4])
      a String[] @db.Uuid
      /// @textIndex(name, words: true)
      /// @rangeIndex(int, min: 0, max: 9)
      b String[] @db.Uuid`),
    says: [
      '.a: `@textIndex` is written twice; keep one',
      '.b: `@textIndex` and `@rangeIndex` exclude each other on one field; put each on a field of its own',
    ],
  },
  {
    of: 'ciphertexts that are bound to a token index',
    model: fields(`a String[] @db.Uuid /// @textIndex(x, words: true)
      b String[] @db.Uuid /// @rangeIndex(y, min: 0, max: 9)
      x String /// @encrypted(bind: a)
      y String /// @encrypted(type: Int, bind: b)`),
    says: [
      '.x: binds to `a`, which is a text index; bind to the id',
      '.x: binds to `a`, which is a list (String[] @db.Uuid); bind to a column of the type String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt',
      '.y: binds to `b`, which is a range index; bind to the id',
      '.y: binds to `b`, which is a list (String[] @db.Uuid); bind to a column of the type String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt',
    ],
  },
]

const sourceFields: Refusal[] = [
  {
    of: 'token indexes without source, or with one that is missing, plain, or itself',
    model: indexes(
      '@textIndex',
      '@rangeIndex(min: 0, max: 9)',
      '@textIndex("name", words: true)',
      '@textIndex([name, plain], words: true)',
      '@textIndex(nam, words: true)',
      '@rangeIndex(salary, min: 0, max: 9)',
      '@textIndex(plain, words: true)',
      '@rangeIndex(h, min: 0, max: 9)',
    ),
    says: [
      '.a: `@textIndex` does not say which field it indexes; write `@textIndex(name, prefix: [2, 10])`',
      `.a: ${noParts}`,
      '.b: `@rangeIndex` does not say which field it indexes; write `@rangeIndex(salary, min: 0, max: 1_000_000)`',
      '.c: the one field that `@textIndex` indexes is written as a bare name: `@textIndex(name, prefix: [2, 10])`',
      '.d: the one field that `@textIndex` indexes is written as a bare name: `@textIndex(name, prefix: [2, 10])`',
      '.e: indexes `nam`, which is no field of Example; did you mean `name`?',
      '.f: indexes `salary`, which is no field of Example; name an encrypted field of the same model',
      '.g: indexes `plain`, which is not encrypted; put `@encrypted` on it or remove the text index',
      '.h: indexes itself; name the `@encrypted` field it is made from',
    ],
  },
  {
    of: 'text indexes of what is no text',
    model: indexes(
      '@textIndex(int, words: true)',
      '@textIndex(at, words: true)',
      '@textIndex(json, words: true)',
      '@textIndex(color, words: true)',
      '@textIndex(names, words: true)',
      '@textIndex(float, words: true)',
    ),
    says: [
      '.a: indexes `int`, which is Int: a text index is of String values; use `@rangeIndex`',
      '.b: indexes `at`, which is DateTime: a text index is of String values; use `@rangeIndex`',
      '.c: indexes `json`, which is Json: a text index is of String values; index another field',
      '.d: indexes `color`, which is Enum: a text index is of String values; index another field',
      '.e: indexes `names`, which is a list; index a field of one value',
      '.f: indexes `float`, which is Float: a text index is of String values; index another field',
    ],
  },
  {
    of: 'range indexes of what has no order, and of Float',
    model: indexes(
      '@rangeIndex(name, min: 0, max: 9)',
      '@rangeIndex(float, min: 0, max: 9)',
      '@rangeIndex(json, min: 0, max: 9)',
      '@rangeIndex(color, min: 0, max: 9)',
      '@rangeIndex(names, min: 0, max: 9)',
    ),
    says: [
      '.a: indexes `name`, which is String: a range index is of Int, BigInt, Decimal or DateTime values; use `@textIndex`',
      '.b: indexes `float`, which is Float, whose order takes 64 bits, and so hundreds of tokens for a query; make it a Decimal, and give the index a `scale`',
      '.c: indexes `json`, which is Json: a range index is of Int, BigInt, Decimal or DateTime values; index another field',
      '.d: indexes `color`, which is Enum: a range index is of Int, BigInt, Decimal or DateTime values; index another field',
      '.e: indexes `names`, which is a list; index a field of one value',
    ],
  },
]

const textOptions: Refusal[] = [
  {
    of: 'text indexes of nothing',
    model: indexes('@textIndex(name)', '@textIndex(name, normalize: trim)', '@textIndex(name, words: false)'),
    says: ['a', 'b', 'c'].map((column) => `.${column}: ${noParts}`),
  },
  {
    of: 'lengths that are not two numbers in order, from 1 to 64',
    model: indexes(
      '@textIndex(name, prefix: 2)',
      '@textIndex(name, prefix: [2])',
      '@textIndex(name, suffix: [6, 2])',
      '@textIndex(name, suffix: [0, 2])',
      '@textIndex(name, wordPrefix: [2, 65])',
      '@textIndex(name, prefix: [2, 3, 4])',
      '@textIndex(name, prefix: ["2", 3])',
      '@textIndex(name, prefix: [1.5, 3])',
      '@textIndex(name, prefix: [two, ten], suffix: [])',
      '@textIndex(name, prefix: [-1, 3])',
      '@textIndex(name, prefix: true)',
    ),
    says: [
      `.a: ${lengths('prefix')}`,
      `.b: ${lengths('prefix')}`,
      `.c: ${lengths('suffix')}`,
      `.d: ${lengths('suffix')}`,
      `.e: ${lengths('wordPrefix')}`,
      `.f: ${lengths('prefix')}`,
      `.g: ${lengths('prefix')}`,
      `.h: ${lengths('prefix')}`,
      `.i: ${lengths('prefix')}`,
      `.i: ${lengths('suffix')}`,
      `.j: ${lengths('prefix')}`,
      `.k: ${lengths('prefix')}`,
    ],
  },
  {
    of: 'grams that are no number from 2 to 6, and words that are neither true nor false',
    model: indexes(
      '@textIndex(name, grams: 1)',
      '@textIndex(name, grams: 7)',
      '@textIndex(name, grams: true)',
      '@textIndex(name, grams: [3, 4])',
      '@textIndex(name, words: yes)',
      '@textIndex(name, words: 1)',
    ),
    says: [
      ...['a', 'b', 'c', 'd'].map((column) => `.${column}: ${grams}`),
      '.e: `words` is true or false; write `words: true`',
      '.f: `words` is true or false; write `words: true`',
    ],
  },
  {
    of: 'options of text indexes that there are not, or that are given twice',
    model: indexes(
      '@textIndex(name, perfix: [2, 4])',
      '@textIndex(name, words)',
      '@textIndex(name, words: true, words: true)',
      '@textIndex(name, words: true, normalize: [lowerCase], scope: tenants)',
      '@textIndex(name, words: true, min: 0)',
    ),
    says: [
      '.a: unknown option `perfix`; did you mean `prefix`? `@textIndex` knows `prefix:`, `suffix:`, `words:`, `wordPrefix:`, `grams:`, `normalize:`, `scope:`',
      `.a: ${noParts}`,
      '.b: option `words` has no value; write `words: …`',
      `.b: ${noParts}`,
      '.c: option `words` of `@textIndex` is given twice; keep one',
      '.d: `normalize` does not know `lowerCase`; did you mean `lowercase`? it knows trim, lowercase, nfkc, digits, diacritics',
      '.d: `scope` does not know `tenants`; did you mean `tenant`? it knows tenant, global',
      '.e: unknown option `min`; `@textIndex` knows `prefix:`, `suffix:`, `words:`, `wordPrefix:`, `grams:`, `normalize:`, `scope:`',
    ],
  },
]

const rangeIndexes: Refusal[] = [
  {
    of: 'ranges without ends',
    model: indexes('@rangeIndex(int)', '@rangeIndex(int, min: 0)', '@rangeIndex(at, max: "2100-01-01")'),
    says: [
      '.a: does not say what the least value is, without which there is no range; give it as `min`',
      '.a: does not say what the greatest value is, without which there is no range; give it as `max`',
      '.b: does not say what the greatest value is, without which there is no range; give it as `max`',
      '.c: does not say what the least value is, without which there is no range; give it as `min`',
    ],
  },
  {
    of: 'ends that are no value of the field',
    model: indexes(
      '@rangeIndex(int, min: 0.5, max: 9)',
      '@rangeIndex(int, min: 0, max: 2147483648)',
      '@rangeIndex(big, min: "-9223372036854775809", max: 0)',
      '@rangeIndex(big, min: "zero", max: 9)',
      '@rangeIndex(price, scale: 2, min: 0, max: 9.999)',
      '@rangeIndex(at, min: "1900-02-30", max: "2100-01-01")',
      '@rangeIndex(at, min: "1900-01-01", max: 2100)',
      '@rangeIndex(int, min: lots, max: [9])',
      '@rangeIndex(price, scale: 2, min: "", max: 9)',
      '@rangeIndex(int, min: "1900-01-01", max: 9)',
    ),
    says: [
      '.h: `min` is the least value: a number or, of a DateTime, a text',
      '.h: `max` is the greatest value: a number or, of a DateTime, a text',
      '.a: has the `min` 0.5, which is no Int; write a whole number of 32 bits',
      '.b: has the `max` 2147483648, which is no Int; write a whole number of 32 bits',
      '.c: has the `min` -9223372036854775809, which is no BigInt; write a whole number of 64 bits',
      '.d: has the `min` zero, which is no BigInt; write a whole number of 64 bits',
      '.e: has the `max` 9.999, which is no Decimal of 2 decimal places; write one, or make `scale` larger',
      '.f: has the `min` 1900-02-30, which is no DateTime; write "1900-01-01", or with its time "1900-01-01T00:00:00Z"',
      '.g: has the `max` 2100, which is no DateTime; write "1900-01-01", or with its time "1900-01-01T00:00:00Z"',
      '.i: has the `min` , which is no Decimal of 2 decimal places; write one, or make `scale` larger',
      '.j: has the `min` 1900-01-01, which is no Int; write a whole number of 32 bits',
    ],
  },
  {
    of: 'ends in the wrong order, and ranges of one value or too many',
    model: indexes(
      '@rangeIndex(int, min: 9, max: 0)',
      '@rangeIndex(int, min: 9, max: 9)',
      '@rangeIndex(int, min: 0, max: 9, step: 10)',
      '@rangeIndex(big, min: 0, max: 4_294_967_296)',
      '@rangeIndex(price, scale: 20, min: 0, max: 1)',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", step: "1ms")',
      '@rangeIndex(at, min: "2100-01-01", max: "1900-01-01")',
    ),
    says: [
      '.a: has a `max` that is not above its `min`; make it larger',
      '.b: has a `max` that is not above its `min`; make it larger',
      '.c: has a `step` as large as all of its range, so that it tells no values apart; make `step` smaller',
      '.d: tells 4294967297 values apart, and can 4294967296 (2^32) at most; make `step` larger, or its range smaller',
      '.e: tells 100000000000000000001 values apart, and can 4294967296 (2^32) at most; make `step` larger, or its range smaller',
      '.f: tells 6311433600001 values apart, and can 4294967296 (2^32) at most; make `step` larger, or its range smaller',
      '.g: has a `max` that is not above its `min`; make it larger',
    ],
  },
  {
    of: 'steps that no value can be counted by',
    model: indexes(
      '@rangeIndex(int, min: 0, max: 9, step: 0)',
      '@rangeIndex(int, min: 0, max: 9, step: 1.5)',
      '@rangeIndex(big, min: 0, max: 9, step: -1)',
      '@rangeIndex(price, scale: 2, min: 0, max: 9, step: 0.005)',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", step: 1)',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", step: "1w")',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", step: "0d")',
      '@rangeIndex(int, min: 0, max: 9, step: "1d")',
      '@rangeIndex(int, min: 0, max: 9, step: [1])',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", step: day)',
    ),
    says: [
      '.i: `step` is a number, or a duration such as "1d" for a DateTime; leave it out for the smallest step',
      '.j: `step` is a number, or a duration such as "1d" for a DateTime; leave it out for the smallest step',
      '.a: has the `step` 0, by which no Int can be counted; write a whole number from 1',
      '.b: has the `step` 1.5, by which no Int can be counted; write a whole number from 1',
      '.c: has the `step` -1, by which no BigInt can be counted; write a whole number from 1',
      '.d: has the `step` 0.005, by which no Decimal can be counted; write a number above 0 with no more than 2 decimal places',
      `.e: has the \`step\` 1, by which no DateTime can be counted; ${durations}`,
      `.f: has the \`step\` 1w, by which no DateTime can be counted; ${durations}`,
      `.g: has the \`step\` 0d, by which no DateTime can be counted; ${durations}`,
      '.h: has the `step` 1d, by which no Int can be counted; write a whole number from 1',
    ],
  },
  {
    of: 'a scale where none belongs, and none where one does; a sparsity out of bounds',
    model: indexes(
      '@rangeIndex(price, min: 0, max: 9)',
      '@rangeIndex(int, min: 0, max: 9, scale: 0)',
      '@rangeIndex(at, min: "1900-01-01", max: "2100-01-01", scale: 2)',
      '@rangeIndex(price, min: 0, max: 9, scale: 21)',
      '@rangeIndex(price, min: 0, max: 9, scale: two)',
      '@rangeIndex(int, min: 0, max: 9, sparsity: 0)',
      '@rangeIndex(int, min: 0, max: 9, sparsity: 9)',
      '@rangeIndex(int, min: 0, max: 9, sparsity: "2")',
    ),
    says: [
      `.d: ${scale}`,
      `.e: ${scale}`,
      `.f: ${sparsity}`,
      `.g: ${sparsity}`,
      `.h: ${sparsity}`,
      '.a: does not say how many decimal places its values have, at most; write `scale: 2`, or `scale: 0` for none',
      '.b: has a `scale`, which only a Decimal has, and is of Int; leave it out',
      '.c: has a `scale`, which only a Decimal has, and is of DateTime; leave it out',
    ],
  },
]

const refusals = [...columns, ...sourceFields, ...textOptions, ...rangeIndexes]

describe('token indexes, what is refused of them', () => {
  const nameOf = (i: number) => `Example${String(i).padStart(3, '0')}`
  let problems: string[]

  beforeAll(async () => {
    const models = refusals.map(({ model }, i) => named(model, nameOf(i)))
    problems = problemsOf(await datamodelOf([...models, 'enum Color {\n  RED\n}', keysModelSource].join('\n')))
  })

  it.each(refusals.map(({ of, says }, i) => [of, nameOf(i), says] as const))('refuses %s', (_, name, says) => {
    const lines = problems.filter((line) => line.startsWith(`${name}.`))
    expect(lines).toEqual(says.map((line) => name + line.replaceAll('Example', name)))
  })

  it('refuses them in the model of the keys', async () => {
    const source = keysModelSource.replace('  kekId', '  a String[] @db.Uuid /// @textIndex(kms, words: true)\n  kekId')
    expect(problemsOf(await datamodelOf(source))).toEqual([
      'EncryptionKey.a: is in the model that stores the keys; remove `@textIndex`',
      'EncryptionKey.a: indexes `kms`, which is not encrypted; put `@encrypted` on it or remove the text index',
    ])
  })

  it('refuses them in a view', async () => {
    const datamodel = await datamodelOf(
      `${keysModelSource}\n${fields('x String /// @encrypted\n  a String[] @db.Uuid /// @textIndex(x, words: true)')}`,
    )
    const find = () => encryptionSchemaOf({ datamodel, provider: 'postgresql', views: new Set(['Example']) })
    expect(find).toThrow('Example.a: is in a view; put the index on a column of the model behind it')
  })

  it('refuses one that is a key of a relation, which only a made-up data model can have', async () => {
    const datamodel = await datamodelOf(
      `${keysModelSource}\n${fields('x String /// @encrypted\n  a String[] @db.Uuid /// @textIndex(x, words: true)\n  upId String?\n  up Example? @relation("up", fields: [upId], references: [id])\n  downs Example[] @relation("up")')}`,
    )
    const models = datamodel.models.map((model) => ({
      ...model,
      fields: model.fields.map((field) => (field.name === 'up' ? { ...field, relationFromFields: ['a'] } : field)),
    }))
    expect(problemsOf({ ...datamodel, models })).toEqual([
      'Example.a: is a key of the relation `up`; use another column for the text index',
    ])
  })
})

describe('token indexes, as the run time gets them', () => {
  const tokenIndexesOf = async (...annotations: string[]) => {
    const datamodel = await datamodelOf(`${keysModelSource}\nenum Color {\n  RED\n}\n${indexes(...annotations)}`)
    return encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models.Example!.tokenIndexes
  }

  it('have the parts of a text, its normalisers and their scope', async () => {
    expect(
      await tokenIndexesOf(
        '@textIndex(name, prefix: [2, 10], suffix: [1, 64], words: true, wordPrefix: [3, 3], grams: 3, normalize: [trim, lowercase], scope: global)',
        '@textIndex(name, words: true, normalize: ours)',
        '@textIndex(name, words: false, grams: 2)',
      ),
    ).toEqual({
      a: {
        kind: 'text',
        source: 'name',
        prefix: [2, 10],
        suffix: [1, 64],
        words: true,
        wordPrefix: [3, 3],
        grams: 3,
        normalize: ['trim', 'lowercase'],
        scope: 'global',
      },
      b: { kind: 'text', source: 'name', words: true, normalize: ['ours'], scope: 'tenant' },
      c: { kind: 'text', source: 'name', grams: 2, normalize: [], scope: 'tenant' },
    })
  })

  it('have their bounds in whole units of the values', async () => {
    const base = { kind: 'range', sparsity: 2, scope: 'tenant' }
    expect(
      await tokenIndexesOf(
        '@rangeIndex(int, min: -2147483648, max: 2_147_483_647, sparsity: 4)',
        '@rangeIndex(big, min: 9_007_199_254_740_993, max: "9007199254740999")',
        '@rangeIndex(price, min: -0.5, max: 1_000, scale: 2)',
        '@rangeIndex(price, min: 0, max: 100, scale: 3, step: 0.25, scope: global)',
        '@rangeIndex(price, min: 0, max: 100, scale: 0, step: 10)',
        '@rangeIndex(at, min: "1900-01-01", max: "2100-12-31")',
        '@rangeIndex(at, min: "2026-01-01T00:00:00+01:00", max: "2026-01-02T10:00:00.5Z", step: "15m")',
      ),
    ).toEqual({
      a: { ...base, source: 'int', unit: '1', min: '-2147483648', max: '2147483647', step: '1', sparsity: 4 },
      b: { ...base, source: 'big', unit: '1', min: '9007199254740993', max: '9007199254740999', step: '1' },
      c: { ...base, source: 'price', unit: '0.01', min: '-50', max: '100000', step: '1' },
      d: { ...base, source: 'price', unit: '0.001', min: '0', max: '100000', step: '250', scope: 'global' },
      e: { ...base, source: 'price', unit: '1', min: '0', max: '100', step: '10' },
      f: { ...base, source: 'at', unit: 'ms', min: '-2208988800000', max: '4133894400000', step: '86400000' },
      g: { ...base, source: 'at', unit: 'ms', min: '1767222000000', max: '1767348000500', step: '900000' },
    })
  })

  it('are absent from a model without any', async () => {
    expect(await tokenIndexesOf()).toBeUndefined()
  })

  it('go with every state and mode of the field, and with a blind index beside them', async () => {
    const datamodel = await datamodelOf(
      `${keysModelSource}\n${fields(`m String? /// @encrypted(migrating)
      e String? /// @encrypted(type: Int, ejecting)
      k String? /// @encrypted(mode: kms)
      t Bytes? /// @encrypted(type: String, pad: 32)
      mi String? /// @blindIndex(m)
      mt String[] @db.Uuid /// @textIndex(m, words: true)
      er String[] @db.Uuid /// @rangeIndex(e, min: 0, max: 9)
      kt String[] @db.Uuid /// @textIndex(k, prefix: [2, 3])
      tt String[] @db.Uuid /// @textIndex(t, grams: 3)`)}`,
    )
    const { Example } = encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models
    expect(Object.keys(Example!.tokenIndexes!)).toEqual(['mt', 'er', 'kt', 'tt'])
    expect(Object.keys(Example!.indexes)).toEqual(['mi'])
  })
})
