import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { PrismaExtensionRedis, type RedisApi } from 'prisma-extension-redis'
import { encryptionSchema } from '../../../generated/encryption/index.js'
import { type ClinicUnderTest, emulatedKms, openClinic, plainClient } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'

type Client = ClinicUnderTest['prisma']

let clinic: ClinicUnderTest
let base: ReturnType<typeof plainClient>
beforeAll(async () => {
  clinic = await openClinic()
  base = plainClient(clinic.database.url)
  const contacts = { create: { relationship: 'son', name: 'Ben' } }
  const data = { clinicId: 'acme', number: 1, name: 'Ada', contacts }
  await clinic.prisma.$forTenant('acme').patient.create({ data })
})
afterAll(async () => {
  await base.$disconnect()
  await clinic.close()
})

const encrypted = (): Client =>
  base.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(clinic.emulator) }))

interface Hook {
  readonly model: string
  readonly args: unknown
  readonly query: (args: unknown) => Promise<unknown>
}
type Answer = (hook: Hook) => Promise<unknown>

/** The client with an extension that answers all queries so. */
const answering = (answer: Answer, client = encrypted()): Client =>
  client.$extends({ query: { $allModels: { $allOperations: answer as never } } }) as unknown as Client

const READS: readonly [string, (client: Client) => PromiseLike<unknown>][] = [
  ['findMany', (client) => client.patient.findMany({ select: { name: true } })],
  ['findFirst', (client) => client.patient.findFirst({ include: { contacts: true } })],
  ['a nested read', (client) => client.clinic.findMany({ where: { id: 'acme' }, include: { patients: true } })],
  ['a fluent read', (client) => client.clinic.findUnique({ where: { id: 'acme' } }).patients()],
  ['a read in a transaction', (client) => client.$transaction((tx) => tx.patient.findMany())],
  ['a read in a batch', (client) => client.$transaction([client.patient.findMany()])],
]

describe.each(READS)('an extension after the encryption that keeps what it got from %s', (_, read) => {
  it('holds ciphertext for ever, and has it opened for its tenant alone', async () => {
    const kept = new Map<string, unknown>()
    const client = answering(async ({ model, args, query }) => {
      const key = model + JSON.stringify(args)
      if (!kept.has(key)) kept.set(key, await query(args))
      return kept.get(key)
    })
    const acme = client.$forTenant('acme')
    const first = await read(acme)
    expect(JSON.stringify(first)).toContain('"Ada"')
    expect(JSON.stringify([...kept.values()])).not.toMatch(/Ada|Ben/)
    expect(JSON.stringify([...kept.values()])).toContain('fs1.')
    expect(await refusalCode(() => read(client.$forTenant('globex')))).toBe('TENANT_MISMATCH')
    expect(await refusalCode(() => read(client.$forTenant('acme', { allow: [] })))).toBe('ACCESS_DENIED')
    const second = await read(acme)
    expect(second).toEqual(first)
    expect(second).not.toBe(first)
  })

  it('may freeze it', async () => {
    const client = answering(async ({ args, query }) => deepFrozen(await query(args)))
    expect(JSON.stringify(await read(client.$forTenant('acme')))).toContain('"Ada"')
  })

  it('may look at it later', async () => {
    const seen: unknown[] = []
    const client = answering(async ({ args, query }) => {
      const rows = await query(args)
      seen.push(rows)
      return rows
    })
    await withTenant('acme', () => read(client))
    await new Promise(setImmediate)
    expect(JSON.stringify(seen)).not.toMatch(/Ada|Ben/)
  })
})

function deepFrozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFrozen(part)
  return Object.freeze(value)
}

describe('an extension after the encryption that answers with rows which the encrypted client gave it', () => {
  const find = { where: { clinicId: 'acme' }, select: { name: true } } as const
  /** Answers with rows that were read by another client. */
  const from = (rows: unknown) => answering(async () => rows)
  const acme = () => encrypted().$forTenant('acme')

  it('hands them to their own tenant', async () => {
    expect(
      await from(await acme().patient.findMany(find))
        .$forTenant('acme')
        .patient.findMany(find),
    ).toEqual([{ name: 'Ada' }])
    const frozen = deepFrozen(await acme().patient.findMany(find))
    expect(await from(frozen).$forTenant('acme').patient.findMany(find)).toEqual([{ name: 'Ada' }])
    expect(await from(frozen).$acrossTenants().patient.findMany(find)).toEqual([{ name: 'Ada' }])
  })

  it('hands them to no other tenant, and to nobody for whom nothing says the tenant', async () => {
    const rows = await acme().patient.findMany(find)
    for (const read of [
      (client: Client) => client.patient.findMany(find),
      (client: Client) => client.patient.findMany({ select: { id: true } }),
    ]) {
      expect(await refusalCode(() => read(from(rows).$forTenant('globex')))).toBe('TENANT_MISMATCH')
      expect(await refusalCode(() => read(from(rows)))).toBe('TENANT_MISSING')
    }
    const nested = await acme().clinic.findMany({ where: { id: 'acme' }, include: { patients: true } })
    expect(await refusalCode(() => from(nested).$forTenant('globex').clinic.findMany())).toBe('TENANT_MISMATCH')
  })

  it('hands rows of all tenants to none of them', async () => {
    const rows = await encrypted()
      .$acrossTenants()
      .contact.findMany({ select: { name: true } })
    expect(await refusalCode(() => from(rows).$forTenant('acme').contact.findMany())).toBe('TENANT_MISMATCH')
  })

  it('hands rows of a client with limits to none with others', async () => {
    const rows = await encrypted()
      .$forTenant('acme', { allow: ['Patient.name'] })
      .patient.findMany(find)
    const client = from(rows)
    expect(await client.$forTenant('acme').patient.findMany(find)).toEqual([{ name: 'Ada' }])
    expect(
      await refusalCode(() => client.$forTenant('acme', { allow: [] }).patient.findMany({ select: { id: true } })),
    ).toBe('ACCESS_DENIED')
  })
})

describe('prisma-extension-redis', () => {
  it('keeps ciphertext and answers each tenant rightly, also those who ask at once', async () => {
    const redis = memoryRedis()
    const caching = PrismaExtensionRedis({
      config: { ttl: 60, stale: 0, type: 'STRING', auto: { ttl: 60, stale: 0 } },
      client: redis.api,
    })
    const client = encrypted().$extends(caching) as unknown as Client
    const read = (tenant: string) => client.$forTenant(tenant).patient.findMany({ select: { name: true } })
    const [one, other, two] = await Promise.allSettled([read('acme'), read('globex'), read('acme')])
    expect([one, two]).toMatchObject([{ value: [{ name: 'Ada' }] }, { value: [{ name: 'Ada' }] }])
    expect(other).toMatchObject({ reason: { code: 'TENANT_MISMATCH' } })
    expect(await read('acme')).toEqual([{ name: 'Ada' }])
    expect(await refusalCode(() => read('globex'))).toBe('TENANT_MISMATCH')
    expect(redis.reads()).toBeGreaterThan(0)
    expect([...redis.values.values()].join()).toContain('fs1.')
    expect([...redis.values.values()].join()).not.toContain('Ada')
  })
})

/** As much of a Redis as the extension needs, in this process. */
function memoryRedis() {
  const values = new Map<string, string>()
  let reads = 0
  const get = async (key: string) => {
    reads += 1
    return values.get(key) ?? null
  }
  const set = async (key: string, value: string) => values.set(key, value)
  const remove = async (keys: string[]) => keys.filter((key) => values.delete(key)).length
  const api: RedisApi = {
    ...{ get, set, jsonGet: get, jsonSet: set, del: remove, unlink: remove },
    scan: async () => ({ cursor: '0', keys: [...values.keys()] }),
    ping: async () => 'PONG',
  }
  return { api, values, reads: () => reads }
}
