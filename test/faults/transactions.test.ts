import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { eventually } from '../support/eventually.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let tenant: string
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())

/** A tenant that nobody has met. */
beforeEach(async () => {
  tenant = `tenant-${randomUUID()}`
  await clinic.plain.clinic.create({ data: { id: tenant, name: tenant } })
})
afterEach(() => {
  clinic.emulator.faults.clear()
})

type Client = ClinicUnderTest['prisma']
/** The client inside an interactive transaction, as far as it is used here. */
type Transaction = Pick<Client, 'patient' | 'room' | '$queryRaw'>

const data = (number: number, clinicId = tenant) => ({ clinicId, number, name: `patient ${number}` })
const withEmail = (number: number) => ({ ...data(number), email: `${number}@example.com` })
const stored = () => clinic.plain.patient.count({ where: { clinicId: tenant } })
const keys = (purpose = 'encrypt') => clinic.plain.encryptionKey.findMany({ where: { tenant, purpose } })
const readBack = async () => {
  const other = clinic.another()
  const rows = await other
    .$forTenant(tenant)
    .patient.findMany({ where: { clinicId: tenant }, orderBy: { number: 'asc' } })
  await other.$disconnect()
  return rows.map(({ name }) => name)
}

describe('a batch transaction with a cold tenant', () => {
  it.each([
    ['that throttles without end', { kind: 'error', code: 'RequestLimitExceeded' }],
    ['that hangs up', { kind: 'hangUp', when: 'before' }],
  ] as const)('leaves no row with a KMS %s', async (_, fault) => {
    const client = clinic.another({ kms: emulatedKms(clinic.emulator, { maxRetries: 0 }) })
    clinic.emulator.faults.add({ ...fault, times: 'always' })
    const rooms = await clinic.plain.room.count()
    const batch = () =>
      client.$transaction([
        client.room.create({ data: { name: tenant, floor: 1 } }),
        client.patient.create({ data: data(1) }),
        client.room.create({ data: { name: `${tenant} 2`, floor: 1 } }),
      ])
    expect(await refusalCode(batch)).toMatch(/^KMS_/)
    expect([await stored(), await clinic.plain.room.count(), (await keys()).length]).toEqual([0, rooms, 0])
    clinic.emulator.faults.clear()
    expect(await batch()).toHaveLength(3)
    await client.$disconnect()
  })

  it('leaves no row when one of its operations is refused', async () => {
    const batch = () =>
      clinic.prisma.$transaction([
        clinic.prisma.patient.create({ data: data(1) }),
        clinic.prisma.$forTenant('acme').patient.create({ data: data(2) }),
      ])
    expect(await refusalCode(batch)).toBe('TENANT_MISMATCH')
    expect(await stored()).toBe(0)
  })

  it('leaves no row, but the DEK, when the database refuses one of its rows', async () => {
    const { prisma } = clinic
    const batch = [prisma.patient.create({ data: data(1) }), prisma.patient.create({ data: data(1) })]
    await expect(prisma.$transaction(batch)).rejects.toMatchObject({ code: 'P2002' })
    expect([await stored(), (await keys()).length]).toEqual([0, 1])
    await prisma.patient.create({ data: data(2) })
    expect(await readBack()).toEqual(['patient 2'])
  })

  it('keeps the order of its operations, in one transaction, and the key outside of it', async () => {
    const { prisma } = clinic
    const [none, first, one, changed, both] = await prisma.$transaction([
      prisma.patient.count({ where: { clinicId: tenant } }),
      prisma.patient.create({ data: data(1) }),
      prisma.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant } }),
      prisma.$forTenant(tenant).patient.updateManyAndReturn({ where: { clinicId: tenant }, data: { name: 'changed' } }),
      prisma.patient.create({ data: data(2) }),
    ])
    expect([none, first.name, one.map(({ name }) => name), changed.map(({ name }) => name), both.name]).toEqual([
      0,
      'patient 1',
      ['patient 1'],
      ['changed'],
      'patient 2',
    ])
    const transactions = await clinic.plain
      .$queryRaw`SELECT DISTINCT xmin::text FROM patients WHERE clinic_id = ${tenant}`
    expect(transactions).toHaveLength(1)
    expect(transactions).not.toEqual(
      await clinic.plain.$queryRaw`SELECT xmin::text FROM encryption_keys WHERE tenant = ${tenant}`,
    )
  })

  it('serves several cold tenants at once', async () => {
    const tenants = Array.from({ length: 5 }, (_, i) => `${tenant}-${i}`)
    await clinic.plain.clinic.createMany({ data: tenants.map((id) => ({ id, name: id })) })
    const writes = tenants.map((clinicId, i) => clinic.prisma.patient.create({ data: data(i, clinicId) }))
    expect((await clinic.prisma.$transaction(writes)).map(({ clinicId }) => clinicId)).toEqual(tenants)
  })

  it('works with a pool of 1', async () => {
    const client = clinic.another({ pool: 1 })
    const batch = [client.patient.create({ data: withEmail(1) }), client.patient.create({ data: withEmail(2) })]
    expect(await client.$transaction(batch)).toMatchObject([{ name: 'patient 1' }, { name: 'patient 2' }])
    await client.$disconnect()
  })
})

describe('an interactive transaction with a pool of 1', () => {
  let single: Client
  beforeEach(() => {
    single = clinic.another({ pool: 1, keys: { transactionWait: 1_500 } })
  })
  afterEach(() => single.$disconnect())

  const twoWrites = async (tx: Transaction) => {
    await tx.patient.create({ data: withEmail(1) })
    return tx.patient.create({ data: withEmail(2) })
  }

  it('works for a new tenant that is bound', async () => {
    expect(await single.$forTenant(tenant).$transaction(twoWrites)).toMatchObject({ email: '2@example.com' })
    expect(await readBack()).toEqual(['patient 1', 'patient 2'])
  })

  it('works for a new tenant by withTenant', async () => {
    expect(await withTenant(tenant, () => single.$transaction(twoWrites))).toMatchObject({ email: '2@example.com' })
    expect(await readBack()).toEqual(['patient 1', 'patient 2'])
  })

  it('works for a new tenant by the tenant option and by the default', async () => {
    for (const options of [{ tenant: () => tenant }, { defaultTenant: tenant }]) {
      const client = clinic.another({ pool: 1, ...options })
      await clinic.plain.encryptionKey.deleteMany({ where: { tenant } })
      await clinic.plain.patient.deleteMany({ where: { clinicId: tenant } })
      expect(await client.$transaction(twoWrites)).toMatchObject({ email: '2@example.com' })
      await client.$disconnect()
    }
  })

  it('fails clearly for a new tenant that only the data names, and the next try works', async () => {
    const error = await refusal(() => single.$transaction(twoWrites))
    expect(error).toMatchObject({
      code: 'KEY_STORE_UNAVAILABLE',
      message: expect.stringMatching(/Patient\.create.*second connection/),
    })
    expect(await stored()).toBe(0)
    await eventually(async () => expect((await keys('index')).length + (await keys()).length).toBe(2), {
      timeout: 20_000,
    })
    expect(await single.$transaction(twoWrites)).toMatchObject({ email: '2@example.com' })
    expect(await readBack()).toEqual(['patient 1', 'patient 2'])
  })

  it('works for a tenant whose keys are not in memory, written and read', async () => {
    await clinic.prisma.patient.create({ data: data(7) })
    const names = await single.$forTenant(tenant).$transaction(async (tx) => {
      await twoWrites(tx)
      return tx.patient.findMany({ where: { clinicId: tenant }, orderBy: { number: 'asc' } })
    })
    expect(names.map(({ name }) => name)).toEqual(['patient 1', 'patient 2', 'patient 7'])
  })

  it('fails clearly at a read under a retired DEK that is not in memory, and works when it is', async () => {
    await clinic.prisma.patient.create({ data: data(1) })
    await clinic.plain.encryptionKey.updateMany({ where: { tenant }, data: { state: 'retired' } })
    const read = () =>
      single.$forTenant(tenant).$transaction((tx) => tx.patient.findFirst({ where: { clinicId: tenant } }))
    expect(await refusalCode(read)).toBe('KEY_STORE_UNAVAILABLE')
    await single.$forTenant(tenant).patient.findFirst({ where: { clinicId: tenant } })
    expect(await read()).toMatchObject({ name: 'patient 1' })
  })

  it('runs on when it touches nothing encrypted and no key can be had', async () => {
    clinic.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 'always' })
    const write = (tx: Transaction) => tx.room.create({ data: { name: tenant, floor: 3 } })
    expect(await single.$forTenant(tenant).$transaction(write)).toMatchObject({ floor: 3 })
  })

  it('is not begun twice, nor kept from running, by a tenant option that throws or answers nonsense', async () => {
    const answers = ['', '*', 'a\0b', 7 as unknown as string]
    const options = [
      ...answers.map((answer) => () => answer),
      () => {
        throw new Error('no request is running')
      },
    ]
    for (const [i, option] of options.entries()) {
      const client = clinic.another({ pool: 1, tenant: option })
      await client.$transaction((tx) => tx.room.create({ data: { name: `${tenant} ${i}`, floor: 1 } }))
      await client.$disconnect()
    }
    expect(await clinic.plain.encryptionKey.count({ where: { tenant: { in: answers.slice(0, 2) } } })).toBe(0)
  })

  it('says that the KMS is late, not the pool, when it is the KMS', async () => {
    clinic.emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await refusal(() => single.$forTenant(tenant).$transaction(twoWrites))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringMatching(/1500 ms.*KMS/) })
    expect(await stored()).toBe(0)
  })

  it('works for ten at a time', async () => {
    const client = clinic.another({ pool: 1 })
    const runs = Array.from({ length: 10 }, (_, i) =>
      client.$forTenant(tenant).$transaction((tx) => tx.patient.create({ data: withEmail(i) }), { maxWait: 20_000 }),
    )
    expect(await Promise.all(runs)).toHaveLength(10)
    expect([(await keys()).length, (await keys('index')).length]).toEqual([1, 1])
    await client.$disconnect()
  })
})

describe('an interactive transaction that is rolled back after its DEK was made', () => {
  it.each([1, 5])('leaves the DEK, and later rows are readable: pool of %s', async (pool) => {
    const client = clinic.another({ pool })
    const failure = new Error('the app changes its mind')
    const run = client.$forTenant(tenant).$transaction(async (tx) => {
      await tx.patient.create({ data: withEmail(1) })
      throw failure
    })
    await expect(run).rejects.toBe(failure)
    expect([await stored(), (await keys()).length, (await keys('index')).length]).toEqual([0, 1, 1])
    await client.$forTenant(tenant).patient.create({ data: withEmail(2) })
    expect(await readBack()).toEqual(['patient 2'])
    expect(await keys()).toHaveLength(1)
    await client.$disconnect()
  })

  it('leaves the DEK when the tenant is only in the data', async () => {
    const run = clinic.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: data(1) })
      await tx.$queryRaw`SELECT 1 / 0`
    })
    await expect(run).rejects.toThrow()
    expect([await stored(), (await keys()).length]).toEqual([0, 1])
    await clinic.prisma.patient.create({ data: data(2) })
    expect(await readBack()).toEqual(['patient 2'])
  })

  it('stays usable after a refusal that the app catches', async () => {
    const rows = await clinic.prisma.$forTenant(tenant).$transaction(async (tx) => {
      await tx.patient.create({ data: data(1) })
      const crossed = () => tx.patient.create({ data: { ...data(2), clinicId: 'acme' } })
      expect(await refusalCode(crossed)).toBe('TENANT_MISMATCH')
      await tx.patient.create({ data: data(3) })
      return tx.patient.count({ where: { clinicId: tenant } })
    })
    expect(rows).toBe(2)
    expect(await readBack()).toEqual(['patient 1', 'patient 3'])
  })
})

describe('a transaction that is longer than the time of its DEK', () => {
  it('goes on with the DEK fetched again', async () => {
    const client = clinic.another({ keys: { ttl: 20, staleFor: 0 } })
    const acme = client.$forTenant(tenant)
    const names = await acme.$transaction(async (tx) => {
      await tx.patient.create({ data: data(1) })
      await eventually(() => expect(acme.$encryption.stats().cachedDeks).toBe(0), { interval: 5, timeout: 4_000 })
      await tx.patient.create({ data: data(2) })
      await eventually(() => expect(acme.$encryption.stats().cachedDeks).toBe(0), { interval: 5, timeout: 4_000 })
      return tx.patient.findMany({ where: { clinicId: tenant }, orderBy: { number: 'asc' } })
    })
    expect(names.map(({ name }) => name)).toEqual(['patient 1', 'patient 2'])
    expect(await keys()).toHaveLength(1)
    await client.$disconnect()
  })

  it('with a pool of 1 fails clearly, leaves no row, and works the next time', async () => {
    const client = clinic.another({ pool: 1, keys: { ttl: 2_000, staleFor: 0, transactionWait: 1_000 } })
    const acme = client.$forTenant(tenant)
    const run = (pause: () => Promise<unknown>) => () =>
      acme.$transaction(
        async (tx) => {
          await tx.patient.create({ data: data(1) })
          await pause()
          await tx.patient.create({ data: data(2) })
        },
        { timeout: 25_000 },
      )
    const expired = () => eventually(() => expect(acme.$encryption.stats().cachedDeks).toBe(0), { timeout: 15_000 })
    expect(await refusalCode(run(async () => expired()))).toBe('KEY_STORE_UNAVAILABLE')
    expect(await stored()).toBe(0)
    await run(async () => undefined)()
    expect(await readBack()).toEqual(['patient 1', 'patient 2'])
    await client.$disconnect()
  })
})
