import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import type { Kms } from '../../../src/keys/kms.js'
import { runHere } from '../../cli/runHere.js'
import { addPlaintext, type Migration, openMigration, plainCustomer } from '../../maintenance/migration.js'
import type { FixtureClient } from '../../prisma/fixtureClient.js'
import { emulatedKms } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'
import { type Block, blocksOf, commandsOf, RUNBOOKS, statementsOf } from './runbook.js'

const PAGE = 'memory-stolen.md'
const COUNT = 12

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
})
afterAll(() => migration?.close())

const names = async (client: FixtureClient) => {
  const rows = await client
    .$forTenant('acme')
    .customer!.findMany({ where: { tenantId: 'acme' }, orderBy: { number: 'asc' } })
  return rows.map(({ name }) => name)
}
const keys = async () =>
  (await migration.sql('SELECT tenant, purpose, version, state FROM "EncryptionKey" ORDER BY 1, 2, 3')).map(
    ({ tenant, purpose, version, state }) => `${tenant} ${purpose} ${version} ${state}`,
  )

/** A KMS that denies everything from the moment its credential is taken away. */
function withCredential(kms: Kms) {
  let valid = true
  const asked = <T>(ask: () => Promise<T>) =>
    valid ? ask() : Promise.reject(new FieldsealError('KMS_DENIED', 'the credential is disabled'))
  const limited: Kms = {
    name: kms.name,
    generate: (identity) => asked(() => kms.generate(identity)),
    unwrap: (wrapped, identity) => asked(() => kms.unwrap(wrapped, identity)),
  }
  return {
    kms: limited,
    disable: () => {
      valid = false
    },
  }
}

/** Runs a block of the page, and answers what its last command printed. */
async function play(block: Block): Promise<string> {
  if (block.language === 'sql') {
    for (const statement of statementsOf(block))
      await migration.sql(statement.replace('encryption_keys', '"EncryptionKey"'))
    return ''
  }
  let printed = ''
  for (const args of commandsOf(block)) {
    const own = args.map((arg) => (arg.endsWith('.jsonl') ? join(migration.folder, arg) : arg))
    // This schema has a unique blind index.
    if (args.includes('index')) own.push('--pause-unique-writes', '--settle', '10ms')
    const { code, output, errors } = await runHere(migration, { client: { keys: { ttl: 1, staleFor: 0 } } }, ...own)
    expect({ args, code, errors }).toEqual({ args, code: 0, errors: '' })
    printed = output
  }
  return printed
}

describe(`docs/runbooks/${PAGE}`, () => {
  it('leaves the thief nothing that is written from then on, and no key by which to make ciphertexts', async () => {
    await addPlaintext(migration.plain, COUNT)
    expect(await runHere(migration, {}, 'encrypt')).toMatchObject({ code: 0 })
    const all = Array.from({ length: COUNT }, (_, number) => plainCustomer(number))
    const ofAcme = all.filter(({ tenantId }) => tenantId === 'acme').map(({ name }) => name)

    const credential = withCredential(emulatedKms(migration.emulator))
    const stolen = migration.another({ kms: credential.kms, keys: { ttl: 3_600_000 } })
    expect(await names(stolen)).toEqual(ofAcme)
    await migration.sql('CREATE TABLE copied AS SELECT * FROM customers')
    credential.disable()
    const app = migration.another({ keys: { ttl: 1, staleFor: 0 } })

    for (const block of blocksOf(PAGE)) {
      const printed = await play(block)
      if (block.text.includes('status')) {
        expect(await refusalCode(() => names(stolen))).toBe('KMS_DENIED')
        expect(printed).toMatch(/v2 active: \d/)
        expect(printed).not.toMatch(/retired/)
      }
    }
    expect(await keys()).toEqual(
      expect.arrayContaining([
        ...['acme encrypt 1 destroyed', 'acme encrypt 2 active', 'acme index 1 destroyed', 'acme index 2 active'],
        ...['globex encrypt 1 destroyed', 'globex encrypt 2 active'],
      ]),
    )
    expect(await names(app)).toEqual(ofAcme)
    await app.$forTenant('acme').customer!.create({ data: { ...plainCustomer(100), tenantId: 'acme' } })
    expect(await app.$forTenant('acme').customer!.count({ where: { name: plainCustomer(100).name } })).toBe(1)
    await app.$forTenant('acme').customer!.deleteMany({ where: { number: 100 } })

    await migration.sql('UPDATE customers c SET name = o.name FROM copied o WHERE o.id = c.id')
    const onlyNames = { where: { tenantId: 'acme' }, select: { name: true }, orderBy: { number: 'asc' } }
    const own = await stolen.$forTenant('acme').customer!.findMany(onlyNames)
    expect(own.map(({ name }) => name)).toEqual(ofAcme)
    expect(await refusalCode(() => app.$forTenant('acme').customer!.findMany(onlyNames))).toBe('KEY_DESTROYED')
  }, 120_000)

  it('has a process that writes no core dump', () => {
    const [, script] = /^```sh\n([\s\S]*?)^```$/m.exec(readFileSync(join(RUNBOOKS, PAGE), 'utf8'))!
    const limits = `JSON.stringify(process.report.getReport().userLimits.core_file_size_blocks)`
    const printed = execFileSync('sh', ['-c', `${script}exec "$0" --print '${limits}'`, process.execPath])
    expect(JSON.parse(String(printed))).toEqual({ soft: expect.anything(), hard: expect.anything() })
    expect(String(printed)).toMatch(/^\{"soft":"?0"?,"hard":"?0"?\}/)
  })
})
