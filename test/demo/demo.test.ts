import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import pg from 'pg'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'
import { findSoftHsm } from '../kms/pkcs11/softhsm.js'
import { emulatedKms } from '../support/clinic.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { decrypt, parse } from '../support/decryptor.mjs'
import { eventually } from '../support/eventually.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { runSql } from '../support/sql.js'
import { type Ended, runDemo, startDemo } from './runDemo.js'
import { encryptedModels, models, type StoredCell, storedCells } from './storedCells.js'
import { openTraces } from './traces.js'

/** Two columns wide. */
const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}：、]/gu

let server: TestDatabase
let emulator: KmsEmulator

beforeAll(async () => {
  ;[server, emulator] = await Promise.all([createDatabase(), startKmsEmulator()])
})
afterAll(() => Promise.all([server.drop(), emulator.close()]))

const databases = async () =>
  (await runSql(server.url, 'SELECT datname FROM pg_database')).map(({ datname }) => String(datname))

describe('the demo, asked for what it cannot do', () => {
  it.each([
    [['--frobnicate'], "Unknown option '--frobnicate'"],
    [['--keep'], '--keep needs --database-url: the embedded PostgreSQL ends with the demo'],
    [['--kms', 'ibm'], '--kms must be one of tencent, aws, google, azure, vault, pkcs11'],
    [['--kms', 'aws', '--kms-endpoint', 'http://127.0.0.1:1'], '--kms-endpoint is of Tencent'],
    [['--database-url', 'mysql://localhost'], '--database-url must be a URL that begins with postgresql:// or'],
  ])('says what is wrong with %j and how to find the options, and ends with 2', async (args, message) => {
    const { code, stdout, stderr } = await runDemo(args)
    expect(stderr.split('\n')[0]).toContain(message)
    expect(stderr).toMatch(/\n\(npm start -- --help tells all options\)\n$/)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  })

  it('names a PostgreSQL that does not answer, but not its password', async () => {
    const { code, stderr } = await runDemo(['--database-url', 'postgresql://ada:hush-hush@127.0.0.1:1/clinic'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^the PostgreSQL at 127\.0\.0\.1:1 cannot be used: \S/)
    expect(stderr).not.toContain('hush-hush')
  })

  it.each([
    ['does not answer', 'http://127.0.0.1:1', 'cannot be used: '],
    ['has no key for it', undefined, 'has no key with the alias "fieldseal": name one with --kms-key-id'],
  ])('leaves no database behind when the KMS %s', async (_, url, message) => {
    const strange = await startKmsEmulator({ keys: [{ alias: 'other' }] })
    onTestFinished(() => strange.close())
    const { code, stderr } = await runDemo(['--database-url', server.url, '--kms-endpoint', url ?? strange.url])
    expect(stderr).toContain(message)
    expect(code).toBe(2)
    expect(await databases()).not.toContainEqual(expect.stringMatching(/^fieldseal_demo_/))
  })
})

describe('the demo with the KMS of another vendor', () => {
  it.each(['aws', 'google', 'azure', 'vault', 'pkcs11'])('encrypts all under keys of %s', async (name) => {
    const FIELDSEAL_PKCS11JS = process.env.FIELDSEAL_TEST_PKCS11JS ?? 'pkcs11js'
    const args = ['--database-url', server.url, '--kms', name]
    const { code, stdout, stderr } = await runDemo(args, { FIELDSEAL_PKCS11JS })
    if (name === 'pkcs11' && 'missing' in findSoftHsm()) {
      expect(stderr).toMatch(/^--kms pkcs11 needs (the package pkcs11js|SoftHSM 2)/)
      expect(code).toBe(2)
      return
    }
    expect({ code, stdout: stdout.slice(-300) }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/ encrypted cells: all ciphertext\. 4 wrapped keys, \d+ KMS calls\.\n/),
    })
  })
})

describe('the demo with --help', () => {
  it('tells every option and starts nothing', async () => {
    const { code, stdout, stderr } = await runDemo(['--help'])
    const named = Array.from(stdout.matchAll(/^ {2}(--[a-z-]+)/gm), ([, option]) => option)
    expect(named).toEqual([
      '--database-url',
      '--keep',
      '--kms',
      '--kms-endpoint',
      '--kms-key-id',
      '--kms-region',
      '--help',
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

describe('the demo on a PostgreSQL and a KMS that run already, with --keep', () => {
  let run: Ended
  let kept: string
  let cells: StoredCell[]

  beforeAll(async () => {
    run = await runDemo(['--database-url', server.url, '--keep', '--kms-endpoint', emulator.url])
    const url = new URL(server.url)
    url.pathname = /database (fieldseal_demo_[0-9a-f]{12}) kept/.exec(run.stdout)?.[1] ?? 'none'
    kept = url.href
    const client = new pg.Client({ connectionString: kept })
    await client.connect()
    cells = await storedCells(client)
    await client.end()
  })
  afterAll(() => runSql(server.url, `DROP DATABASE IF EXISTS ${new URL(kept).pathname.slice(1)} WITH (FORCE)`))

  it('ends with 0 and without a complaint', () => {
    expect({ code: run.code, stderr: run.stderr }).toEqual({ code: 0, stderr: '' })
  })

  it('counts the encrypted cells that are there, the wrapped keys and the calls', async () => {
    const keys = await runSql(kept, 'SELECT FROM encryption_keys')
    const [, total, keyCount] =
      /, ([\d,]+) encrypted cells: all ciphertext\. (\d+) wrapped keys, 6 KMS calls\.\n/.exec(run.stdout) ?? []
    expect(Number(total?.replaceAll(',', ''))).toBe(cells.length)
    expect(Number(keyCount)).toBe(keys.length)
    expect(cells.length).toBeGreaterThan(1_000)
    expect(run.stdout).toMatch(/writes all records of both clinics +[\d,]+ +4 +0\n/)
    expect(run.stdout).toMatch(/a fresh client, as after a restart, reads them +[\d,]+ +0 +2\n/)
    expect(run.stdout).toMatch(/the same client reads them again +[\d,]+ +0 +0\n/)
  })

  it('fits into a terminal of 100 columns, and has no colours where there is none', () => {
    const width = (text: string) => [...text].length + (text.match(EAST_ASIAN)?.length ?? 0)
    expect(run.stdout.split('\n').filter((line) => width(line) > 100)).toEqual([])
    expect(run.stdout).not.toContain('\u001b')
  })

  it('shows the refusals, and that tampering is noticed', () => {
    const codes = run.stdout.match(/\b[A-Z]{3,}_[A-Z]{3,}\b/g)
    const tenancy = ['TENANT_MISMATCH', 'TENANT_MISMATCH', 'TENANT_MISMATCH', 'TENANT_MISSING', 'QUERY_UNSUPPORTED']
    const tampering = ['DECRYPTION_FAILED', 'DECRYPTION_FAILED', 'TENANT_MISMATCH', 'DECRYPTION_FAILED']
    expect(codes).toEqual([...tenancy, ...tampering, 'CIPHERTEXT_INVALID'])
  })

  it('leaves ciphertexts in every encrypted cell of every encrypted column', () => {
    const columns = encryptedModels.flatMap((model) =>
      Object.keys(models[model]!.encrypted).map((field) => `${model}.${field}`),
    )
    expect([...new Set(cells.map(({ name }) => name.split(' ')[0]))]).toEqual(columns)
    const readable = cells.filter(({ type, stored }) =>
      type === 'Bytes'
        ? !(stored instanceof Uint8Array && Buffer.from(stored).toString('latin1').startsWith('fs1.'))
        : !(typeof stored === 'string' && /^fs1\.[\w-]{63,}$/.test(stored)),
    )
    expect(readable).toEqual([])
  })

  it('writes what the published format decrypts, to the same values as the library does', async () => {
    const deks = await unwrapped(kept, emulator)
    const decrypted = cells.map(({ name, type, stored, ...cell }) => {
      const { tenant, dek } = deks.get(parse(stored as string | Uint8Array).dekId)!
      expect(tenant).toBe(cell.tenant)
      const { kind, value } = decrypt({ ...cell, dek, stored: stored as string | Uint8Array })
      expect(kind).toBe(type)
      return [name, comparable(value)]
    })
    const read = await readByLibrary(kept, emulator)
    expect(read.size).toBe(cells.length)
    expect(Object.fromEntries(decrypted)).toEqual(Object.fromEntries(read))
  })

  it('leaves no telephone, address or policy number readable in any column of any table', async () => {
    const read = await readByLibrary(kept, emulator)
    const secrets = [...read].filter(([name]) => /\.(mobile|phone|email|policy) /.test(name))
    const tables = await runSql(kept, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    const rows = await Promise.all(
      tables.map(({ tablename }) => runSql(kept, `SELECT t::text AS row FROM "${tablename}" t`)),
    )
    const everything = rows.flat().map(({ row }) => String(row))
    expect(everything.some((row) => row.includes('Lindenklinik'))).toBe(true)
    const text = everything.join('\n')
    expect(secrets.length).toBeGreaterThan(300)
    expect(secrets.filter(([, value]) => text.includes(String(value)))).toEqual([])
  })
})

describe('the demo on a PostgreSQL that runs already, without --keep', () => {
  it('drops its database', async () => {
    const { code, stdout } = await runDemo(['--database-url', server.url])
    expect(code).toBe(0)
    const [, name] = /database (fieldseal_demo_\w+) dropped\. Left nothing running\.\n$/.exec(stdout) ?? []
    expect(name).toBeDefined()
    expect(await databases()).not.toContain(name)
  })
})

describe('the demo without options', () => {
  it('brings its own PostgreSQL and KMS and leaves nothing of them', async () => {
    const traces = await openTraces()
    onTestFinished(() => traces.remove())
    const { child, ended } = startDemo([], { TMPDIR: traces.folder })
    await once(child, 'spawn')
    expect(await traces.processes()).not.toEqual([])
    const { code, stdout, stderr } = await ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('encrypted cells: all ciphertext')
    expect(stdout).toMatch(/KMS emulator stopped, PostgreSQL stopped\. Left nothing running\.\n$/)
    expect(await traces.left()).toEqual([])
    await eventually(() => expect([...traces.made]).toContainEqual(expect.stringMatching(/^fieldseal-postgres-/)))
    await eventually(async () => expect(await traces.processes()).toEqual([]))
  })

  it('leaves nothing, and complains about nothing, when the reader of its output goes away', async () => {
    const traces = await openTraces()
    onTestFinished(() => traces.remove())
    const { child, ended } = startDemo([], { TMPDIR: traces.folder })
    await once(child.stdout!, 'data')
    child.stdout!.destroy()
    expect(await ended).toMatchObject({ code: 1, stderr: '' })
    await eventually(async () => expect(await traces.processes()).toEqual([]))
    expect(await traces.left()).toEqual([])
  })

  it.each([
    ['SIGTERM', { code: 143, signal: null }],
    ['SIGKILL', { code: null, signal: 'SIGKILL' }],
  ] as const)('leaves nothing either when it is stopped by %s', async (signal, end) => {
    const traces = await openTraces()
    onTestFinished(() => traces.remove())
    const { child, ended } = startDemo([], { TMPDIR: traces.folder })
    await once(child.stdout!, 'data')
    child.kill(signal)
    expect(await ended).toMatchObject(end)
    await eventually(() => expect([...traces.made]).toContainEqual(expect.stringMatching(/^fieldseal-postgres-/)))
    await eventually(async () => expect(await traces.processes()).toEqual([]))
    await eventually(async () => expect(await traces.left()).toEqual([]))
  })
})

/** The DEKs by id, unwrapped by the official SDK alone. */
async function unwrapped(url: string, from: KmsEmulator) {
  const client = new kms.v20190118.Client(from.clientConfig())
  const keys = await runSql(url, "SELECT id, tenant, purpose, wrapped FROM encryption_keys WHERE purpose = 'encrypt'")
  return new Map(
    await Promise.all(
      keys.map(async ({ id: key, tenant, purpose, wrapped }) => {
        const EncryptionContext = JSON.stringify({ key, purpose, tenant })
        const { Plaintext = '' } = await client.Decrypt({ CiphertextBlob: String(wrapped), EncryptionContext })
        return [String(key), { tenant: String(tenant), dek: Buffer.from(Plaintext, 'base64') }] as const
      }),
    ),
  )
}

/** Every encrypted field that is not null, by an extended client. */
async function readByLibrary(url: string, from: KmsEmulator): Promise<Map<string, unknown>> {
  const plain = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  const all = plain.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(from) })).$acrossTenants()
  const { doctor, patient, contact, insurance, visit } = all
  const rows: Record<string, readonly Record<string, unknown>[]> = {
    Contact: await contact.findMany(),
    Doctor: await doctor.findMany(),
    Insurance: await insurance.findMany(),
    Patient: await patient.findMany(),
    Visit: await visit.findMany(),
  }
  await plain.$disconnect()
  expect(Object.keys(rows)).toEqual(encryptedModels)
  const cells = encryptedModels.flatMap((model) =>
    Object.keys(models[model]!.encrypted).flatMap((field) =>
      rows[model]!.map((row) => [`${model}.${field} ${row.id}`, comparable(row[field])] as const),
    ),
  )
  return new Map(cells.filter(([, value]) => value !== null))
}

function comparable(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}
