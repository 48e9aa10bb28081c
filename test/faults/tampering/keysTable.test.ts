import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import type { FieldEncryptionOptions } from 'fieldseal/prisma'
import { HEADER_CHARS } from '../../../src/crypto/header.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'
import { runSql } from '../../support/sql.js'
import { type Change, type Effect, PRICES, type Price, update } from './change.js'
import { CHANGES, CHANGES_OF_INTERMEDIATE_KEYS } from './changes.js'
import { type KeysTableWriter, openKeysTableWriter } from './keysTableWriter.js'

type Client = ClinicUnderTest['prisma']
type KmsOption = FieldEncryptionOptions['kms']

/** As the extension takes them, one for each process. */
const KMSS: { readonly [name: string]: (clinic: ClinicUnderTest) => KmsOption } = {
  localKms: () => localKms({ key: KEK }),
  tencentKms: ({ emulator }) => emulatedKms(emulator),
  hierarchicalKms: () => hierarchicalKms({ kms: localKms({ key: KEK }), shards: 1 }),
}
const KEK = randomBytes(32).toString('hex')

const UNCHANGED: Required<Effect> = { reads: ['Ada', 'Bob'], search: 'Bob', write: 'v2' }
const prices = new Set<Price>()
const paid = (price: Price) => prices.add(price)

describe.each(Object.entries(KMSS))('whoever may write the keys table of %s', (name, kmsOf) => {
  let clinic: ClinicUnderTest
  let writer: KeysTableWriter
  let kms: () => KmsOption
  beforeAll(async () => {
    clinic = await openClinic()
    kms = () => kmsOf(clinic)
    const maker = clinic.another({ kms: kms() })
    const patient = (clinicId: string, number: number, name: string) =>
      maker.patient.create({ data: { clinicId, number, name, email: `${name}@example.com` } })
    await patient('acme', 1, 'Ada')
    await maker.$encryption.rotate({ tenants: 'acme' })
    await patient('acme', 2, 'Bob')
    await patient('globex', 1, 'Cleo')
    writer = await openKeysTableWriter(clinic.database.url)
    await runSql(clinic.database.url, 'CREATE TABLE saved AS TABLE encryption_keys')
  })
  afterAll(async () => {
    await writer?.close()
    await clinic?.close()
  })
  beforeEach(async () => {
    await clinic.plain.$executeRaw`DELETE FROM patients WHERE number > 2`
    await clinic.plain.$executeRaw`DELETE FROM encryption_keys`
    await clinic.plain.$executeRaw`INSERT INTO encryption_keys TABLE saved`
  })

  /** A process that has nothing in memory. */
  const anew = () => clinic.another({ kms: kms() })

  /** What a client gets of the tenant's rows; of a write, under which version it is. */
  async function effectOn(client: Client): Promise<Required<Effect>> {
    const { patient } = client.$forTenant('acme')
    const read = (number: number) =>
      outcome(async () => (await patient.findFirstOrThrow({ where: { clinicId: 'acme', number } })).name)
    const search = { clinicId: 'acme', email: 'bob@example.com' }
    return {
      reads: [await read(1), await read(2)],
      search: await outcome(async () => (await patient.findMany({ where: search })).map(({ name }) => name).join()),
      write: await outcome(() => write(client)),
    }
  }

  async function write(client: Client): Promise<string> {
    const number = Math.floor(Math.random() * 2 ** 30) + 3
    const data = [{ clinicId: 'acme', number, name: 'Eve', email: `${number}@example.com` }]
    await client.$forTenant('acme').patient.createMany({ data })
    const rows = await clinic.plain.patient.findMany({ where: { number } })
    const key = await clinic.plain.encryptionKey.findUniqueOrThrow({ where: { id: keyOf(rows[0]!.name) } })
    return `v${key.version}`
  }

  const changes = name === 'hierarchicalKms' ? [...CHANGES, ...ofIntermediateKeys()] : CHANGES
  it.each(changes)('gets by $column, $what: $effect', async ({ sql, effect, price }) => {
    await writer.run(sql)
    const client = anew()
    const before = await stored()
    expect(await effectOn(client)).toEqual(expected(effect))
    expect(await stored()).toEqual(before)
    if (price) paid(price)
    await client.$disconnect()
  })

  const stored = () => clinic.plain.patient.findMany({ where: { number: { lt: 3 } }, orderBy: { id: 'asc' } })

  it('goes through every column that there is', async () => {
    const columns = await runSql(
      clinic.database.url,
      `SELECT column_name FROM information_schema.columns WHERE table_name = 'encryption_keys'`,
    )
    const tried = new Set(changes.map(({ column }) => column))
    expect(columns.filter(({ column_name }) => !tried.has(column_name as string))).toEqual([])
    expect(columns.length).toBe(12)
  })

  it('has no process that works with keys in memory do otherwise until it asks again', async () => {
    const client = anew()
    expect(await effectOn(client)).toEqual(UNCHANGED)
    await writer.run(`DELETE FROM encryption_keys WHERE tenant = 'acme' AND purpose = 'index'`)
    expect((await effectOn(client)).search).toBe('Bob')
    await client.$disconnect()
  })

  describe('after a shred', () => {
    let witness: Client
    const saved = async (set: string) => {
      await writer.run(`DELETE FROM encryption_keys WHERE tenant = 'acme'`)
      await clinic.plain.$executeRaw`INSERT INTO encryption_keys SELECT * FROM saved WHERE tenant = 'acme'`
      if (set) await writer.run(update(set, `tenant = 'acme'`))
    }
    beforeEach(async () => {
      witness = anew()
      await effectOn(witness)
      await witness.$encryption.shred('acme')
    })

    it.each(['', `state = 'retired'`])(
      'opens for a new process what is put back, and for no other: %s',
      async (set) => {
        await saved(set)
        const { reads, search } = await effectOn(witness)
        expect([...reads, search]).toEqual(['KEY_DESTROYED', 'KEY_DESTROYED', 'KEY_DESTROYED'])
        expect(await outcome(() => write(witness))).toBe('KEY_DESTROYED')
        const client = anew()
        expect((await effectOn(client)).reads).toEqual(['Ada', 'Bob'])
        await client.$disconnect()
        paid('a row from before a shred is put back')
      },
    )

    it('opens nothing by marking rows otherwise, which have no wrapped text', async () => {
      for (const set of [`state = 'active'`, `state = 'retired'`, `state = 'active', destroyed_at = NULL`]) {
        await writer.run(update(set, `tenant = 'acme'`))
        const client = anew()
        const { reads, search } = await effectOn(client)
        for (const code of [...reads, search]) expect(code).toMatch(/^KEY_(DESTROYED|INVALID)$/)
        await client.$disconnect()
      }
    })

    const addPatient = (client: ReturnType<typeof anew>, number: number) =>
      client.$forTenant('acme').patient.createMany({ data: [{ clinicId: 'acme', number, name: 'X' }] })

    it('gives the tenant new keys for values by marking the rows as retired, which open nothing', async () => {
      await writer.run(update(`state = 'retired', destroyed_at = NULL`, `tenant = 'acme'`))
      const client = anew()
      await addPatient(client, 12)
      const { reads, search } = await effectOn(client)
      for (const code of [...reads, search]) expect(code).toMatch(/^KEY_/)
      expect(await clinic.plain.encryptionKey.findFirst({ where: { tenant: 'acme', state: 'active' } })).toMatchObject({
        purpose: 'encrypt',
        version: 3,
      })
      await client.$disconnect()
      paid('keys that a shred left behind are marked as retired')
    })

    it('gives the tenant no new keys by deleting the rows', async () => {
      await writer.run(`DELETE FROM encryption_keys WHERE tenant = 'acme'`)
      const client = anew()
      expect(await refusalCode(() => addPatient(client, 10))).toBe('KEY_MISSING')
      expect(await clinic.plain.encryptionKey.count({ where: { tenant: 'acme' } })).toBe(0)
      await client.$disconnect()
    })

    it('changes what the receipt of another shred says of the time', async () => {
      await writer.run(update(`destroyed_at = '1999-01-01'`, `tenant = 'acme'`))
      const client = anew()
      const { keys } = await client.$encryption.shred('acme')
      expect(new Set(keys.map(({ destroyedAt }) => destroyedAt.getFullYear()))).toEqual(new Set([1999]))
      await client.$disconnect()
      paid('times of destruction are changed')
    })
  })

  it('does not bring back what an intermediate key has wrapped that is gone, in no process', async () => {
    if (name !== 'hierarchicalKms') return
    const [witness, other] = [anew(), anew()]
    await effectOn(other)
    await witness.$encryption.shred('acme')
    await retireIntermediateKey()
    const job = anew()
    expect((await job.$encryption.rewrap()).failed).toEqual([])
    await writer.run(`DELETE FROM encryption_keys WHERE tenant = 'acme'`)
    await clinic.plain.$executeRaw`INSERT INTO encryption_keys SELECT * FROM saved WHERE tenant = 'acme'`
    const before = anew()
    expect((await effectOn(before)).reads).toEqual(['Ada', 'Bob'])
    await writer.run(
      update(`state = 'destroyed', wrapped = NULL, destroyed_at = now()`, `purpose = 'wrap' AND state = 'retired'`),
    )
    const client = anew()
    expect((await effectOn(client)).reads).toEqual(['KMS_KEY_UNUSABLE', 'KMS_KEY_UNUSABLE'])
    expect(await client.$forTenant('globex').patient.findMany({ where: { clinicId: 'globex' } })).toMatchObject([
      { name: 'Cleo' },
    ])
    for (const one of [witness, other, job, before, client]) await one.$disconnect()
  })

  it('has a wrapped text from before a rewrap open the same DEK', async () => {
    if (name !== 'hierarchicalKms') return
    await retireIntermediateKey()
    const job = anew()
    expect(await job.$encryption.rewrap()).toMatchObject({ failed: [] })
    await runSql(
      clinic.database.url,
      `UPDATE encryption_keys k SET wrapped = s.wrapped, kek_id = s.kek_id FROM saved s WHERE s.id = k.id AND k.tenant = 'acme'`,
    )
    const client = anew()
    expect(await effectOn(client)).toEqual(UNCHANGED)
    for (const one of [job, client]) await one.$disconnect()
    paid('a wrapped text from before a rewrap is put back')
  })

  /** As docs/scale.md says. */
  async function retireIntermediateKey(): Promise<void> {
    await writer.run(update(`state = 'retired'`, `purpose = 'wrap' AND state = 'active'`))
  }
})

describe('a process that a change has met', () => {
  it('is refused a key for good that was marked as destroyed, also when it is mended', async () => {
    const clinic = await openClinic()
    await clinic.prisma.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } })
    await runSql(clinic.database.url, `UPDATE encryption_keys SET state = 'destroyed'`)
    const client = clinic.another()
    const read = (some: Client) => some.$forTenant('acme').patient.findMany({ where: { clinicId: 'acme' } })
    expect(await refusalCode(() => read(client))).toBe('KEY_DESTROYED')
    await runSql(clinic.database.url, `UPDATE encryption_keys SET state = 'active'`)
    expect(await refusalCode(() => read(client))).toBe('KEY_DESTROYED')
    expect(await read(clinic.another())).toMatchObject([{ name: 'Ada' }])
    await clinic.close()
  })
})

describe('SECURITY.md', () => {
  const [, table] = /#### What it costs\n+((?:\|.*\n)+)/.exec(readFileSync('SECURITY.md', 'utf8')) ?? []
  const listed = [...(table ?? '').matchAll(/^\| ([^|]+?) \|/gm)].map(([, what]) => what!.toLowerCase()).slice(1)

  it('lists each change of the keys table that is neither harmless nor refused, and no other', () => {
    expect(listed.toSorted()).toEqual(PRICES.map((price) => price.toLowerCase()).toSorted())
    expect([...prices].toSorted()).toEqual(PRICES.toSorted())
  })
})

/** An error may be the one or the other: by the KMS, it is its key that cannot be used, or the row's text. */
function expected(effect: Effect): object {
  const { reads, search, write } = { ...UNCHANGED, ...effect }
  const some = (codes: string) => expect.stringMatching(new RegExp(`^(${codes})$`))
  return { reads: reads.map(some), search: some(search), write: some(write) }
}

function ofIntermediateKeys(): Change[] {
  return CHANGES_OF_INTERMEDIATE_KEYS.map((change) => ({ ...change, what: `the intermediate key: ${change.what}` }))
}

/** The id of the key that a stored ciphertext names. */
function keyOf(stored: string): string {
  const hex = Buffer.from(stored.slice(4, 4 + HEADER_CHARS), 'base64url')
    .subarray(2)
    .toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

async function outcome(work: () => Promise<string>): Promise<string> {
  return work().catch((error: unknown) => {
    if (!FieldsealError.is(error)) throw error
    return error.code
  })
}
