import { describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.js'
import type { Worker } from './startWorker.js'
import { addTenants, clinic, clinicWithWorkers, startWorkers } from './workers.js'

clinicWithWorkers()

const activeKeys = (tenants: readonly string[]) =>
  clinic.plain.encryptionKey.groupBy({
    by: ['tenant', 'purpose', 'state'],
    where: { tenant: { in: [...tenants] } },
    orderBy: [{ tenant: 'asc' }, { purpose: 'asc' }],
    _count: true,
  })

const expectedRows = (tenant: string, count: number) =>
  Array.from({ length: count }, (_, number) => [`${tenant} ${number}`, `${number}@example.com`])

describe('two processes', () => {
  it('that write 50 first rows of a new tenant each, at once, make one active DEK and read all rows', async () => {
    await addTenants('initech')
    const [one, two] = (await startWorkers(2)) as [Worker, Worker]
    // Both have to make a key: the KMS answers neither before both have asked for one.
    clinic.emulator.faults.add({ kind: 'hold', action: 'GenerateDataKey', times: 4 })
    const writes = [
      one.ask({ kind: 'write', tenants: ['initech'], from: 0, count: 50 }),
      two.ask({ kind: 'write', tenants: ['initech'], from: 50, count: 50 }),
    ]
    await clinic.emulator.calls.until(({ inFlight }) => inFlight === 4)
    clinic.emulator.faults.clear()
    expect(await Promise.all(writes)).toEqual([50, 50])

    expect(await activeKeys(['initech'])).toEqual([
      { tenant: 'initech', purpose: 'encrypt', state: 'active', _count: 1 },
      { tenant: 'initech', purpose: 'index', state: 'active', _count: 1 },
    ])
    for (const worker of [one, two]) {
      expect(await worker.ask({ kind: 'read', tenants: ['initech'] })).toEqual(expectedRows('initech', 100))
    }
    const indexes = await clinic.plain.patient.findMany({
      where: { clinicId: 'initech' },
      select: { emailIndex: true },
    })
    expect(new Set(indexes.map(({ emailIndex }) => emailIndex)).size).toBe(100)
  })

  it('agree on the blind index of a value', async () => {
    const emails = clinic.plain.patient.findMany({
      where: { clinicId: 'initech', number: 0 },
      select: { emailIndex: true },
    })
    const [row] = await emails
    const index = await clinic.prisma
      .$forTenant('initech')
      .$encryption.blindIndex('Patient.emailIndex', ' 0@EXAMPLE.com')
    expect(row?.emailIndex).toBe(index)
  })

  it('that meet ten new tenants at once make one active DEK for each and purpose', async () => {
    const tenants = Array.from({ length: 10 }, (_, i) => `t${i}`)
    await addTenants(...tenants)
    const [one, two] = (await startWorkers(2)) as [Worker, Worker]
    await Promise.all([
      one.ask({ kind: 'write', tenants, from: 0, count: 5 }),
      two.ask({ kind: 'write', tenants: tenants.toReversed(), from: 5, count: 5 }),
    ])
    const keys = await activeKeys(tenants)
    expect(keys).toHaveLength(20)
    expect(keys.filter(({ _count, state }) => _count !== 1 || state !== 'active')).toEqual([])
    for (const worker of [one, two]) {
      const rows = await worker.ask({ kind: 'read', tenants })
      expect(rows).toEqual(tenants.flatMap((tenant) => expectedRows(tenant, 10)))
    }
  })
})

describe('a process that is killed in the middle of first writes', () => {
  it.each([
    ['before the KMS has made the key', 'hold'],
    ['after it has', 'none'],
  ])('leaves a database that another process reads and writes: %s', async (_, when) => {
    const tenant = `killed-${when}`
    await addTenants(tenant)
    const [victim, survivor] = (await startWorkers(2)) as [Worker, Worker]
    clinic.emulator.calls.reset()
    if (when === 'hold') clinic.emulator.faults.add({ kind: 'hold', times: 'always' })
    const writes = victim.ask({ kind: 'write', tenants: [tenant], from: 1_000, count: 1_000 })
    const outcome = writes.then(
      () => 'all written',
      () => 'killed',
    )
    if (when === 'hold') await clinic.emulator.calls.until((calls) => calls.count('GenerateDataKey') > 0)
    else {
      const count = () => clinic.plain.patient.count({ where: { clinicId: tenant } })
      await eventually(async () => expect(await count()).toBeGreaterThan(0), { interval: 1, timeout: 20_000 })
    }
    await victim.kill()
    expect(await outcome).toBe('killed')
    clinic.emulator.faults.clear()

    const left = await clinic.plain.patient.count({ where: { clinicId: tenant } })
    expect(await survivor.ask({ kind: 'read', tenants: [tenant] })).toHaveLength(left)
    expect(await survivor.ask({ kind: 'write', tenants: [tenant], from: 0, count: 10 })).toBe(10)
    const rows = (await survivor.ask({ kind: 'read', tenants: [tenant] })) as unknown[]
    expect(rows.slice(0, 10)).toEqual(expectedRows(tenant, 10))
    expect(rows).toHaveLength(left + 10)
    expect(await activeKeys([tenant])).toMatchObject([{ _count: 1 }, { _count: 1 }])
  })
})
