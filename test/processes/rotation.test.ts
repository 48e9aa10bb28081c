import { describe, expect, it } from '@jest/globals'
import { headerOfHead, headOf } from '../../src/crypto/ciphertext.js'
import { eventually } from '../support/eventually.js'
import type { Worker } from './startWorker.js'
import { addTenants, clinic, clinicWithWorkers, startWorkers } from './workers.js'

clinicWithWorkers()

const keysOf = (tenant: string) =>
  clinic.plain.encryptionKey.findMany({ where: { tenant, purpose: 'encrypt' }, orderBy: { version: 'asc' } })
const states = async (tenant: string) => (await keysOf(tenant)).map(({ version, state }) => `${version} ${state}`)

/** Values in the table under each DEK of a tenant. */
async function used(tenant: string): Promise<Map<string, number>> {
  const rows = await clinic.plain.patient.findMany({ where: { clinicId: tenant }, select: { name: true, email: true } })
  const counts = new Map<string, number>()
  for (const value of rows.flatMap(({ name, email }) => (email === null ? [name] : [name, email]))) {
    const { dekId } = headerOfHead(headOf(value)!)!
    counts.set(dekId, (counts.get(dekId) ?? 0) + 1)
  }
  return counts
}

describe('processes that share a limit of messages', () => {
  it('never pass it together, though one of them dies and another starts, and everything is read', async () => {
    await addTenants('limited')
    const [one, two, victim] = (await startWorkers(3, { maxMessages: 50 })) as [Worker, Worker, Worker]
    const write = (worker: Worker, from: number) =>
      worker.ask({ kind: 'write', tenants: ['limited'], from, count: 30 }).catch(() => 0)
    const writes = [write(one, 0), write(two, 100), write(victim, 200)]
    await eventually(async () =>
      expect(await clinic.plain.patient.count({ where: { clinicId: 'limited' } })).toBeGreaterThan(20),
    )
    await victim.kill()
    expect((await Promise.all(writes)).slice(0, 2)).toEqual([30, 30])

    const keys = await keysOf('limited')
    const counts = await used('limited')
    for (const { id, messages } of keys) {
      expect(messages).toBeLessThanOrEqual(50n)
      expect(counts.get(id) ?? 0).toBeLessThanOrEqual(Number(messages))
    }
    expect(keys.filter(({ state }) => state === 'active')).toHaveLength(1)
    const rows = (await one.ask({ kind: 'read', tenants: ['limited'] })) as unknown[]
    expect(rows.length).toBe(await clinic.plain.patient.count({ where: { clinicId: 'limited' } }))
    expect(rows.length).toBeGreaterThanOrEqual(60)
  })
})

describe('a limit of one message', () => {
  it('gives every value a DEK of its own, and all of them are read back', async () => {
    await addTenants('single')
    const client = clinic.another({ keys: { maxMessages: 1 } })
    const data = Array.from({ length: 5 }, (_, number) => ({
      clinicId: 'single',
      number,
      name: `n${number}`,
      email: `${number}@`,
    }))
    await client.patient.createMany({ data })
    const counts = await used('single')
    expect([counts.size, new Set(counts.values())]).toEqual([10, new Set([1])])
    const keys = await keysOf('single')
    expect(keys.every(({ messages }) => messages === 1n)).toBe(true)
    expect(keys.filter(({ state }) => state === 'active')).toHaveLength(1)
    expect(keys.filter(({ state, retiredAt }) => state === 'retired' && retiredAt)).toHaveLength(keys.length - 1)
    const rows = await clinic
      .another()
      .$forTenant('single')
      .patient.findMany({ orderBy: { number: 'asc' }, where: { clinicId: 'single' } })
    expect(rows.map(({ name }) => name)).toEqual(data.map(({ name }) => name))
  })
})

describe('a DEK that is too old', () => {
  it('is succeeded by exactly one, though ten processes find it at once; what it encrypted is still read', async () => {
    await addTenants('aged')
    await clinic.another().patient.create({ data: { clinicId: 'aged', number: 1, name: 'old' } })
    const createdAt = new Date(Date.now() - 91 * 86_400_000)
    await clinic.plain.encryptionKey.updateMany({ where: { tenant: 'aged', purpose: 'encrypt' }, data: { createdAt } })
    const clients = Array.from({ length: 10 }, () => clinic.another({ pool: 2 }))
    const write = (number: number) => ({ data: { clinicId: 'aged', number, name: `new ${number}` } })
    await Promise.all(clients.map((client, i) => client.patient.create(write(i + 2))))
    expect(await states('aged')).toEqual(['1 retired', '2 active'])
    expect((await used('aged')).size).toBe(2)
    const rows = await clients[0]!.$forTenant('aged').patient.findMany({ where: { clinicId: 'aged', number: 1 } })
    expect(rows[0]!.name).toBe('old')
  })
})

describe('a warm process', () => {
  it('reserves with one statement per 2^20 messages, outside of the transaction that writes', async () => {
    const client = clinic.prisma
    await client.patient.create({ data: { clinicId: 'acme', number: 1, name: 'Ada' } })
    const [key] = await keysOf('acme')
    clinic.takeSql()
    await expect(
      client.$transaction(async (tx) => {
        for (let number = 2; number < 50; number += 1)
          await tx.patient.create({ data: { clinicId: 'acme', number, name: 'n' } })
        throw new Error('taken back')
      }),
    ).rejects.toThrow('taken back')
    expect(clinic.takeSql().filter((sql) => sql.includes('encryption_keys'))).toEqual([])
    expect(await keysOf('acme')).toEqual([key])
    expect(key!.messages).toBe(2n ** 20n)
  })

  it('that restarts goes on under the same DEK, with a block of its own', async () => {
    await clinic.another().patient.create({ data: { clinicId: 'acme', number: 100, name: 'n' } })
    const [key, ...others] = await keysOf('acme')
    expect([others, key!.messages]).toEqual([[], 2n ** 21n])
  })
})
