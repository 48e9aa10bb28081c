import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { redundantKms } from 'fieldseal/redundant-kms'
import type { KmsUnderTest, TestedKms } from 'fieldseal/testing'
import { type ClinicUnderTest, openClinic } from '../../support/clinic.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { testedAws } from '../aws/tested.js'
import { testedTencent } from '../tested.js'
import { overHttp, testedVault } from '../vault/tested.js'

const VENDORS: { readonly [name: string]: TestedKms } = {
  tencent: testedTencent,
  aws: testedAws,
  vault: testedVault('vaultKms', 'vault', overHttp),
}
const NAMES = Object.keys(VENDORS)

let clinic: ClinicUnderTest
let members: { readonly [name: string]: KmsUnderTest }
beforeAll(async () => {
  const started = NAMES.map(async (name) => [name, await VENDORS[name]!.start()] as const)
  members = Object.fromEntries(await Promise.all(started))
  clinic = await openClinic()
})
afterEach(() => {
  for (const member of Object.values(members)) member.clear!()
})
afterAll(() => Promise.all([clinic.close(), ...Object.values(members).map((member) => member.close())]))

/** As a process has them that begins now; without an answer it turns to the next after two seconds at most. */
function allThree() {
  const limits = { timeout: 2_000, attemptTimeout: 1_000, maxRetries: 0 }
  return redundantKms({ members: Object.fromEntries(NAMES.map((name) => [name, members[name]!.kmsOf(limits)])) })
}

type Client = ClinicUnderTest['prisma']

function open(ttl: number): Client {
  const client = clinic.another({ kms: allThree(), keys: { ttl, staleFor: 0 }, pool: 2 })
  onTestFinished(() => client.$disconnect())
  return client
}

let last = 0

async function newClinic(): Promise<string> {
  last += 1
  const id = `clinic-${last}`
  await clinic.plain.clinic.create({ data: { id, name: id } })
  return id
}

async function write(client: Client, clinicId: string): Promise<void> {
  last += 1
  const data = { clinicId, number: last, name: `Ada ${last} of ${clinicId}`, email: `${last}@example.com` }
  await client.$forTenant(clinicId).patient.create({ data })
}

async function readAll(client: Client, clinicId: string): Promise<number> {
  const rows = await client.$forTenant(clinicId).patient.findMany({ where: { clinicId } })
  for (const { name, email, number } of rows) {
    expect([name, email]).toEqual([`Ada ${number} of ${clinicId}`, `${number}@example.com`])
    const where = { clinicId, email }
    expect(await client.$forTenant(clinicId).patient.count({ where })).toBe(1)
  }
  return rows.length
}

/** In how many members the keys of a tenant are. */
async function membersOfKeys(tenant: string): Promise<readonly string[]> {
  const rows = await clinic.plain.encryptionKey.findMany({ where: { tenant } })
  const names = rows.map(({ kekId }) => kekId.split(' ').map((each) => each.split('=')[0]))
  return [...new Set(names.map((each) => each.join(' ')))]
}

const TROUBLE: readonly (readonly [what: string, begin: (member: KmsUnderTest) => unknown])[] = [
  ['is not reached', (member) => member.outage!()],
  ['cuts its answers', (member) => member.hangUp!()],
  ['throttles everything', (member) => member.throttle!('always')],
  ['knows the credentials no longer', (member) => member.expireCredentials!()],
]

describe('redundantKms over Tencent, AWS and Vault', () => {
  for (const name of NAMES)
    it.each(TROUBLE)(`reads and writes, cold and warm, while ${name} %s`, async (_, begin) => {
      const warm = open(60_000)
      const known = await newClinic()
      await write(warm, known)
      begin(members[name]!)
      await write(warm, known)
      expect(await readAll(warm, known)).toBe(2)
      await write(open(60_000), known)
      expect(await readAll(open(60_000), known)).toBe(3)
      const unknown = await newClinic()
      await write(open(60_000), unknown)
      expect(await readAll(open(60_000), unknown)).toBe(1)
      expect(await membersOfKeys(known)).toEqual(['aws tencent vault'])
      expect(await membersOfKeys(unknown)).toEqual(['aws tencent vault'.replace(name, '').replace('  ', ' ').trim()])
    })

  it('opens what was made in an outage of one in the next outage of two, once it was rewrapped', async () => {
    const clinics = await Promise.all(NAMES.map(newClinic))
    for (const [i, name] of NAMES.entries()) {
      members[name]!.outage!()
      await write(open(60_000), clinics[i]!)
      members[name]!.clear!()
    }
    expect(await open(60_000).$encryption.rewrap({ tenants: clinics, rate: 1_000 })).toMatchObject({ failed: [] })
    for (const healthy of NAMES) {
      for (const name of NAMES) if (name !== healthy) members[name]!.outage!()
      for (const each of clinics) expect(await readAll(open(60_000), each)).toBe(1)
      for (const name of NAMES) members[name]!.clear!()
    }
  })
})
