import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import { type KmsEmulator, startAwsKmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { kms as tencent } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { Kms } from '../../../src/keys/kms.js'
import type { Ended } from '../../cli/runCommand.js'
import { runHere } from '../../cli/runHere.js'
import { empty, type Migration, openMigration } from '../../maintenance/migration.js'
import { emulatedKms } from '../../support/clinic.js'
import { eventually } from '../../support/eventually.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusalCode } from '../../support/refusal.js'
import { ADA, ALL_IS_WELL, addCustomer, findAda, forgetfulProcess, playCommands } from './customers.js'
import { RUNBOOKS } from './runbook.js'

const PAGE = 'kms-region-down.md'
/** A KMS that does not answer is given up soon. */
const IMPATIENT = { timeout: 1_000, attemptTimeout: 500 }

let migration: Migration
let guangzhou: KmsEmulator
let shanghai: KmsEmulator
beforeAll(async () => {
  migration = await openMigration()
  guangzhou = migration.emulator
  shanghai = await startKmsEmulator()
})
afterEach(async () => {
  for (const region of [guangzhou, shanghai]) region.faults.clear()
  await empty(migration)
})
afterAll(async () => {
  await shanghai?.close()
  await migration?.close()
})

const goDown = ({ faults }: KmsEmulator) => faults.add({ kind: 'hangUp', when: 'before', times: 'always' })

const play = (heading: string, kms: Kms) => playCommands(migration, { page: PAGE, heading, kms })

/** What the page's code exports, with the clients and ids that it declares only. */
async function codeOfPage(given: { readonly [name: string]: unknown }): Promise<{ readonly [name: string]: Kms }> {
  const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(RUNBOOKS, PAGE), 'utf8'))!
  const file = join(migration.folder, 'kms.ts')
  const names = Object.keys(given)
  const declared = code!.replace(/^declare const (\w+): .*$/gm, (_, name: string) => {
    expect(names).toContain(name)
    return `const ${name} = Reflect.get(globalThis, 'given').${name}`
  })
  writeFileSync(file, declared)
  Reflect.set(globalThis, 'given', given)
  return import(file)
}

/** The KEKs that `status` shows, each with its members. */
const keksIn = (status: string) =>
  [...status.matchAll(/│ (redundant|tencent) .*│ (\S.*?) *│$/gm)].map(([, kms, kek]) => `${kms} ${kek}`)

describe(`docs/runbooks/${PAGE}`, () => {
  it('serves on what is in memory, and says of the rest what is down', async () => {
    const kms = emulatedKms(guangzhou, IMPATIENT)
    const events: string[] = []
    const running = migration.another({ kms, keys: { ttl: 1 }, onEvent: ({ type }) => events.push(type) })
    for (const tenant of ['acme', 'globex']) await addCustomer(running, tenant)
    goDown(guangzhou)
    expect(await findAda(running, 'acme')).toBe(ADA)
    await addCustomer(running, 'globex', 2)
    expect(events).toContain('key.stale')
    expect(await refusalCode(() => addCustomer(running, 'new'))).toBe('KMS_UNAVAILABLE')
    expect(await refusalCode(() => findAda(migration.another({ kms }), 'acme'))).toBe('KMS_UNAVAILABLE')
    const [doctor, status] = await play('2. Look', kms)
    expect(doctor).toMatchObject({ code: 3, output: expect.stringContaining('KMS_UNAVAILABLE') })
    expect(status).toMatchObject({ code: 0, output: expect.stringContaining(guangzhou.keyId) })
    const { code, errors } = await runHere(migration, { client: { kms } }, 'rewrap')
    expect({ code, errors }).toEqual({
      code: 1,
      errors: expect.stringMatching(/^fieldseal: KMS_UNAVAILABLE: [^\n]*\n$/),
    })
    guangzhou.faults.clear()
    await eventually(async () => expect(await findAda(running, 'acme')).toBe(ADA))
  })

  it('goes on in another region of AWS, whose replica of the key opens all rows', async () => {
    const ireland = await startAwsKmsEmulator({ region: 'eu-west-1', keys: [{ multiRegion: true }] })
    const { account, keyId, keys } = ireland
    account.replicate(keys.find(keyId), 'eu-central-1')
    const frankfurt = await startAwsKmsEmulator({ region: 'eu-central-1', account })
    onTestFinished(() => Promise.all([ireland.close(), frankfurt.close()]))
    const inRegion = (region: typeof ireland) =>
      awsKms({ client: new KMS(region.clientConfig()), keyId, maxRetries: 0 })
    await addCustomer(migration.another({ kms: inRegion(ireland) }), 'acme')
    ireland.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
    const kms = inRegion(frankfurt)
    expect(await play('3. Switch', kms)).toMatchObject([ALL_IS_WELL])
    const there = migration.another({ kms })
    expect(await findAda(there, 'acme')).toBe(ADA)
    await addCustomer(there, 'new')
    expect(await findAda(migration.another({ kms }), 'new')).toBe(ADA)
  })

  it('is prepared for the next time: then new processes read and write without one region, and nothing is lacking afterwards', async () => {
    const clientOf = (region: KmsEmulator) => new tencent.v20190118.Client(region.clientConfig())
    const { before, moving, after } = await codeOfPage({
      ...{ guangzhou: clientOf(guangzhou), guangzhouKeyId: guangzhou.keyId },
      ...{ shanghai: clientOf(shanghai), shanghaiKeyId: shanghai.keyId },
    })
    const process = (kms: Kms) => forgetfulProcess(migration, kms)
    await addCustomer(process(emulatedKms(guangzhou)), 'acme')
    const [first, second] = [process(before!), process(moving!)]
    await addCustomer(first, 'globex')
    await addCustomer(second, 'initech')
    for (const client of [first, second])
      for (const tenant of ['acme', 'globex', 'initech']) expect(await findAda(client, tenant)).toBe(ADA)
    const [rewrapped, moved] = await play('Prepare for the next time', moving!)
    expect(rewrapped).toMatchObject(ALL_IS_WELL)
    const both = `redundant guangzhou=${guangzhou.keyId} shanghai=${shanghai.keyId}`
    expect(keksIn(moved!.output)).toEqual([both])

    goDown(guangzhou)
    const last = process(after!)
    for (const tenant of ['acme', 'globex', 'initech']) expect(await findAda(last, tenant)).toBe(ADA)
    await addCustomer(last, 'new')
    expect(await findAda(process(after!), 'new')).toBe(ADA)
    guangzhou.faults.clear()
    let status: Ended | undefined
    await eventually(async () => {
      const ended = await play('4. When it is back', after!)
      expect(ended).toMatchObject([ALL_IS_WELL, ALL_IS_WELL])
      status = ended.at(-1)
    })
    expect(keksIn(status!.output)).toEqual([both])
    goDown(shanghai)
    expect(await findAda(process(after!), 'new')).toBe(ADA)
  }, 120_000)
})
