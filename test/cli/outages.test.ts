import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { Fault } from 'fieldseal/testing'
import { empty, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { startRelay } from '../support/relay.js'
import { until } from '../support/until.js'
import { CONFIG, configure, runCommand, startCommandWith } from './runCommand.js'

const MINUTES = 60_000
const ROWS = 1_200
/** A KMS that does not answer is given up after two seconds, not after ten. */
const IMPATIENT = CONFIG.replace('keyId: keyId! }', 'keyId: keyId!, timeout: 2_000, attemptTimeout: 1_000 }')

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  configure(migration, IMPATIENT)
}, MINUTES)
beforeEach(async () => {
  await empty(migration)
  await migration.plain.customer!.createMany({ data: Array.from({ length: ROWS }, (_, i) => plainCustomer(i)) })
})
afterEach(() => migration.emulator.faults.clear())
afterAll(() => migration?.close())

const ENCRYPT = ['encrypt', '--model', 'Customer', '--workers', '1']
const run = (...args: string[]) => runCommand(migration, ...ENCRYPT, ...args)
const encrypted = async () =>
  Number((await migration.sql(`SELECT count(*) FROM customers WHERE name LIKE 'fs1.%'`))[0]!.count)

async function expectToGoOn(): Promise<void> {
  expect(await encrypted()).toBeLessThan(ROWS)
  expect(await run()).toMatchObject({ code: 0, errors: '' })
  expect(await migration.runOne('verify')).toMatchObject({ scanned: ROWS, skipped: 0, missed: 0 })
}

/** The rows that a command comes to last are of a tenant whose key for values nobody has made yet. */
async function beginWithKeysOfOthers(): Promise<void> {
  await migration.sql(
    `UPDATE customers SET tenant_id = 'late' WHERE id IN (SELECT id FROM customers ORDER BY id DESC LIMIT 100)`,
  )
  // It has no keys of an earlier test in memory.
  const client = migration.another()
  for (const tenant of ['acme', 'globex', 'late']) {
    const { $encryption } = client.$forTenant(tenant)
    await $encryption.blindIndex('Customer.emailIndex', 'first@example.com')
    if (tenant !== 'late') await $encryption.encrypt('Customer.email', 'first@example.com')
  }
  await client.$disconnect()
}

const FAULTS: readonly (readonly [what: string, fault: Fault, reason: RegExp])[] = [
  ['goes away', { kind: 'hangUp', when: 'before' }, /socket hang up/],
  ['becomes too slow', { kind: 'hold' }, /no answer in time/],
]

describe('a KMS', () => {
  it.each(FAULTS)(
    'that %s during a command with --workers is told of in one message, and the same command goes on',
    async (_, fault, reason) => {
      await beginWithKeysOfOthers()
      const { faults } = migration.emulator
      // The command itself makes a key to begin.
      faults.add({ kind: 'delay', ms: 0, action: 'GenerateDataKey' })
      faults.add({ ...fault, action: 'GenerateDataKey', times: 'always' })
      const { code, errors } = await run('--attempts', '2')
      const message = /^fieldseal: KMS_UNAVAILABLE: a range of Customer could not be done, [^\n]*status page\.\n$/
      expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(message) })
      expect(errors).toMatch(reason)
      expect(await encrypted()).toBeGreaterThan(0)
      faults.clear()
      faults.add({ kind: 'delay', ms: 200, times: 'always' })
      await expectToGoOn()
    },
    4 * MINUTES,
  )
})

describe('a database', () => {
  it(
    'that goes away during a command with --workers is told of in one message, and the same command goes on',
    async () => {
      const relay = await startRelay(migration.database.url)
      onTestFinished(() => relay.cut())
      const command = startCommandWith(migration, { DATABASE_URL: relay.url }, ...ENCRYPT, '--rate', '150')
      await until('some rows are done', async () => (await encrypted()) > 0)
      await relay.cut()
      const { code, errors } = await command.ended
      const message =
        /^fieldseal: DATABASE_UNAVAILABLE: [^\n]*Run the command again once it can: it goes on where it stopped\n$/
      expect({ code, errors }).toEqual({ code: 1, errors: expect.stringMatching(message) })
      await expectToGoOn()
    },
    4 * MINUTES,
  )
})
