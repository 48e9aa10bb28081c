import { join } from 'node:path'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import { startAwsKmsEmulator, startVaultEmulator } from 'fieldseal/testing'
import { vaultKms } from 'fieldseal/vault'
import pg from 'pg'
import type { Kms } from '../../../src/keys/kms.js'
import { runHere } from '../../cli/runHere.js'
import { empty, type Migration, openMigration } from '../../maintenance/migration.js'
import { emulatedKms } from '../../support/clinic.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { refusalCode } from '../../support/refusal.js'
import { ADA, ALL_IS_WELL, addCustomer, findAda, forgetfulProcess, playCommands } from './customers.js'
import { blocksOf, statementsOf } from './runbook.js'
import { parsed, vendorCommandsOf, type Words } from './vendorCommands.js'

const PAGE = 'credential-leaked.md'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
})
beforeEach(() => empty(migration))
afterAll(() => migration?.close())

const process = (kms: Kms) => forgetfulProcess(migration, kms)

/** A vendor's KMS with one credential, which leaks. */
interface Leaking {
  readonly program: string
  readonly variables: { readonly [name: string]: string }
  /** With the credential that leaked. */
  readonly old: Kms
  /** With the one that a command has made. */
  renewed(): Kms
  run(words: Words): void
}

const VENDORS: { readonly [name: string]: () => Promise<Leaking> } = {
  AWS: async () => {
    const emulator = await startAwsKmsEmulator()
    onTestFinished(() => emulator.close())
    const { credential, credentials, keyArn: keyId } = emulator
    const kmsOf = (secret: { readonly accessKeyId: string; readonly secretAccessKey: string }) =>
      awsKms({ client: new KMS({ ...emulator.clientConfig(), credentials: secret }), keyId })
    const made = { accessKeyId: 'AKIA-MADE-ANEW', secretAccessKey: 'a secret that was made anew' }
    return {
      ...{ program: 'aws', variables: { APP: 'app', OLD: credential.accessKeyId } },
      ...{ old: kmsOf(credential), renewed: () => kmsOf(made) },
      // The emulator has the credentials of IAM, and none of its API.
      run: (words) => {
        const { named, rest } = parsed(words)
        if (rest[2] === 'create-access-key') return credentials.replace([...credentials.list, made])
        expect(rest.slice(1)).toEqual(['iam', 'update-access-key'])
        expect(named.status).toBe('Inactive')
        credentials.replace(credentials.list.filter((each) => each.accessKeyId !== named['access-key-id']))
      },
    }
  },
  Vault: async () => {
    const emulator = await startVaultEmulator()
    onTestFinished(() => emulator.close())
    const { url: address, token, tokens } = emulator
    const { accessor } = tokens.valid(token)!
    const kmsOf = (id: string) => vaultKms({ address, token: () => id, keyId: 'fieldseal' })
    let made = ''
    return {
      ...{ program: 'vault', variables: { APP: 'app', OLD: 'accessor-of-the-secret-id', OLD_TOKEN: accessor } },
      ...{ old: kmsOf(token), renewed: () => kmsOf(made) },
      // The emulator's roles have one secret id each, which lasts: what logs in by a new one gets another token.
      run: (words) => {
        if (words.at(-1) === 'auth/approle/role/app/secret-id') made = tokens.create({ policies: ['fieldseal'] }).id
        if (words[1] === 'token') {
          const revoked = tokens.list.filter((each) => each.accessor === words.at(-1))
          expect(revoked).toHaveLength(1)
          for (const { id } of revoked) tokens.revoke(id)
        }
      },
    }
  },
}

describe(`docs/runbooks/${PAGE}, the credential for the KMS`, () => {
  it.each(Object.entries(VENDORS))('serves on throughout at %s, and is of no use to the thief', async (_, start) => {
    const { program, variables, old, renewed, run } = await start()
    const before = process(old)
    await addCustomer(before, 'acme')
    const [make, ...disable] = vendorCommandsOf(PAGE, program, variables)
    run(make!)
    const heading = '1. The credential for the KMS'
    expect(await playCommands(migration, { page: PAGE, heading, kms: renewed() })).toMatchObject([ALL_IS_WELL])
    const after = process(renewed())
    expect([await findAda(before, 'acme'), await findAda(after, 'acme')]).toEqual([ADA, ADA])
    expect(disable).not.toEqual([])
    for (const words of disable) run(words)
    expect(await refusalCode(() => findAda(before, 'acme'))).toBe('KMS_DENIED')
    expect(await refusalCode(() => addCustomer(process(old), 'acme', 2))).toBe('KMS_DENIED')
    expect(await findAda(after, 'acme')).toBe(ADA)
  })
})

describe(`docs/runbooks/${PAGE}, the credential for the database`, () => {
  const HEADING = '2. The credential for the database'
  const keysFile = () => join(migration.folder, 'keys.jsonl')
  const check = () =>
    playCommands(migration, { page: PAGE, heading: HEADING }, (arg) => (arg === 'keys.jsonl' ? keysFile() : arg))

  it('ends the thief’s session, and takes another password from then on', async () => {
    const role = `app_${Date.now()}`
    await migration.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'old'`)
    onTestFinished(() => migration.sql(`DROP ROLE ${role}`))
    const connect = async (password: string) => {
      const url = new URL(migration.url)
      ;[url.username, url.password] = [role, password]
      const client = new pg.Client({ connectionString: url.href }).on('error', () => {})
      onTestFinished(() => client.end().catch(() => {}))
      await client.connect()
      return client
    }
    const thief = await connect('old')
    const statements = blocksOf(PAGE)
      .filter(({ language }) => language === 'sql')
      .flatMap(statementsOf)
    expect(statements).toHaveLength(2)
    for (const statement of statements) await migration.sql(statement.replace(/\bapp\b/, role))
    await expect(thief.query('SELECT 1')).rejects.toThrow()
    await expect(connect('old')).rejects.toMatchObject({ code: '28P01' })
    expect((await (await connect('the new one')).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  it('shows nothing where nothing was changed, and what the thief has changed', async () => {
    const app = process(emulatedKms(migration.emulator))
    for (const number of [1, 2]) await addCustomer(app, 'acme', number)
    expect(await runHere(migration, {}, 'keys', 'export', keysFile())).toMatchObject({ code: 0 })
    expect(await check()).toMatchObject([ALL_IS_WELL, ALL_IS_WELL, ALL_IS_WELL])

    await addCustomer(app, 'globex', 3)
    expect(await runHere(migration, {}, 'keys', 'export', keysFile())).toMatchObject({ code: 0 })
    await migration.sql(`UPDATE customers SET name = overlay(name placing 'AAAA' from 50 for 4) WHERE number = 1`)
    await migration.sql(`UPDATE customers SET phone = '+86 20' WHERE number = 2`)
    await migration.sql(`DELETE FROM "EncryptionKey" WHERE tenant = 'globex'`)
    const [verified, doctor, restore] = await check()
    expect(verified).toMatchObject({ code: 3, output: expect.stringContaining('DECRYPTION_FAILED') })
    expect(doctor).toMatchObject({
      code: 3,
      output: expect.stringMatching(/plaintext.*Customer\.phone|Customer\.phone.*plaintext/),
    })
    expect(restore).toMatchObject({ code: 0, output: expect.stringContaining('2 keys would be restored') })
  })
})
