import { describe, expect, it } from '@jest/globals'
import type { InitAnswers } from '../../src/cli/init/answers.js'
import { planInit } from '../../src/cli/init/plan.js'
import { schemaCandidates } from '../../src/cli/init/schemaCandidates.js'
import { schemaModels } from '../../src/cli/init/schemaModels.js'

const HEAD = `generator client {
  provider = "prisma-client"
  output   = "../src/generated/prisma"
}

datasource db {
  provider = "postgresql"
}
`

const ANSWERS: InitAnswers = {
  ...{ fields: [], blindIndexes: [], migrating: false, kms: 'local' },
  tenancy: { kind: 'many', column: undefined },
}

/** The lines of a model once the answers are written into its schema. */
function marked(model: string, answers: Partial<InitAnswers>, end = '\n'): string {
  const text = `${HEAD}\n${model}\n`.replaceAll('\n', end)
  const changes = planInit({
    ...{ root: '/app', schema: [{ path: '/app/schema.prisma', text }], folder: undefined, configured: true },
    answers: { ...ANSWERS, ...answers },
  })
  const { after } = changes[0]!
  return after.slice(after.indexOf('model '), after.indexOf('/// @encryptionKeys')).trimEnd()
}

const candidates = (...models: string[]) => schemaCandidates(models.flatMap(schemaModels))

describe('the marks that init writes into a Prisma schema', () => {
  it('stand beside a field, or above it where a comment stands beside it', () => {
    const model = 'model User {\n  id   String @id\n  name String? // their own\n  note String\n}'
    expect(marked(model, { fields: ['User.name', 'User.note'] })).toBe(
      'model User {\n  id   String @id\n  /// @encrypted\n  name String? // their own\n  note String /// @encrypted\n}',
    )
  })

  it('move what is unique to a blind index, under the same name of the constraint', () => {
    const model = 'model User {\n  id    String @id\n  email String @unique(map: "mail")\n\n  @@index([id])\n}'
    expect(marked(model, { fields: ['User.email'] })).toBe(`model User {
  id    String @id
  email String /// @encrypted
  emailIndex String? @unique(map: "mail") /// @blindIndex(email, normalize: [trim, lowercase])

  @@index([id])
}`)
  })

  it('move keys over several fields to their blind indexes', () => {
    const model = `model User {
  id       String @id
  tenantId String
  phone    String? @map("phone_number")
  name     String

  @@unique(fields: [tenantId, phone], map: "one_phone")
  @@index([
    name, // first
    phone
  ])
}`
    expect(marked(model, { fields: ['User.phone', 'User.name'] })).toBe(`model User {
  id       String @id
  tenantId String
  phone    String? @map("phone_number") /// @encrypted
  phoneIndex String? @map("phone_number_index") /// @blindIndex(phone, normalize: [digits])
  name     String /// @encrypted
  nameIndex String? /// @blindIndex(name)

  @@unique(fields: [tenantId, phoneIndex], map: "one_phone")
  @@index([nameIndex, phoneIndex])
}`)
  })

  it('move keys whose fields stand behind other arguments', () => {
    const model = `model User {
  orgId   String
  mobile  String
  surname String

  @@unique(name: "one, [two]", fields: [orgId, mobile])
  @@index(map: "ix", type: Hash, fields: [surname])
}`
    const after = marked(model, { fields: ['User.mobile', 'User.surname'] })
    expect(after).toContain('  @@unique(name: "one, [two]", fields: [orgId, mobileIndex])\n')
    expect(after).toContain('  @@index(map: "ix", type: Hash, fields: [surnameIndex])\n')
    expect(candidates(model.replace('@@index', '@@id'))).toContainEqual(
      expect.objectContaining({ name: 'User.surname', problem: 'is in the primary key' }),
    )
  })

  it('keep the index of plaintext beside that of ciphertext while there is plaintext', () => {
    const model = 'model User {\n  id    String @id\n  email String\n\n  @@index([email], map: "by_mail")\n}'
    const after = marked(model, { fields: ['User.email'], migrating: true })
    expect(after).toContain('email String /// @encrypted(migrating)\n')
    expect(after).toContain('  @@index([email], map: "by_mail")\n  @@index([emailIndex])\n')
  })

  it('give a column that holds any length to what had one with a limit', () => {
    const model = 'model User {\n  id    String @id\n  email String @db.VarChar(255)\n}'
    expect(marked(model, { fields: ['User.email'] })).toContain('  email String @db.Text /// @encrypted\n')
  })

  it('name the tenant in each model that has its column and a mark, and in no other', () => {
    const model = `model User {
  orgId String
  email String
}

model Log {
  orgId String
}

model Post {
  orgId Int
  email String
}`
    const after = marked(model, {
      fields: ['User.email', 'Post.email'],
      tenancy: { kind: 'many', column: 'orgId' },
    })
    expect(after.match(/^.*orgId.*$/gm)).toEqual(['  orgId String /// @tenant', '  orgId String', '  orgId Int'])
    expect(marked(model, { fields: ['User.email'], tenancy: { kind: 'single' } })).not.toContain('@tenant')
  })

  it('have the line ends of the file', () => {
    const model = 'model User {\n  id    String @id\n  email String @unique // x\n  @@index([email])\n}'
    const after = marked(model, { fields: ['User.email'], migrating: true }, '\r\n')
    expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(after.split('\r\n')).toHaveLength(8)
  })

  it('take names that are free', () => {
    const model = 'model User {\n  id Int @id\n  a_mail String @unique\n  a_mail_index Int\n}'
    expect(marked(model, { fields: ['User.a_mail'] })).toContain('  a_mail_blind_index String? @unique')
  })

  it('go into each file of a schema of many', () => {
    const schema = [
      { path: '/app/prisma/schema.prisma', text: HEAD },
      { path: '/app/prisma/user.prisma', text: 'model User {\n  id Int @id\n  email String\n}\n' },
    ]
    const answers = { ...ANSWERS, fields: ['User.email'], blindIndexes: ['User.email'] }
    const changes = planInit({ root: '/app', schema, folder: '/app/prisma', configured: true, answers })
    expect(changes.map(({ path }) => path)).toEqual([
      '/app/prisma/schema.prisma',
      '/app/prisma/user.prisma',
      '/app/prisma/encryption.prisma',
    ])
    expect(changes[1]!.after).toMatch(
      /email String \/\/\/ @encrypted\n {2}emailIndex String\? \/\/\/ @blindIndex\(email,/,
    )
  })
})

describe('the fields that init offers', () => {
  it('are those of text, bytes and JSON that are no keys and have no mark', () => {
    const found = candidates(`model User {
  id     String  @id
  orgId  String
  boss   User?   @relation("b", fields: [bossId], references: [nick])
  bossId String?
  nick   String  @unique
  staff  User[]  @relation("b")
  done   String /// @encrypted
  /// @blindIndex(done)
  doneIndex String?
  photo  Bytes
  tags   String[]
  /* old String */
  email  String
  count  Int
}

model Gone {
  email String
  @@ignore
}

/// @encryptionKeys
model Keys {
  wrapped String?
}

view Seen {
  email String
}`)
    expect(found.map(({ name }) => name)).toEqual(['User.photo', 'User.tags', 'User.email'])
    expect(found.every(({ problem }) => problem === undefined)).toBe(true)
  })

  it.each([
    ['is DateTime: make it a String column first, with @encrypted(type: DateTime)', 'birthDate DateTime'],
    ['is @db.Citext, which holds no ciphertext: make it @db.Text', 'email String @db.Citext'],
    ['has a @default, which would store plaintext', 'email String @default("")'],
    ['is a list of Json', 'address Json[]'],
    ['is in the primary key', 'email String\n  @@id([email, id])'],
    ['cannot have a blind index', 'address Json\n  @@index([address])'],
    ['is in an index with options of its own', 'email String\n  @@index([email(ops: raw("x"))])'],
    ['is in an index with options of its own', 'email String\n  @@fulltext([id, email])'],
  ])('say what is in the way: %s', (problem, field) => {
    expect(candidates(`model User {\n  id Int\n  ${field}\n}`)).toEqual([
      expect.objectContaining({ looksPersonal: true, problem: expect.stringContaining(problem) }),
    ])
  })

  it('take an empty list for no default', () => {
    expect(candidates('model User {\n  email String[] @default([])\n}')[0]).toMatchObject({ problem: undefined })
  })
})
