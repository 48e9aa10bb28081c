import { beforeAll, describe, expect, it } from '@jest/globals'
import { encryptionSchemaOf } from '../../../src/prisma/schema/encryptionSchemaOf.js'
import { keysModelSource } from '../../../src/prisma/schema/keysModelSource.js'
import type { Datamodel } from '../../../src/schema/datamodel.js'
import { datamodelOf, only } from './datamodelOf.js'
import { fields, named, problemsOf, type Refusal } from './refusals.js'

const mayBindTo = 'bind to a column of the type String (@db.Text, @db.VarChar, @db.Uuid or none), Int or BigInt'

const encryptedFields: Refusal[] = [
  {
    of: 'an encrypted field of another type than String, Bytes or Json',
    model: fields('a Int? /// @encrypted\n  b DateTime @db.Date /// @encrypted'),
    says: [
      '.a: has the type Int?, whose column cannot hold ciphertext; make it String? with `@encrypted(type: Int)`',
      '.b: has the type DateTime @db.Date, whose column cannot hold ciphertext; make it String with `@encrypted(type: DateTime)`',
    ],
  },
  {
    of: 'an encrypted list of a type that cannot be encrypted, and one with values by default',
    model: fields(
      'a String[] @default(["x"]) /// @encrypted\n  b Int[] /// @encrypted\n  c Json[] /// @encrypted\n  d String[] @db.VarChar(9) /// @encrypted',
    ),
    says: [
      '.a: has a @default, which would store plaintext; remove it and give the value in `data`',
      '.b: has the type Int[], whose column cannot hold ciphertext; make it String[] with `@encrypted(type: Int)`',
      '.c: is a list (Json[]), which cannot be encrypted; use one Json field for the whole list',
      '.d: has the native type @db.VarChar(9), which does not hold every ciphertext; use @db.Text',
    ],
  },
  {
    of: 'an encrypted enum',
    model: fields('a Color /// @encrypted'),
    says: [
      '.a: has the enum type Color, whose column cannot hold ciphertext; make it String with `@encrypted(type: Color)`',
    ],
  },
  {
    of: 'an encrypted relation, foreign key and referred field',
    model: `model Example {
      id    String    @id
      code  String    @unique /// @encrypted
      upId  String?   /// @encrypted
      up    Example?  @relation("up", fields: [upId], references: [code]) /// @encrypted
      downs Example[] @relation("up")
    }`,
    says: [
      '.code: is unique, and equal values have different ciphertexts; put `@unique` on a `@blindIndex` column of it instead',
      '.code: is what the relation Example.up refers to; leave keys of relations in plaintext',
      '.upId: is a foreign key of the relation `up`; leave keys of relations in plaintext',
      '.up: is a relation; put `@encrypted` on a String, Bytes or Json field',
    ],
  },
  {
    of: 'an encrypted id',
    model: 'model Example {\n  id String @id @default(uuid()) /// @encrypted\n}',
    says: [
      '.id: is in the primary key, and equal values have different ciphertexts; use another field as the id',
      '.id: has a @default, which would store plaintext; remove it and give the value in `data`',
    ],
  },
  {
    of: 'encrypted members of @@id, @@unique and @@index',
    model: `model Example {
      a String /// @encrypted
      b String /// @encrypted
      c Json   /// @encrypted
      d String
      @@id([a, d])
      @@unique([b, d])
      @@index([c], type: Gin)
    }`,
    says: [
      '.a: is in the primary key, and equal values have different ciphertexts; use another field as the id',
      '.b: is unique, and equal values have different ciphertexts; put `@unique` on a `@blindIndex` column of it instead',
      '.c: is in an @@index, which cannot find ciphertext; index a `@blindIndex` column of it instead',
    ],
  },
  {
    of: 'members of @@id and @@unique while they are migrating or ejecting',
    model: `model Example {
      a String /// @encrypted(migrating)
      b String /// @encrypted(ejecting)
      c String
      @@id([a, c])
      @@unique([b, c])
    }`,
    says: [
      '.a: is in the primary key, and equal values have different ciphertexts; use another field as the id',
      '.b: is unique, and equal values have different ciphertexts; put `@unique` on a `@blindIndex` column of it instead',
    ],
  },
  ...['VarChar(200)', 'Char(200)', 'Uuid', 'Citext', 'Inet', 'Xml', 'Bit(8)', 'VarBit(8)'].map((native) => ({
    of: `an encrypted String @db.${native}`,
    model: fields(`a String @db.${native} /// @encrypted`),
    says: [`.a: has the native type @db.${native}, which does not hold every ciphertext; use @db.Text`],
  })),
  {
    of: 'a default on an encrypted field',
    model: fields('a String @default("x") /// @encrypted\n  b Json @default("{}") /// @encrypted'),
    says: [
      '.a: has a @default, which would store plaintext; remove it and give the value in `data`',
      '.b: has a @default, which would store plaintext; remove it and give the value in `data`',
    ],
  },
  {
    of: 'two fields with the same context',
    model: fields('a String /// @encrypted(as: "Old.name")\n  b String /// @encrypted(as: "Old.name")'),
    says: [
      '.a: has the context "Old.name", as Example.b has: their ciphertexts could be exchanged; give each its own name in `as:`',
      '.b: has the context "Old.name", as Example.a has: their ciphertexts could be exchanged; give each its own name in `as:`',
    ],
  },
  {
    of: 'a context that is no Model.field',
    model: fields('a String /// @encrypted(as: "name")\n  b String /// @encrypted(as: User)'),
    says: [
      '.a: `as` pins the name a field had when it was first encrypted; write it as `as: "Model.field"`',
      '.b: `as` pins the name a field had when it was first encrypted; write it as `as: "Model.field"`',
    ],
  },
]

const boundColumns: Refusal[] = [
  {
    of: 'a bound column that does not exist, and a near one',
    model: fields('tenantId String\n  a String /// @encrypted(bind: [tenantid, nothing])'),
    says: [
      '.a: binds to `tenantid`, which is no field of Example; did you mean `tenantId`?',
      '.a: binds to `nothing`, which is no field of Example; name columns of the same model',
    ],
  },
  {
    of: 'a bound column that is encrypted, a blind index or optional',
    model: fields('a String /// @encrypted(bind: [a, i, o])\n  i String? /// @blindIndex(a)\n  o Int?'),
    says: [
      '.a: binds to `a`, which is itself encrypted; bind to a plaintext column',
      '.a: binds to `i`, which is a blind index; bind to the id',
      '.a: binds to `i`, which may be null (String?); make it required',
      '.a: binds to `o`, which may be null (Int?); make it required',
    ],
  },
  {
    of: 'a bound column of a type without one canonical form',
    model: fields(
      `a String /// @encrypted(bind: [f, c, t, l, e, x, u])
      f Float
      c String @db.Char(3)
      t String @db.Citext
      l String[]
      e Color
      x Other @relation(fields: [id], references: [id], onUpdate: Restrict)
      u DateTime @updatedAt`,
    ),
    says: [
      `.a: binds to \`f\`, which is of a type without one canonical form (Float); ${mayBindTo}`,
      `.a: binds to \`c\`, which is of a type without one canonical form (String @db.Char(3)); ${mayBindTo}`,
      `.a: binds to \`t\`, which is of a type without one canonical form (String @db.Citext); ${mayBindTo}`,
      `.a: binds to \`l\`, which is a list (String[]); ${mayBindTo}`,
      `.a: binds to \`e\`, which is of the enum Color; ${mayBindTo}`,
      `.a: binds to \`x\`, which is a relation; ${mayBindTo}`,
      '.a: binds to `u`, which changes at every update (@updatedAt); bind to a column that never changes',
    ],
  },
  {
    of: 'a bound column that the database fills',
    model: fields(
      `a String /// @encrypted(bind: [n, g])
      n Int    @default(autoincrement())
      g String @default(dbgenerated("gen_random_uuid()")) @db.Uuid`,
    ),
    says: ['n', 'g'].map((name) => {
      const made = name === 'n' ? 'autoincrement' : 'dbgenerated'
      return (
        `.a: binds to \`${name}\`, which gets its value from the database (@default(${made}(…))), too late to encrypt ` +
        'with it; use @default(uuid()) or give the value in `data`'
      )
    }),
  },
  {
    of: 'a bound column with a constant default',
    model: fields(`a String /// @encrypted(bind: k)
      k String @default("x")`),
    says: ['.a: binds to `k`, which has a constant @default; remove it and give the value in `data`'],
  },
  {
    of: 'a bound foreign key that the database changes in cascade',
    model: fields(
      'otherId String\n  other Other @relation("b", fields: [otherId], references: [id])\n  a String /// @encrypted(bind: otherId)',
    ),
    says: [
      '.a: binds to `otherId`, which is the foreign key of `other`, and the database changes it when the referred ' +
        "row's key changes; write `onUpdate: Restrict` in the @relation",
    ],
  },
]

const blindIndexes: Refusal[] = [
  {
    of: 'a blind index without source, or with one that is missing, plain, or itself',
    model: fields(
      `email String /// @encrypted
      plain String
      a String? /// @blindIndex
      b String? /// @blindIndex(emial)
      c String? /// @blindIndex(plain)
      d String? /// @blindIndex(d)
      e String? /// @blindIndex("email")`,
    ),
    says: [
      '.a: `@blindIndex` does not say which field it indexes; write `@blindIndex(email)`',
      '.e: the field that `@blindIndex` indexes is written as a bare name: `@blindIndex(email)`',
      '.b: indexes `emial`, which is no field of Example; did you mean `email`?',
      '.c: indexes `plain`, which is not encrypted; put `@encrypted` on it or remove the blind index',
      '.d: indexes itself; name the `@encrypted` field it is made from',
    ],
  },
  {
    of: 'a blind index of Json, and normalised Bytes',
    model: fields(
      'j Json /// @encrypted\n  b Bytes /// @encrypted\n  ji String? /// @blindIndex(j)\n  bi Bytes? /// @blindIndex(b, normalize: trim)',
    ),
    says: [
      '.ji: indexes `j`, which is Json and has no one form to compare; index a field of another type',
      '.bi: normalises `b`, which is Bytes; leave out `normalize`: it works on String values only',
    ],
  },
  {
    of: 'a blind index in a column of another type, a required one, and one with a default',
    model: fields(
      'e String /// @encrypted\n  a Int? /// @blindIndex(e)\n  b String[] /// @blindIndex(e)\n  c String @default("") /// @blindIndex(e)\n  d Color? /// @blindIndex(e)',
    ),
    says: [
      '.a: is a blind index of the type Int?; make it String? or Bytes?',
      '.b: is a blind index of the type String[]; make it String? or Bytes?',
      '.c: is required; make it String?: it is null in rows without a value and in rows not indexed yet',
      '.c: has a @default, which is no index of any value; remove it',
      '.d: is a blind index of the type Color?; make it String? or Bytes?',
    ],
  },
  {
    of: 'a blind index in a column that is too short or changes it',
    model: fields(
      'e String /// @encrypted\n  a String? @db.VarChar(21) /// @blindIndex(e)\n  b String? @db.Citext /// @blindIndex(e)\n  c String? @db.Char(22) /// @blindIndex(e)',
    ),
    says: ['VarChar(21)', 'Citext', 'Char(22)'].map(
      (native, i) =>
        `.${'abc'[i]}: has the native type @db.${native}, which does not hold an index of 128 bits; use @db.Text or @db.VarChar(22)`,
    ),
  },
  {
    of: 'a short blind index that is unique',
    model: `model Example {
      id String @id
      e  String /// @encrypted
      a  String? @unique /// @blindIndex(e, bits: 120)
      b  String? /// @blindIndex(e, bits: 64)
      c  String? @unique /// @blindIndex(e)
      @@unique([id, b])
    }`,
    says: [
      '.a: is unique with 120 bits, so that different values could violate the constraint; remove the uniqueness or use 128 bits or more',
      '.b: is unique with 64 bits, so that different values could violate the constraint; remove the uniqueness or use 128 bits or more',
    ],
  },
  {
    of: 'a blind index that is a foreign key',
    model: fields(
      'e String /// @encrypted\n  otherId String? /// @blindIndex(e)\n  other Other? @relation("k", fields: [otherId], references: [id])',
    ),
    says: ['.otherId: is a key of the relation `other`; use another column for the blind index'],
  },
  {
    of: 'bits that are no multiple of 8 from 8 to 256, and no number',
    model: fields(
      `e String /// @encrypted\n${['0', '12', '264', '"128"', '[128]'].map((bits, i) => `  x${i} String? /// @blindIndex(e, bits: ${bits})`).join('\n')}`,
    ),
    says: [0, 1, 2, 3, 4].map((i) => `.x${i}: \`bits\` is a multiple of 8 from 8 to 256; leave it out for 128`),
  },
  {
    of: 'unknown, repeated and missing normalisers and scopes',
    model: fields(
      `e String /// @encrypted
      a String? /// @blindIndex(e, normalize: [trim, lowerCase])
      b String? /// @blindIndex(e, normalize: [trim, trim])
      c String? /// @blindIndex(e, normalize: [])
      d String? /// @blindIndex(e, normalize: ["trim"])
      f String? /// @blindIndex(e, scope: tenants)
      g String? /// @blindIndex(e, scope: [tenant, global])`,
    ),
    says: [
      '.a: `normalize` does not know `lowerCase`; did you mean `lowercase`? it knows trim, lowercase, nfkc, digits, diacritics',
      '.b: `normalize` names `trim` twice; keep one',
      '.c: `normalize` is an empty list; leave the option out',
      '.d: `normalize` takes bare names; write `normalize: [a, b]`',
      '.f: `scope` does not know `tenants`; did you mean `tenant`? it knows tenant, global',
      '.g: `scope` is one bare word; write `scope: tenant` or `scope: global`',
    ],
  },
]

const annotations: Refusal[] = [
  {
    of: 'unknown, repeated and valueless options',
    model: fields(
      `a String /// @encrypted(bnd: id)
      b String /// @encrypted(bind: id, bind: id)
      c String /// @encrypted(bind)
      d String /// @encrypted(id)
      e String /// @encrypted(128)
      f String? /// @blindIndex(a, normalise: trim)
      g String /// @encrypted(bind: [id, id])
      h String /// @encrypted(bind: [])
      i String /// @encrypted(bind: "id")`,
    ),
    says: [
      '.a: unknown option `bnd`; did you mean `bind`? `@encrypted` knows `bind:`, `as:`, `type:`, `pad:`, `mode:`, `mask:`, `migrating`, `ejecting`',
      '.b: option `bind` of `@encrypted` is given twice; keep one',
      '.c: option `bind` has no value; write `bind: …`',
      '.d: unknown option `id`; `@encrypted` knows `bind:`, `as:`, `type:`, `pad:`, `mode:`, `mask:`, `migrating`, `ejecting`',
      '.e: `@encrypted` got a value without a name; `@encrypted` knows `bind:`, `as:`, `type:`, `pad:`, `mode:`, `mask:`, `migrating`, `ejecting`',
      '.f: unknown option `normalise`; did you mean `normalize`? `@blindIndex` knows `normalize:`, `scope:`, `bits:`',
      '.g: `bind` names `id` twice; keep one',
      '.h: `bind` is an empty list; leave the option out',
      '.i: `bind` takes bare names; write `bind: [a, b]`',
    ],
  },
  {
    of: 'masks that there are not, or of what is no text',
    model: fields(
      `a String /// @encrypted(mask: "***")
      b String /// @encrypted(mask: [email, phone])
      c String /// @encrypted(mask: e_mail)
      d String /// @encrypted(mask: stars)
      e Json? /// @encrypted(mask: hidden)
      f String? /// @encrypted(type: DateTime, mask: last4)
      g String[] /// @encrypted(mask: email)
      h String /// @encrypted(mask)
      i Bytes /// @encrypted(type: String, mask: phone)`,
    ),
    says: [
      '.a: `mask` is one bare word; write `mask: email`, `mask: phone`, `mask: last4`, `mask: initials` or `mask: hidden`',
      '.b: `mask` is one bare word; write `mask: email`, `mask: phone`, `mask: last4`, `mask: initials` or `mask: hidden`',
      '.c: `mask` does not know `e_mail`; did you mean `email`? it knows email, phone, last4, initials, hidden',
      '.d: `mask` does not know `stars`; it knows email, phone, last4, initials, hidden',
      '.h: option `mask` has no value; write `mask: …`',
      '.e: has `mask: hidden` and holds Json, while a mask is text; leave it out: who may not read the field is refused',
      '.f: has `mask: last4` and holds DateTime, while a mask is text; leave it out: who may not read the field is refused',
      '.g: has `mask: email` and holds a list of String, while a mask is text; leave it out: who may not read the field is refused',
    ],
  },
  {
    of: 'values of a type that there is not, or that the column has no room for',
    model: fields(
      `a String /// @encrypted(type: date)
      b Json /// @encrypted(type: Int)
      c String /// @encrypted(type: "Int")
      d String /// @encrypted(type: Colour)
      e Json /// @encrypted(type: Json)`,
    ),
    says: [
      '.c: `type` is the bare name of a type or an enum; write `type: DateTime`',
      '.a: has `type: date`, which is no type; write String, Bytes, Json, Int, BigInt, Float, Boolean, DateTime, Decimal or an enum of the schema',
      '.b: is Json, which holds JSON only; leave out `type: Int`, or make it String',
      '.d: has `type: Colour`, which is no type; did you mean `Color`? write String, Bytes, Json, Int, BigInt, Float, Boolean, DateTime, Decimal or an enum of the schema',
    ],
  },
  {
    of: 'padding of no length or no use',
    model: fields(
      `a String /// @encrypted(pad: 1)
      b String /// @encrypted(pad: 1.5)
      c String /// @encrypted(type: DateTime, pad: 64)
      d String[] /// @encrypted(type: Int, pad: 64)`,
    ),
    says: [
      '.a: `pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`',
      '.b: `pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`',
      '.c: has `pad: 64`, yet all values of the type DateTime are equally long; leave it out',
    ],
  },
  {
    of: 'modes that there are not, and padding that no value of the KMS fits into',
    model: fields(
      `a String /// @encrypted(mode: direct)
      b String /// @encrypted(mode: "kms")
      c String /// @encrypted(mode)
      d String /// @encrypted(kms)
      e String /// @encrypted(mode: KMS)
      f String /// @encrypted(mode: kms, pad: 4065)
      g String /// @encrypted(mode: kms, mode: kms)`,
    ),
    says: [
      '.a: `mode` does not know `direct`; it knows dek, kms',
      '.b: `mode` is one bare word; write `mode: dek` or `mode: kms`',
      '.c: option `mode` has no value; write `mode: …`',
      '.d: unknown option `kms`; `@encrypted` knows `bind:`, `as:`, `type:`, `pad:`, `mode:`, `mask:`, `migrating`, `ejecting`',
      '.e: `mode` does not know `KMS`; did you mean `kms`? it knows dek, kms',
      '.g: option `mode` of `@encrypted` is given twice; keep one',
      '.f: has `pad: 4065` and `mode: kms`, with which a value takes 4064 bytes at most; make `pad` smaller, or leave out `mode: kms`',
    ],
  },
  {
    of: 'states that exclude each other, take no value, or have no plaintext',
    model: fields(
      `a String /// @encrypted(migrating, ejecting)
      b String /// @encrypted(migrating: true)
      c Bytes /// @encrypted(type: Int, ejecting)
      d Bytes /// @encrypted(ejecting)
      e String /// @encrypted(migrating, migrating)`,
    ),
    says: [
      '.a: `migrating` and `ejecting` exclude each other: `migrating` while plaintext is being encrypted, `ejecting` while ciphertext is being turned back; keep one',
      '.b: `migrating` takes no value; write only `migrating`',
      '.e: option `migrating` of `@encrypted` is given twice; keep one',
      '.c: is `ejecting` and holds Int in Bytes, where plaintext of that type has no form; leave out `ejecting`, or make it String',
    ],
  },
  {
    of: 'an index over fields that it cannot compare',
    model: fields(
      `a String /// @encrypted
      j String /// @encrypted(type: Json)
      l String[] /// @encrypted
      n String /// @encrypted(type: Int)
      w String? /// @blindIndex([a, j])
      x String? /// @blindIndex([a, l])
      y String? /// @blindIndex([a, a])
      z String? /// @blindIndex(n, normalize: trim)`,
    ),
    says: [
      '.y: `@blindIndex` names `a` twice; keep one',
      '.w: indexes `j`, which is Json and has no one form to compare; index a field of another type',
      '.x: indexes `l`, which is a list; index a field of one value',
      '.z: normalises `n`, which is Int; leave out `normalize`: it works on String values only',
    ],
  },
  {
    of: 'annotations in the wrong place or together',
    model: `/// @encrypted
      /// @tenant
      model Example {
        id String @id
        a String /// @encryptionKeys
        /// @encrypted
        /// @encrypted
        b String
        /// @tenant
        /// @encrypted
        c String
      }`,
    says: [
      ': `@encrypted` stands on a model; put it on the field that it means',
      ': `@tenant` stands on a model; put it on the field that it means',
      '.a: `@encryptionKeys` stands on a field; put it on the line before the model that stores the keys',
      '.b: `@encrypted` is written twice; keep one',
      '.c: `@tenant` and `@encrypted` exclude each other on one field; put each on a field of its own',
    ],
  },
  {
    of: 'an annotation that cannot be read, without follow-up problems',
    model: fields(
      'a String /// @encrypted(bind id)\n  i String? /// @blindIndex(a)\n  t String /// @tenant(\n  j String? /// @blindIndex(a',
    ),
    says: [
      '.a: cannot read `@encrypted(…)`: `id` stands where `,` or `)` should be',
      '.t: cannot read `@tenant(…)`: the documentation ends where a name, a list [a, b], a number or a text in double quotes should be',
      '.j: cannot read `@blindIndex(…)`: the documentation ends where `,` or `)` should be',
    ],
  },
  {
    of: 'misspelt annotations and prose that mentions one',
    model: fields('a String /// @encrypt\n  b String /// TODO: make it @encrypted\n  c String /// @tenants'),
    says: [
      '.a: unknown annotation `@encrypt`; did you mean `@encrypted`? It begins its `///` line; in prose, leave out the @',
      '.b: mentions `@encrypted` inside a line, where it does nothing; to switch it on, begin a `///` line with `@encrypted`; in prose, leave out the @',
      '.c: unknown annotation `@tenants`; did you mean `@tenant`? It begins its `///` line; in prose, leave out the @',
    ],
  },
]

const tenants: Refusal[] = [
  {
    of: 'a tenant that is no required String',
    model: fields('t String? /// @tenant'),
    says: ['.t: holds the tenant and may be null; make it required: a row without tenant has no key'],
  },
  {
    of: 'a tenant of another type',
    model: fields('t Int /// @tenant'),
    says: ['.t: holds the tenant and has the type Int; make it a String'],
  },
  {
    of: 'a list of tenants',
    model: fields('t String[] /// @tenant'),
    says: ['.t: holds the tenant and has the type String[]; make it a String'],
  },
  {
    of: 'a second tenant',
    model: fields('s String /// @tenant\n  t String /// @tenant'),
    says: ['.t: is a second `@tenant` of Example, after `s`; a row belongs to one tenant: keep one'],
  },
  {
    of: 'a tenant that the database pads or folds',
    model: fields('t String @db.Citext /// @tenant'),
    says: [
      '.t: has the native type @db.Citext, which changes what it stores or compares; use @db.Text, @db.VarChar or @db.Uuid',
    ],
  },
  {
    of: 'a tenant with a constant default',
    model: fields('t String @default("acme") /// @tenant'),
    says: [
      '.t: has a constant @default, so that rows would name another tenant than their key does; remove it, or use the `defaultTenant` option',
    ],
  },
  {
    of: 'arguments of a tenant',
    model: fields('t String /// @tenant(id)'),
    says: ['.t: `@tenant` takes no arguments; write only `@tenant`'],
  },
]

const refusals = [...encryptedFields, ...boundColumns, ...blindIndexes, ...annotations, ...tenants]

describe('encryptionSchemaOf, what it refuses', () => {
  const nameOf = (i: number) => `Example${String(i).padStart(3, '0')}`
  let problems: string[]

  beforeAll(async () => {
    const models = refusals.map(({ model }, i) => named(model, nameOf(i)))
    const backRelations = models.flatMap((model, i) =>
      [...model.matchAll(/ Other\??\s+@relation\((?:"(\w+)")?/g)].map(
        ([, relation]) => `  r${i} ${nameOf(i)}[]${relation === undefined ? '' : ` @relation("${relation}")`}`,
      ),
    )
    const other = `model Other {\n  id String @id\n${backRelations.join('\n')}\n}`
    const datamodel = await datamodelOf([...models, other, 'enum Color {\n  RED\n}', keysModelSource].join('\n'))
    problems = problemsOf(datamodel)
  })

  it.each(refusals.map(({ of, says }, i) => [of, nameOf(i), says] as const))('refuses %s', (_, name, says) => {
    const lines = problems.filter((line) => line.startsWith(`${name}:`) || line.startsWith(`${name}.`))
    const expected = says.map((line) => name + line.replaceAll('Example', name))
    expect(lines).toEqual(expected)
  })
})

describe('encryptionSchemaOf, of the keys model', () => {
  const variants: readonly [string, string, (source: string) => string, readonly string[]][] = [
    [
      'without a field',
      'NoKekId',
      (source) => source.replace(/ {2}kekId.*\n/, ''),
      ['.kekId: is missing; add `kekId String`'],
    ],
    [
      'with fields of other types',
      'OtherTypes',
      (source) =>
        source
          .replace('version     Int', 'version     String')
          .replace('wrapped     String?', 'wrapped     String')
          .replace('retiredAt   DateTime?', 'retiredAt   DateTime')
          .replace('messages    BigInt    @default(0)', 'messages    Int       @default(0)'),
      [
        '.version: has the type String; make it `version Int`',
        '.wrapped: has the type String; make it `wrapped String?`',
        '.messages: has the type Int; make it `messages BigInt @default(0)`',
        '.retiredAt: has the type DateTime; make it `retiredAt DateTime?`',
      ],
    ],
    [
      'with columns that are too short or change their text',
      'Natives',
      (source) =>
        source
          .replace('wrapped     String?', 'wrapped String? @db.VarChar(100)')
          .replace('tenant      String', 'tenant String @db.Citext'),
      [
        '.tenant: has the native type @db.Citext; use @db.Text',
        '.wrapped: has the native type @db.VarChar(100); use @db.Text',
      ],
    ],
    [
      'without its defaults',
      'NoDefaults',
      (source) => source.replace('@default(0)', '').replace('@default(now())', ''),
      ['.messages: has no default; add `@default(0)`', '.createdAt: has no default; add `@default(now())`'],
    ],
    [
      'without its unique constraint',
      'NoUnique',
      (source) => source.replace('@@unique([tenant, purpose, version])', '@@unique([tenant, version])'),
      [': lacks @@unique([tenant, purpose, version]), which decides races for a new key; add it'],
    ],
    [
      'with another primary key',
      'OtherId',
      (source) => source.replace('@id @db.Uuid', '@db.Uuid\n  serial Int @id @default(autoincrement())'),
      ['.id: is not the primary key; make it `id String @id @db.Uuid`'],
    ],
    [
      'with a required field of its own',
      'Extra',
      (source) => source.replace('  kekId', '  owner String\n  note String?\n  kekId'),
      ['.owner: is a required field that fieldseal does not fill; make it optional or give it a @default'],
    ],
    [
      'with encrypted fields, blind indexes or tenants in it',
      'Encrypted',
      (source) =>
        source
          .replace(/(tenant .*)/, '$1 /// @tenant')
          .replace('  kekId', '  a String? /// @encrypted\n  b String? /// @blindIndex(a)\n  kekId'),
      [
        '.tenant: is in the model that stores the keys; remove `@tenant`: its `tenant` field is known by name',
        '.a: is in the model that stores the keys; remove `@encrypted`: wrapped keys are ciphertext already',
        '.b: is in the model that stores the keys; remove `@blindIndex`',
      ],
    ],
    [
      'with arguments',
      'Arguments',
      (source) => source.replace('@encryptionKeys', '@encryptionKeys(x)'),
      [': `@encryptionKeys` takes no arguments; write only `@encryptionKeys`'],
    ],
  ]
  let datamodel: Datamodel

  beforeAll(async () => {
    const models = variants.map(([, name, change]) =>
      change(
        keysModelSource.replace('model EncryptionKey', `model ${name}`).replace('"encryption_keys"', `"${name}_keys"`),
      ),
    )
    datamodel = await datamodelOf(
      [...models, keysModelSource, 'model User {\n  id Int @id\n  a String /// @encrypted\n}'].join('\n'),
    )
  })

  it.each(variants)('refuses a keys model %s', (_, name, __, says) => {
    expect(problemsOf(only(datamodel, 'User', name))).toEqual(says.map((line) => name + line))
  })

  it('refuses that the keys model is missing, with the model to paste', () => {
    const find = () => encryptionSchemaOf({ datamodel: only(datamodel, 'User'), provider: 'postgresql' })
    expect(find).toThrow(
      'fieldseal found a problem in the Prisma schema:\n\n  User.a: is encrypted, but no model stores the keys; add one marked `@encryptionKeys`',
    )
    expect(find).toThrow(`The model that stores the keys, to paste into the schema:\n\n${keysModelSource}`)
  })

  it('refuses a keys model beside another', () => {
    expect(problemsOf(only(datamodel, 'User', 'EncryptionKey', 'NoKekId'))).toContain(
      'EncryptionKey: is a second `@encryptionKeys` model, after NoKekId; keep one',
    )
  })
})

describe('encryptionSchemaOf, of the provider', () => {
  const datamodel: Datamodel = { models: [], enums: [], indexes: [] }

  it.each(['mysql', 'sqlite', 'sqlserver', 'mongodb'])('refuses the provider %s', (provider) => {
    expect(() => encryptionSchemaOf({ datamodel, provider })).toThrow(
      `datasource: has the provider "${provider}"; this version of fieldseal works with "postgresql" only`,
    )
  })

  it('refuses the provider cockroachdb, as untested', () => {
    expect(() => encryptionSchemaOf({ datamodel, provider: 'cockroachdb' })).toThrow('which is not tested with it')
  })
})

describe('encryptionSchemaOf accepts', () => {
  it('a schema without models on either name of PostgreSQL', () => {
    const datamodel: Datamodel = { models: [], enums: [], indexes: [] }
    for (const provider of ['postgresql', 'postgres']) {
      expect(encryptionSchemaOf({ datamodel, provider })).toEqual({ format: 4, keysModel: '', models: {} })
    }
  })

  it('every column that can hold ciphertext, an index or a bound value', async () => {
    const datamodel = await datamodelOf(`${keysModelSource}
      model All {
        id String @id @default(uuid(4)) @db.Uuid
        seven String @default(uuid(7)) @db.VarChar(36)
        big BigInt
        c1 String @default(cuid())
        c2 String @default(cuid(2))
        nano String @default(nanoid(12))
        u String @default(ulid())
        t String @default(dbgenerated("current_setting('app.tenant')")) /// @tenant
        a String @db.Text /// @encrypted(bind: [id, seven, big, c1, c2, nano, u])
        b String @db.VarChar /// @encrypted
        c Json @db.Json /// @encrypted
        d Json @db.JsonB /// @encrypted
        e Bytes @db.ByteA /// @encrypted
        f String? @db.VarChar(22) /// @blindIndex(a)
        g Bytes? @db.ByteA /// @blindIndex(e, bits: 8)
        h String? @unique @db.VarChar(43) /// @blindIndex(b, bits: 256, normalize: nfkc)
        @@index([f])
        @@unique([t, f])
      }`)
    const { All } = encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models
    expect(All).toMatchObject({
      tenant: 't',
      uniques: { t_f: ['t', 'f'] },
      encrypted: { a: { bind: ['id', 'seven', 'big', 'c1', 'c2', 'nano', 'u'] }, b: {}, c: {}, d: {}, e: {} },
      bound: {
        id: { type: 'Uuid', default: { name: 'uuid', argument: 4 } },
        seven: { type: 'String', default: { name: 'uuid', argument: 7 } },
        big: { type: 'BigInt' },
        c1: { default: { name: 'cuid', argument: 1 } },
        c2: { default: { name: 'cuid', argument: 2 } },
        nano: { default: { name: 'nanoid', argument: 12 } },
        u: { default: { name: 'ulid' } },
      },
      indexes: { f: { bits: 128 }, g: { type: 'Bytes', bits: 8 }, h: { bits: 256, normalize: ['nfkc'] } },
    })
  })

  it('`mode: kms` beside every other option, and says nothing of `mode: dek`, which is what is left out', async () => {
    const datamodel = await datamodelOf(`${keysModelSource}
      model Modes {
        id String @id @default(uuid())
        a String? /// @encrypted(mode: kms, bind: id, as: "Old.a", pad: 4064)
        b Bytes? /// @encrypted(type: Decimal, mode: kms)
        c String[] /// @encrypted(mode: kms, migrating)
        d Json? /// @encrypted(ejecting, mode: kms)
        e String? /// @encrypted(mode: dek)
        f String? /// @blindIndex(a)
      }`)
    const { encrypted } = encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models.Modes!
    expect(encrypted).toMatchObject({
      a: { mode: 'kms', pad: 4064, context: 'Old.a', bind: ['id'] },
      b: { mode: 'kms', value: 'Decimal' },
      c: { mode: 'kms', list: true, state: 'migrating' },
      d: { mode: 'kms', state: 'ejecting' },
    })
    expect(encrypted.e).not.toHaveProperty('mode')
  })

  it('an index over a field that holds plaintext, until it is encrypted or once it is decrypted', async () => {
    const datamodel = await datamodelOf(`${keysModelSource}
      model Old {
        id Int @id
        a String /// @encrypted(migrating)
        b String /// @encrypted(ejecting)
        tenant String /// @tenant
        i String? /// @blindIndex(a)
        @@index([tenant, a])
        @@index([b])
        @@index([tenant, i])
      }`)
    expect(Object.keys(encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models.Old!.encrypted)).toEqual([
      'a',
      'b',
    ])
  })

  it('no single unique as a compound selector, whatever it is called', async () => {
    const datamodel = await datamodelOf(`model One {
      a String
      b String
      c String
      @@id([a])
      @@unique([b], name: "named")
      @@unique([b, c], name: "pair")
      @@unique([c, a], map: "c_a_key")
    }`)
    const { One } = encryptionSchemaOf({ datamodel, provider: 'postgresql' }).models
    expect(One).toMatchObject({ id: ['a'], uniques: { pair: ['b', 'c'], c_a: ['c', 'a'] } })
  })
})

describe('encryptionSchemaOf refuses annotations on enums', () => {
  it('and their values', async () => {
    const datamodel = await datamodelOf(
      '/// @encrypted\nenum Color {\n  RED /// @tenant\n  BLUE /// the @encrypted one\n}\nmodel M {\n  id Int @id\n}',
    )
    expect(problemsOf(datamodel)).toEqual([
      "Color: `@encrypted` stands on an enum, which cannot carry it; put it on a model's String, Bytes or Json field",
      "Color.RED: `@tenant` stands on an enum, which cannot carry it; put it on a model's String, Bytes or Json field",
      'Color.BLUE: mentions `@encrypted` inside a line, where it does nothing; to switch it on, begin a `///` line with `@encrypted`; in prose, leave out the @',
    ])
  })
})
