import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { tenantKms } from 'fieldseal/tenant-kms'
import type { KmsUnderTest, TestedKms } from 'fieldseal/testing'
import type { Kms } from '../../../src/keys/kms.js'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'
import { testedAws } from '../aws/tested.js'
import { testedGoogle } from '../google/tested.js'
import { testedTencent } from '../tested.js'
import { overHttp, testedVault } from '../vault/tested.js'

/** By the tenant's name; `ours` serves all who bring none. */
const SERVICES: { readonly [tenant: string]: TestedKms } = {
  ours: testedTencent,
  'at-aws': testedAws,
  'at-google': testedGoogle,
  'at-openbao': testedVault('vaultKms', 'openbao', overHttp),
  'at-tencent': testedTencent,
}
const CUSTOMERS = Object.keys(SERVICES).filter((name) => name !== 'ours')
const TENANTS = [...CUSTOMERS, 'brings-none']
/** In milliseconds. */
const TTL = 100

type Client = ClinicUnderTest['prisma']

let clinic: ClinicUnderTest
let services: { readonly [name: string]: KmsUnderTest }
let app: Client
let last = 0

beforeAll(async () => {
  clinic = await openClinic()
  const started = Object.entries(SERVICES).map(async ([name, tested]) => [name, await tested.start()] as const)
  services = Object.fromEntries(await Promise.all(started))
  await clinic.plain.clinic.createMany({ data: TENANTS.map((id) => ({ id, name: id })) })
  // What is kept for outages must not outlive a key that its owner has taken away.
  app = clinic.another({ kms: byok(), keys: { ttl: TTL, staleFor: '1h' } })
  for (const tenant of TENANTS) await write(app, tenant)
})
afterEach(() => {
  for (const [name, { clear, enable, keyIds }] of Object.entries(services)) {
    clear!()
    if (name !== 'ours') enable!(keyIds[0])
  }
})
afterAll(() => Promise.all([clinic.close(), ...Object.values(services).map((service) => service.close())]))

/** As a process has it that begins now. */
function byok(): Kms {
  const limits = { timeout: 2_000, attemptTimeout: 1_000, maxRetries: 1 }
  const members = Object.entries(services).map(([name, service]) => [name, service.kmsOf(limits)] as const)
  const memberOf = (tenant: string) => (CUSTOMERS.includes(tenant) ? tenant : 'ours')
  return tenantKms({ members: Object.fromEntries(members), memberOf })
}

async function write(client: Client, clinicId: string): Promise<void> {
  last += 1
  await client.$forTenant(clinicId).patient.create({
    data: { clinicId, number: last, name: `Ada of ${clinicId}`, email: `${last}@example.com` },
  })
}

/** Reads and writes, and searches by an index. */
async function use(client: Client, clinicId: string): Promise<void> {
  await write(client, clinicId)
  const patients = client.$forTenant(clinicId).patient
  const rows = await patients.findMany({ where: { clinicId } })
  expect(new Set(rows.map(({ name }) => name))).toEqual(new Set([`Ada of ${clinicId}`]))
  expect(await patients.count({ where: { clinicId, email: rows[0]!.email } })).toBe(1)
}

/** What each tenant can do, all at the same time; the code of the error for those who cannot. */
async function usableBy(client: Client): Promise<{ readonly [tenant: string]: string }> {
  const codes = TENANTS.map(async (tenant) => {
    const used = use(client, tenant).then(() => 'well')
    return [tenant, await used.catch((error: { code?: string }) => error.code ?? String(error))] as const
  })
  return Object.fromEntries(await Promise.all(codes))
}

function allWellBut(tenant?: string, code = 'well') {
  return Object.fromEntries(TENANTS.map((each) => [each, each === tenant ? code : 'well']))
}

/** A process that has the keys in memory, once they are too old, and one that begins now. */
async function bothSee(expected: { readonly [tenant: string]: string }): Promise<void> {
  await sleep(2 * TTL)
  const cold = clinic.another({ kms: byok(), keys: { ttl: TTL, staleFor: '1h' } })
  expect([await usableBy(app), await usableBy(cold)]).toEqual([expected, expected])
  await cold.$disconnect()
}

describe.each(CUSTOMERS)('the key of the customer %s', (customer) => {
  it('that is disabled is missed by nobody else, and gives the data back when it is enabled', async () => {
    const { disable, enable, keyIds } = services[customer]!
    await bothSee(allWellBut())
    disable!(keyIds[0])
    await bothSee(allWellBut(customer, 'KMS_KEY_UNUSABLE'))
    enable!(keyIds[0])
    await bothSee(allWellBut())
  })

  it('that the app may use no longer is missed by nobody else', async () => {
    services[customer]!.deny!()
    await bothSee(allWellBut(customer, 'KMS_DENIED'))
  })

  it('in a KMS that is lost is missed by nobody else, however often that is asked for', async () => {
    services[customer]!.outage!()
    const cold = clinic.another({ kms: byok(), keys: { ttl: TTL, staleFor: 0 } })
    for (let i = 0; i < 4; i += 1) {
      const asking = Array.from({ length: 5 }, () => refusalCode(() => use(cold, customer)))
      expect(new Set(await Promise.all(asking))).toEqual(new Set(['KMS_UNAVAILABLE']))
      expect(await usableBy(cold)).toEqual(allWellBut(customer, 'KMS_UNAVAILABLE'))
    }
    await cold.$disconnect()
  })
})
