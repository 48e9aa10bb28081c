import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { KeyClient } from '@azure/keyvault-keys'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import { azureKms } from 'fieldseal/azure-kms'
import { googleKms } from 'fieldseal/google-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import {
  startAwsKmsEmulator,
  startAzureKmsEmulator,
  startGoogleKmsEmulator,
  startKmsEmulator,
  startVaultEmulator,
} from 'fieldseal/testing'
import { vaultKms } from 'fieldseal/vault'
import { kms as tencent } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { Kms } from '../../../src/keys/kms.js'
import { runHere } from '../../cli/runHere.js'
import { clientOf } from '../../kms/azure/start.js'
import { empty, type Migration, openMigration } from '../../maintenance/migration.js'
import { eventually } from '../../support/eventually.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusalCode } from '../../support/refusal.js'
import { ADA, ALL_IS_WELL, addCustomer, findAda, forgetfulProcess, playCommands } from './customers.js'
import { RUNBOOKS } from './runbook.js'
import { awsCli, az, gcloud, tccli, vaultCli, vendorCommandsOf, type Words } from './vendorCommands.js'

const PAGE = 'kek-scheduled-for-deletion.md'
const page = readFileSync(join(RUNBOOKS, PAGE), 'utf8')

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
})
beforeEach(() => empty(migration))
afterAll(() => migration?.close())

/** A vendor's KMS, whose only KEK somebody schedules for deletion. */
interface Vendor {
  readonly kms: Kms
  schedule(): unknown
  readonly program: string
  readonly variables?: { readonly [name: string]: string }
  run(words: Words): Promise<unknown>
}

const VENDORS: { readonly [name: string]: () => Promise<Vendor> } = {
  'Tencent Cloud': async () => {
    const emulator = await startKmsEmulator()
    onTestFinished(() => emulator.close())
    const { keyId, keys } = emulator
    const client = new tencent.v20190118.Client(emulator.clientConfig())
    const schedule = () => {
      keys.change(keyId, 'disable')
      keys.change(keyId, 'scheduleDeletion')
    }
    const variables = { KEY_ID: keyId }
    return { kms: tencentKms({ client, keyId }), schedule, program: 'tccli', variables, run: tccli(client) }
  },
  AWS: async () => {
    const emulator = await startAwsKmsEmulator()
    onTestFinished(() => emulator.close())
    const client = new KMS(emulator.clientConfig())
    return {
      kms: awsKms({ client, keyId: emulator.keyArn }),
      schedule: () => emulator.keys.scheduleDeletion(emulator.keyId),
      ...{ program: 'aws', variables: { KEY_ID: emulator.keyArn }, run: awsCli(client) },
    }
  },
  'Google Cloud': async () => {
    const emulator = await startGoogleKmsEmulator()
    const client = new KeyManagementServiceClient(emulator.clientOptions())
    onTestFinished(async () => {
      await client.close()
      await emulator.close()
    })
    const [, project, , LOCATION, , KEYRING, , KEY] = emulator.keyId.split('/') as string[]
    return {
      kms: googleKms({ client, keyId: emulator.keyId }),
      schedule: () => emulator.keyRings.destroy(emulator.keyId),
      program: 'gcloud',
      variables: { LOCATION: LOCATION!, KEYRING: KEYRING!, KEY: KEY!, VERSION: '1' },
      run: gcloud(client, project!),
    }
  },
  'Azure Managed HSM': async () => {
    const emulator = await startAzureKmsEmulator()
    onTestFinished(() => emulator.close())
    const client = new KeyClient(emulator.url, emulator.credential, emulator.clientOptions())
    return {
      kms: azureKms({ client: clientOf(emulator), keyId: emulator.keyId }),
      schedule: () => emulator.keys.delete('fieldseal'),
      ...{ program: 'az', variables: { HSM: 'contoso', KEY: 'fieldseal' }, run: az(client) },
    }
  },
  OpenBao: async () => {
    const emulator = await startVaultEmulator({ product: 'openbao' })
    onTestFinished(() => emulator.close())
    const { url: address, rootToken, token } = emulator
    return {
      kms: vaultKms({ address, token: () => token, keyId: 'fieldseal' }),
      schedule: () => emulator.keys.softDelete(emulator.keyId, true),
      ...{ program: 'bao', run: vaultCli(address, rootToken) },
    }
  },
}

/** What the page says that the error holds. */
function toldOf(vendor: string): string {
  const told = new RegExp(`^\\| ${vendor} \\| \`(.+?)\``, 'm').exec(page)?.[1]
  if (told === undefined) throw new Error(`${PAGE} has no line for ${vendor}`)
  return told
}

const process = (kms: Kms) => forgetfulProcess(migration, kms)
const failureOf = (work: () => Promise<unknown>) =>
  work().then(
    () => 'nothing failed',
    (error) => `${error.code}: ${error.message}`,
  )

const play = (heading: string, kms: Kms) => playCommands(migration, { page: PAGE, heading, kms })

describe(`docs/runbooks/${PAGE}`, () => {
  it.each(Object.entries(VENDORS))('has %s cancel the deletion, and every row is read again', async (name, start) => {
    const { kms, schedule, program, variables, run } = await start()
    const running = process(kms)
    await addCustomer(running, 'acme')
    await schedule()
    expect(await failureOf(() => findAda(running, 'acme'))).toMatch(`KMS_KEY_UNUSABLE`)
    expect(await failureOf(() => findAda(running, 'acme'))).toContain(toldOf(name))
    expect(await refusalCode(() => addCustomer(running, 'acme', 2))).toBe('KMS_KEY_UNUSABLE')
    const commands = vendorCommandsOf(PAGE, program, variables)
    expect(commands).not.toEqual([])
    for (const words of commands) await run(words)
    await eventually(async () => expect(await findAda(running, 'acme')).toBe(ADA))
    await addCustomer(running, 'acme', 2)
    expect(await play('2. Check', kms)).toMatchObject([ALL_IS_WELL, ALL_IS_WELL])
  })
})

describe(`docs/runbooks/${PAGE}, if the KEK has to go`, () => {
  it('has nothing under it any more after the steps, and all rows readable without it', async () => {
    const emulator = await startKmsEmulator({ keys: [{ alias: 'old' }, { alias: 'new' }] })
    onTestFinished(() => emulator.close())
    const [old, other] = emulator.keys.list.map(({ keyId }) => keyId) as [string, string]
    const client = new tencent.v20190118.Client(emulator.clientConfig())
    await addCustomer(process(tencentKms({ client, keyId: old })), 'acme')
    const kms = tencentKms({ client, keyId: other, formerKeyIds: [old] })
    const ended = await play('If the KEK has to go', kms)
    expect(ended).toMatchObject([ALL_IS_WELL, ALL_IS_WELL])
    const status = ended.at(-1)!.output
    expect(status).toContain(other)
    expect(status).not.toContain(old)
    emulator.keys.change(old, 'disable')
    emulator.keys.change(old, 'scheduleDeletion')
    expect(await findAda(process(tencentKms({ client, keyId: other })), 'acme')).toBe(ADA)
  })
})

describe(`docs/runbooks/${PAGE}, if the KEK is gone`, () => {
  const region = async () => {
    const emulator = await startKmsEmulator()
    onTestFinished(() => emulator.close())
    const client = new tencent.v20190118.Client(emulator.clientConfig())
    const kms = tencentKms({ client, keyId: emulator.keyId })
    const lose = () => {
      emulator.keys.change(emulator.keyId, 'disable')
      emulator.keys.change(emulator.keyId, 'scheduleDeletion')
    }
    return { emulator, kms, lose }
  }

  it('loses nothing where another member has the keys', async () => {
    const [one, two, three] = await Promise.all([region(), region(), region()])
    await addCustomer(process(redundantKms({ members: { one: one.kms, two: two.kms } })), 'acme')
    one.lose()
    const kms = redundantKms({ members: { two: two.kms, three: three.kms } })
    expect(page).toContain('run `npx fieldseal rewrap`')
    expect(await runHere(migration, { client: { kms } }, 'rewrap')).toMatchObject(ALL_IS_WELL)
    two.lose()
    expect(await findAda(process(kms), 'acme')).toBe(ADA)
  })

  it('has Vault open all again from its snapshot, and nothing by a new key of the same name', async () => {
    const [stateFile, snapshot] = ['vault.json', 'snapshot.json'].map((name) => join(migration.folder, name)) as [
      string,
      string,
    ]
    const emulator = await startVaultEmulator({ stateFile })
    const { port } = emulator
    const kmsOf = ({ url: address, token }: { readonly url: string; readonly token: string }) =>
      vaultKms({ address, token: () => token, keyId: 'fieldseal' })
    const running = process(kmsOf(emulator))
    await addCustomer(running, 'acme')
    copyFileSync(stateFile, snapshot)
    emulator.keys.configure(emulator.keyId, { deletion_allowed: true })
    emulator.keys.delete(emulator.keyId)
    const refused = await failureOf(() => findAda(running, 'acme'))
    expect(refused).toContain(toldOf('Vault'))
    expect(refused).toContain('bring the key back')
    expect(await failureOf(() => findAda(process(kmsOf(emulator)), 'acme'))).toContain('HTTP status 404')
    emulator.keys.create(emulator.keyId, { derived: true })
    expect(await refusalCode(() => findAda(process(kmsOf(emulator)), 'acme'))).toBe('KEY_INVALID')
    await emulator.close()
    const [restore] = vendorCommandsOf(PAGE, 'vault', { SNAPSHOT: snapshot })
    expect(restore!.slice(0, -1)).toEqual(['vault', 'operator', 'raft', 'snapshot', 'restore', '-force'])
    copyFileSync(restore!.at(-1)!, stateFile)
    const restored = await startVaultEmulator({ stateFile, port })
    onTestFinished(() => restored.close())
    expect(await findAda(process(kmsOf(restored)), 'acme')).toBe(ADA)
  })

  it('lets running processes read on once the KMS does not answer, and no command save the keys', async () => {
    const { emulator, kms, lose } = await region()
    const events: string[] = []
    const running = migration.another({
      kms,
      keys: { ttl: 1, staleFor: 3_600_000 },
      onEvent: ({ type }) => events.push(type),
    })
    await addCustomer(running, 'acme')
    expect(await findAda(running, 'acme')).toBe(ADA)
    lose()
    expect(await refusalCode(() => findAda(running, 'acme'))).toBe('KMS_KEY_UNUSABLE')
    const { failed } = await running.$encryption.rewrap()
    expect(failed.map(({ error }) => error.code)).toContain('KMS_KEY_UNUSABLE')
    emulator.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
    expect(await findAda(running, 'acme')).toBe(ADA)
    expect(events).toContain('key.stale')
    expect(await refusalCode(() => findAda(process(kms), 'acme'))).toBe('KMS_UNAVAILABLE')
  })
})
