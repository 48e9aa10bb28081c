import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Column, DataSource, Entity, PrimaryColumn } from 'typeorm'
import { textHead } from '../../../src/crypto/ciphertext.js'
import { encodeHeader } from '../../../src/crypto/header.js'
import type { MissingKey } from '../../../src/keys/keyTraces.js'
import type { EncryptionSchema } from '../../../src/schema/encryptionSchema.js'
import { EncryptionKeyColumns } from '../../../src/typeorm/keys/encryptionKeyColumns.js'
import { typeormKeyTraces } from '../../../src/typeorm/keys/keyTraces.js'
import { BlindIndex, Encrypted, EncryptionKeys, Tenant } from '../../../src/typeorm/schema/decorators.js'
import { encryptionSchemaOf } from '../../../src/typeorm/schema/encryptionSchemaOf.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { refusal } from '../../support/refusal.js'
import { runSql } from '../../support/sql.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

@Entity({ schema: 'traces' })
class Member {
  @PrimaryColumn('uuid') id!: string
  @Tenant() @Column('uuid', { name: 'org' }) orgId!: string
  @Encrypted() email!: string
  @BlindIndex<Member>('email', { name: 'email_index' }) emailIndex?: string
  @BlindIndex<Member>('email', { scope: 'global' }) handleIndex?: string
}

@Entity({ schema: 'traces' })
class Team {
  @PrimaryColumn() id!: number
  @Encrypted({ nullable: true }) title!: string | null
  @Encrypted({ pad: 16, name: 'sub title', nullable: true }) subtitle!: string | null
  @BlindIndex<Team>('title') titleIndex?: string
}

let database: TestDatabase
let dataSource: DataSource
let schema: EncryptionSchema
beforeAll(async () => {
  database = await createDatabase()
  await sql('CREATE SCHEMA traces')
  const entities = [EncryptionKey, Member, Team]
  dataSource = new DataSource({ type: 'postgres', url: database.url, entities })
  await dataSource.initialize()
  schema = encryptionSchemaOf(dataSource)
})
afterAll(async () => {
  await dataSource.destroy()
  await database.drop()
})
beforeEach(async () => {
  await sql('DROP TABLE IF EXISTS traces.member, traces.team')
  await sql('CREATE TABLE traces.member (id uuid, org uuid, email text, email_index text, "handleIndex" text)')
  await sql('CREATE TABLE traces.team (id int, title text, "sub title" text, "titleIndex" text)')
})

const skipped: unknown[] = []
const NOTHING = {
  deks: async () => [],
  isAnyKeyThere: async () => true,
  skipped: (...what: unknown[]) => void skipped.push(what),
}
const sql = (text: string) => runSql(database.url, text)
const find = (tenant: string, deks: readonly string[] = [], purpose: MissingKey['purpose'] = 'index') =>
  typeormKeyTraces(dataSource, schema).find({ ...NOTHING, tenant, purpose, deks: async () => deks })
const ofSuite = (suite: 1 | 2) => {
  const dekId = suite === 1 ? randomUUID() : '00000000-0000-0000-0000-000000000000'
  return `${textHead(encodeHeader({ suite, flags: 0, dekId }))}abcdef`
}
const [ciphertext, direct] = [ofSuite(1), ofSuite(2)]
const [acme, globex] = [randomUUID(), randomUUID()]

describe('an entity with a tenant column', () => {
  it('shows that the tenant had an index key, and no other that it had one', async () => {
    expect(await find(acme)).toBeNull()
    await sql(`INSERT INTO traces.member (org) VALUES ('${acme}')`)
    expect(await find(acme)).toBeNull()
    await sql(`INSERT INTO traces.member (org, email_index) VALUES ('${acme}', 'x')`)
    expect([await find(acme), await find(globex), await find(acme, [], 'encrypt')]).toEqual([
      'Member.emailIndex',
      null,
      null,
    ])
    await sql(`INSERT INTO traces.member (org, email) VALUES ('${acme}', 'ada@example.com'), ('${acme}', '${direct}')`)
    expect(await find(acme, [], 'encrypt')).toBeNull()
    await sql(`INSERT INTO traces.member (org, email) VALUES ('${acme}', '${ciphertext}')`)
    expect([await find(acme, [], 'encrypt'), await find(globex, [], 'encrypt')]).toEqual(['Member.email', null])
  })

  it('shows nothing of a tenant that its type cannot hold', async () => {
    await sql(`INSERT INTO traces.member (org, email_index) VALUES ('${acme}', 'x')`)
    expect(await find('acme')).toBeNull()
  })

  it('shows by any row that global blind indexes had a key', async () => {
    await sql(`INSERT INTO traces.member (org, "handleIndex") VALUES ('${acme}', 'x')`)
    expect([await find('*'), await find(acme)]).toEqual(['Member.handleIndex', null])
  })
})

describe('an entity without a tenant column', () => {
  // The head of this one has an underscore, which a pattern would take for any character.
  const dek = 'fffffffe-ffff-8fff-bfff-ffffffffffff'
  const head = (flags = 0) => textHead(encodeHeader({ suite: 1, flags, dekId: dek }))

  it('shows it by the heads of the tenant’s ciphertexts, padded ones too, in any text column', async () => {
    expect(head()).toContain('_')
    await sql(`INSERT INTO traces.team (title, "titleIndex") VALUES ('${head().replace('_', '-')}abc', 'x')`)
    expect(await find('acme', [randomUUID(), dek])).toBeNull()
    await sql(`INSERT INTO traces.team ("sub title", "titleIndex") VALUES ('${head(1)}abc', 'x')`)
    expect(await find('acme', [randomUUID(), dek])).toBe('Team.titleIndex')
    expect(await find('acme', [])).toBeNull()
  })
})

describe('before a first key for values', () => {
  const look = async (looks: Partial<MissingKey> = {}) => {
    skipped.length = 0
    const key = { ...NOTHING, tenant: acme, purpose: 'encrypt' as const, isAnyKeyThere: async () => false, ...looks }
    return [await typeormKeyTraces(dataSource, schema).find(key), ...skipped]
  }

  it('a row of a model without a tenant column is anyone’s: it counts while the keys table has no key at all', async () => {
    await sql(`INSERT INTO traces.team (title, "sub title") VALUES ('plain', '${ciphertext}')`)
    expect(await look()).toEqual(['Team.subtitle'])
    expect(await look({ isAnyKeyThere: async () => true })).toEqual([null])
    const answers = [false, true]
    expect(await look({ isAnyKeyThere: async () => answers.shift()! })).toEqual([null])
  })

  it('tables that are not there hold nothing, and one that somebody has locked is skipped after a second', async () => {
    await sql(`INSERT INTO traces.member (org, email) VALUES ('${acme}', '${ciphertext}')`)
    const locker = new DataSource({ type: 'postgres', url: database.url })
    await locker.initialize()
    const runner = locker.createQueryRunner()
    await runner.startTransaction()
    await runner.query('LOCK TABLE traces.member')
    expect(await look()).toEqual([null, ['Member', 'time'], ['Team', 'time']])
    await runner.rollbackTransaction()
    await locker.destroy()
    expect(await look()).toEqual(['Member.email'])
    await sql('ALTER TABLE traces.member DROP COLUMN email')
    await sql('DROP TABLE traces.team')
    expect(await look()).toEqual([null])
  })

  it('tables that may not be read are skipped, and told of', async () => {
    const role = `reader_${randomUUID().slice(0, 8)}`
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
    await sql(`GRANT USAGE ON SCHEMA traces TO ${role}`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'pw' }).href
    const limited = new DataSource({ type: 'postgres', url, entities: [Member] })
    await limited.initialize()
    skipped.length = 0
    const key = { ...NOTHING, tenant: acme, purpose: 'encrypt' as const }
    expect(await typeormKeyTraces(limited, schema).find(key)).toBeNull()
    expect(skipped).toEqual([['Member', 'rights']])
    await limited.destroy()
    await sql(`DROP OWNED BY ${role}`)
    await sql(`DROP ROLE ${role}`)
  })
})

describe('tables that cannot be looked into', () => {
  it('hold nothing where they, or their columns, do not exist', async () => {
    await sql('ALTER TABLE traces.member DROP COLUMN email_index')
    expect(await find(acme)).toBeNull()
    await sql('DROP TABLE traces.member')
    expect(await find(acme)).toBeNull()
  })

  it('let no key be made where they may not be read, or the data source is not connected', async () => {
    const role = `reader_${randomUUID().slice(0, 8)}`
    await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'pw' }).href
    const limited = new DataSource({ type: 'postgres', url, entities: [Member] })
    const traces = typeormKeyTraces(limited, schema)
    const looks = () => traces.find({ ...NOTHING, tenant: acme, purpose: 'index' })
    const message = expect.stringMatching(/Member is asked.*read this table/)
    expect(await refusal(looks)).toMatchObject({ code: 'KEY_STORE_UNAVAILABLE', message })
    await limited.initialize()
    expect(await refusal(looks)).toMatchObject({ code: 'KEY_STORE_UNAVAILABLE', message })
    await limited.destroy()
    await sql(`DROP ROLE ${role}`)
  })
})
