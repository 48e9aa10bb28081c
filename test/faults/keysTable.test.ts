import { randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { ErrorCode } from 'fieldseal'
import pg from 'pg'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let keys: Awaited<ReturnType<ClinicUnderTest['plain']['encryptionKey']['findMany']>>
beforeAll(async () => {
  clinic = await openClinic()
  for (const clinicId of ['acme', 'globex']) {
    await clinic.prisma.patient.create({ data: { clinicId, number: 1, name: 'Ada', email: 'ada@example.com' } })
  }
  keys = await clinic.plain.encryptionKey.findMany()
})
afterAll(() => clinic.close())
beforeEach(async () => {
  await clinic.plain.encryptionKey.deleteMany()
  await clinic.plain.encryptionKey.createMany({ data: keys })
})

type Client = ClinicUnderTest['prisma']
type Change = Parameters<ClinicUnderTest['plain']['encryptionKey']['update']>[0]['data']

const keyOf = (tenant: string, purpose = 'encrypt') =>
  keys.find((key) => key.tenant === tenant && key.purpose === purpose)!
const change = (data: Change, tenant = 'acme', purpose = 'encrypt') =>
  clinic.plain.encryptionKey.update({ where: { id: keyOf(tenant, purpose).id }, data })

/** Wrapped for this very row, by somebody who may encrypt under another KEK that the app may use, and knows the DEK. */
async function plant(): Promise<Change> {
  const { keyId } = clinic.emulator.keys.create({ alias: randomUUID() })
  const client = new kms.v20190118.Client(clinic.emulator.clientConfig())
  const { id: key, purpose, tenant } = keyOf('acme')
  const EncryptionContext = JSON.stringify({ key, purpose, tenant })
  const request = { KeyId: keyId, Plaintext: Buffer.alloc(32, 0x41).toString('base64'), EncryptionContext }
  return { wrapped: (await client.Encrypt(request)).CiphertextBlob!, kekId: keyId }
}

/** What it is, how it is done, and what a reader and a writer get. */
const TAMPERED: readonly (readonly [what: string, tamper: () => unknown, read: ErrorCode, write: ErrorCode])[] = [
  ['is destroyed', () => change({ state: 'destroyed', wrapped: null }), 'KEY_DESTROYED', 'KEY_DESTROYED'],
  ['is destroyed, its text left', () => change({ state: 'destroyed' }), 'KEY_DESTROYED', 'KEY_DESTROYED'],
  ['is active without a text', () => change({ wrapped: null }), 'KEY_INVALID', 'KEY_INVALID'],
  ['has an empty text', () => change({ wrapped: '' }), 'KEY_INVALID', 'KEY_INVALID'],
  ['has an unknown state', () => change({ state: 'Active' }), 'KEY_INVALID', 'KEY_INVALID'],
  ['has another KMS', () => change({ kms: 'local' }), 'KEY_INVALID', 'KEY_INVALID'],
  ['has another KEK', () => change({ kekId: 'another-key' }), 'KMS_KEY_UNUSABLE', 'KMS_KEY_UNUSABLE'],
  ['has a DEK under another KEK', async () => change(await plant()), 'KMS_KEY_UNUSABLE', 'KMS_KEY_UNUSABLE'],
  [
    'has one that claims the right KEK',
    async () => change({ wrapped: (await plant()).wrapped! }),
    'KEY_INVALID',
    'KEY_INVALID',
  ],
  ['has the text of another tenant', () => change({ wrapped: keyOf('globex').wrapped }), 'KEY_INVALID', 'KEY_INVALID'],
  [
    'has the text of the other purpose',
    () => change({ wrapped: keyOf('acme', 'index').wrapped }),
    'KEY_INVALID',
    'KEY_INVALID',
  ],
  [
    'has a text with a character changed',
    () => change({ wrapped: keyOf('acme').wrapped!.replace(/.(?=..$)/, (c) => (c === 'A' ? 'B' : 'A')) }),
    'KEY_INVALID',
    'KEY_INVALID',
  ],
  [
    'has changed places with the one of another tenant',
    async () => {
      await change({ tenant: 'nobody' })
      await change({ tenant: 'acme' }, 'globex')
      await change({ tenant: 'globex' })
    },
    'TENANT_MISMATCH',
    'KEY_INVALID',
  ],
  [
    'has changed places with the one of the other purpose',
    async () => {
      await change({ purpose: 'other' })
      await change({ purpose: 'encrypt' }, 'acme', 'index')
      await change({ purpose: 'index' })
    },
    'KEY_INVALID',
    'KEY_INVALID',
  ],
]

const number = () => Math.floor(Math.random() * 2 ** 31)
const read = (client: Client) => () =>
  client.$forTenant('acme').patient.findMany({ where: { clinicId: 'acme', number: 1 } })
const write = (client: Client) => () =>
  client.$forTenant('acme').patient.createMany({ data: [{ clinicId: 'acme', number: number(), name: 'Eve' }] })

describe.each(TAMPERED)('a row of the keys table that %s', (_, tamper, readCode, writeCode) => {
  it('stops reads and writes, and nothing is written', async () => {
    await tamper()
    const client = clinic.another()
    const before = await clinic.plain.patient.count()
    const error = await refusal(read(client))
    expect(error).toMatchObject({ code: readCode, message: expect.stringMatching(/^Patient\.name\b.*[0-9a-f-]{36}/) })
    expect(await refusalCode(write(client))).toBe(writeCode)
    expect(inspect(error, { depth: null })).not.toContain(keyOf('acme').wrapped)
    expect(await clinic.plain.patient.count()).toBe(before)
    await client.$disconnect()
  })

  it('does no harm once it is mended: without a restart, unless the process has seen it destroyed', async () => {
    await tamper()
    const [seen, fresh] = [clinic.another(), clinic.another()]
    await refusal(read(seen))
    await refusal(write(seen))
    await clinic.plain.encryptionKey.deleteMany()
    await clinic.plain.encryptionKey.createMany({ data: keys })
    for (const client of [seen, fresh]) {
      if (client === seen && readCode === 'KEY_DESTROYED') continue
      expect(await read(client)()).toMatchObject([{ name: 'Ada' }])
      expect(await write(client)()).toEqual({ count: 1 })
    }
    for (const client of [seen, fresh]) await client.$disconnect()
  })
})

describe('a row of the keys table that is missing', () => {
  beforeEach(async () => {
    await clinic.plain.encryptionKey.delete({ where: { id: keyOf('acme').id } })
  })

  it('stops reads of what is under it, and names the DEK and the field', async () => {
    const client = clinic.another()
    const error = await refusal(read(client))
    expect(error).toMatchObject({ code: 'KEY_NOT_FOUND', message: expect.stringMatching(/^Patient\.name\b.*restore/) })
    expect(error.message).toContain(keyOf('acme').id)
    await client.$disconnect()
  })

  it('does not disturb a process that has its DEK in memory', async () => {
    expect(await read(clinic.prisma)()).toMatchObject([{ name: 'Ada' }])
  })

  it('does not disturb the other tenants', async () => {
    const client = clinic.another()
    const globex = client.$forTenant('globex').patient.findMany({ where: { clinicId: 'globex' } })
    expect(await globex).toMatchObject([{ name: 'Ada' }])
    await client.$disconnect()
  })
})

describe('a retired row of the keys table', () => {
  it('still decrypts, and the next write makes the version after it', async () => {
    await change({ state: 'retired' })
    const client = clinic.another()
    expect(await read(client)()).toMatchObject([{ name: 'Ada' }])
    await write(client)()
    const versions = await clinic.plain.encryptionKey.findMany({
      where: { tenant: 'acme', purpose: 'encrypt' },
      orderBy: { version: 'asc' },
      select: { version: true, state: true },
    })
    expect(versions).toEqual([
      { version: 1, state: 'retired' },
      { version: 2, state: 'active' },
    ])
    await client.$disconnect()
    await clinic.plain.patient.deleteMany({ where: { number: { not: 1 } } })
  })
})

describe('a keys table that does not exist', () => {
  it('is said to be missing, with what to do, and nothing is written', async () => {
    const other = await openClinic()
    await other.plain.$executeRaw`DROP TABLE encryption_keys`
    const error = await refusal(() =>
      other.prisma.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } }),
    )
    expect(error).toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
      message: expect.stringMatching(/EncryptionKey.*does not exist.*migrations/),
    })
    expect(await other.plain.patient.count()).toBe(0)
    await other.close()
  })

  it('is said to be older than the schema where it lacks a column', async () => {
    const other = await openClinic()
    await other.plain.$executeRaw`ALTER TABLE encryption_keys DROP COLUMN kek_id`
    const error = await refusal(() =>
      other.prisma.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } }),
    )
    expect(error).toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
      message: expect.stringMatching(/EncryptionKey.*column.*migrations/),
    })
    await other.close()
  })

  it('lets nothing be written where no key can be stored', async () => {
    const other = await openClinic()
    await other.plain.$executeRaw`CREATE RULE closed AS ON INSERT TO encryption_keys DO INSTEAD SELECT 1 / 0`
    const data = { clinicId: 'acme', number: 1, name: 'Ada' }
    const error = await refusal(() => other.prisma.patient.create({ data }))
    expect(error).toMatchObject({ code: 'KEY_STORE_UNAVAILABLE', message: expect.stringMatching(/may its user/) })
    expect(await other.plain.patient.count()).toBe(0)
    expect(other.prisma.$encryption.stats().cachedDeks).toBe(0)
    await other.plain.$executeRaw`DROP RULE closed ON encryption_keys`
    expect(await other.prisma.patient.create({ data })).toMatchObject({ name: 'Ada' })
    await other.close()
  })

  it('lets nothing be written where the key is stored and cannot be read back', async () => {
    const other = await openClinic()
    await other.plain.$executeRaw`CREATE RULE lost AS ON INSERT TO encryption_keys DO INSTEAD NOTHING`
    const data = { clinicId: 'acme', number: 1, name: 'Ada' }
    expect(await refusalCode(() => other.prisma.patient.create({ data }))).toBe('KEY_STORE_UNAVAILABLE')
    expect(await other.plain.patient.count()).toBe(0)
    await other.close()
  })
})

describe('a database that is down', () => {
  it('gives a typed error at first use, and the operation works once it is back', async () => {
    const other = await openClinic()
    await other.prisma.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } })
    const client = other.another()
    const up = await shut(other.database.url)
    const calls = other.emulator.calls.count()
    const error = await refusal(write(client))
    expect(error).toMatchObject({ code: 'KEY_STORE_UNAVAILABLE', message: expect.stringMatching(/reachable/) })
    expect(error.cause).toBeDefined()
    expect(other.emulator.calls.count()).toBe(calls)
    await up()
    expect(await write(client)()).toEqual({ count: 1 })
    expect(await read(client)()).toMatchObject([{ name: 'Ada' }])
    await other.close()
  })

  it('gives Prisma’s own error while the keys are in memory, and the operation works once it is back', async () => {
    const other = await openClinic()
    await other.prisma.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } })
    const up = await shut(other.database.url)
    await expect(read(other.prisma)()).rejects.toMatchObject({ name: expect.stringMatching(/^PrismaClient/) })
    await expect(write(other.prisma)()).rejects.toMatchObject({ name: expect.stringMatching(/^PrismaClient/) })
    await up()
    expect(await read(other.prisma)()).toMatchObject([{ name: 'Ada' }])
    await other.close()
  })
})

/** Cuts all connections to a database and lets none in; returns what opens it again. */
async function shut(url: string): Promise<() => Promise<void>> {
  const name = new URL(url).pathname.slice(1)
  await administer(url, `ALTER DATABASE ${name} ALLOW_CONNECTIONS false`)
  await administer(url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`)
  return () => administer(url, `ALTER DATABASE ${name} ALLOW_CONNECTIONS true`)
}

async function administer(url: string, sql: string): Promise<void> {
  const server = new URL(url)
  server.pathname = '/postgres'
  const client = new pg.Client({ connectionString: server.href })
  await client.connect()
  await client.query(sql)
  await client.end()
}
