import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { tenantKms } from 'fieldseal/tenant-kms'
import type { CommandContext } from '../../../src/cli/loadConfig.js'
import type { Kms } from '../../../src/keys/kms.js'
import type { KekSurvey } from '../../../src/maintenance/kekSurvey.js'
import { noQueue, runIn } from '../../cli/runHere.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../../support/clinic.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { openPool } from '../../support/pool.js'
import { RunningApp } from './runningApp.js'
import { type Services, startServices, tokenMissing } from './services.js'

let clinic: ClinicUnderTest
let services: Services
let app: RunningApp
beforeAll(async () => {
  services = await startServices()
})
afterAll(() => services?.close())
beforeEach(async () => {
  clinic = await openClinic()
  onTestFinished(() => clinic.close())
  app = new RunningApp(clinic)
  onTestFinished(() => app.stop())
})

/** A command as the job that moves keys runs it, with a client of its own. */
async function command(kms: Kms, ...args: string[]): Promise<string> {
  const open = (): CommandContext => {
    const [client, database] = [clinic.another({ kms }), openPool(clinic.database.url)]
    const close = async () => void (await Promise.all([client.$disconnect(), database.end()]))
    return { client, database, tenants: {}, queue: noQueue, close }
  }
  const { code, output, errors } = await runIn(open, ...args)
  expect({ code, errors }).toEqual({ code: 0, errors: '' })
  return output
}

async function keksOf(kms: Kms, tenant: string): Promise<readonly KekSurvey[]> {
  return JSON.parse(await command(kms, 'status', '--tenant', tenant, '--json')).keks
}

/** The KMSs that a tenant's keys are under, as `fieldseal status` says. */
async function whereKeysAre(kms: Kms, tenant = 'acme'): Promise<readonly string[]> {
  return (await keksOf(kms, tenant)).map(({ kms: name }) => name)
}

/** All that was acknowledged is there for a process that knows nothing yet, and nothing has failed. */
async function expectAllWell(kms: Kms): Promise<void> {
  expect(await app.missing(kms)).toEqual([])
  expect(app.failures).toEqual([])
}

/** Moves one key and is stopped: the rest is for the next run. */
async function moveOneKey(kms: Kms): Promise<void> {
  const client = clinic.another({ kms })
  const stop = new AbortController()
  const options = { tenants: 'acme', concurrency: 1, rate: 1_000, signal: stop.signal, onProgress: () => stop.abort() }
  await expect(client.$encryption.rewrap(options)).rejects.toMatchObject({ name: 'AbortError' })
  await client.$disconnect()
}

const PATH = ['tencent', 'aws', 'vault', ...(tokenMissing === undefined ? ['pkcs11'] : []), 'tencent']
const LEGS = PATH.slice(1).map((to, i) => [PATH[i]!, to] as const)

interface Deployment {
  /** The member for acme; that for all others is `ours`. */
  readonly acme: string
  readonly former?: string
}

function kmsOf({ acme, former }: Deployment): Kms {
  const names = former === undefined ? [acme] : [acme, former]
  const members = Object.fromEntries(names.map((name) => [name, services.of[name]!.kmsOf()]))
  return tenantKms({
    members: { ours: emulatedKms(clinic.emulator), ...members },
    memberOf: (tenant) => (tenant === 'acme' ? acme : 'ours'),
    formerMembers: (tenant) => (tenant === 'acme' && former !== undefined ? [former] : []),
  })
}

describe('beside a running app', () => {
  if (tokenMissing !== undefined)
    it('no tenant moves to a token here: what is missing is said, with how to get it', () => {
      console.warn(tokenMissing)
      expect(tokenMissing).toMatch(/npm install|apt-get install|PATH/)
    })

  it(`a tenant moves: ${PATH.join(' → ')}`, async () => {
    await app.deploy(() => kmsOf({ acme: PATH[0]! }))
    for (const [from, to] of LEGS) {
      services.of[to]!.clear!()
      await app.deploy(() => kmsOf({ acme: from, former: to }))
      expect(await whereKeysAre(kmsOf({ acme: from }))).toEqual([from])

      const moving = { acme: to, former: from }
      await app.deploy(
        () => kmsOf(moving),
        () => command(kmsOf(moving), 'rotate', '--tenant', 'acme'),
      )
      await moveOneKey(kmsOf(moving))
      expect(await whereKeysAre(kmsOf(moving))).toEqual([from, to].sort())
      await expectAllWell(kmsOf(moving))
      await command(kmsOf(moving), 'rewrap', '--tenant', 'acme', '--rate', '1000')
      expect(await whereKeysAre(kmsOf(moving))).toEqual([to])
      await app.goOn()

      await app.deploy(() => kmsOf({ acme: to }))
      services.of[from]!.outage!()
      await app.goOn()
      await expectAllWell(kmsOf({ acme: to }))
    }
    const [home, ...others] = await keksOf(kmsOf({ acme: 'tencent' }), 'acme')
    expect([home, others]).toMatchObject([{ kms: 'tencent', tenants: 1, active: 2, older: LEGS.length }, []])
    expect(await command(kmsOf({ acme: 'tencent' }), 'status')).toMatch(/│ ours +│ 1 +│ 2 +│ 0 +│/)
    expect(await whereKeysAre(kmsOf({ acme: 'tencent' }), 'globex')).toEqual(['ours'])
    for (const service of Object.values(services.of)) service.clear!()
  }, 240_000)

  it('all tenants move from one KMS that was alone to another one', async () => {
    const { tencent, aws } = services.of
    const members = () => ({ tencent: tencent!.kmsOf(), aws: aws!.kmsOf() })
    const former = () => tenantKms({ members: members(), memberOf: () => 'tencent', formerMembers: ['aws'] })
    const moving = () => tenantKms({ members: members(), memberOf: () => 'aws', formerMembers: ['tencent'] })
    await app.deploy(() => tencent!.kmsOf())
    await app.deploy(former)
    await app.deploy(moving, () => command(moving(), 'rotate', '--tenant', 'acme'))
    expect(await whereKeysAre(moving(), 'acme')).toEqual(['aws', 'tencent'])
    const client = clinic.another({ kms: aws!.kmsOf() })
    const report = await client.$encryption.rewrap({ from: tencent!.kmsOf(), rate: 1_000 })
    expect(report).toMatchObject({ changed: 4, unchanged: 1, failed: [] })
    await app.goOn()
    await app.deploy(() => aws!.kmsOf())
    tencent!.outage!()
    await app.goOn()
    await expectAllWell(aws!.kmsOf())
    expect(await whereKeysAre(aws!.kmsOf(), 'globex')).toEqual(['aws'])
    tencent!.clear!()
  }, 120_000)
})
