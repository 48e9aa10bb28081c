import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { addPlaintext, type Migration, openMigration } from '../maintenance/migration.js'
import { UNSEEN } from '../support/unseen.js'
import { configure, runCommand } from './runCommand.js'

/** Clears the screen, in both encodings of an escape; turns the direction; goes on in a line that looks like ours. */
const HOSTILE = 'a\u001b[2J\u009b31m\u202e\u2066\u200b\nfieldseal: all is well'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  configure(migration)
  await addPlaintext(migration.plain, 3)
  await migration.sql('UPDATE customers SET tenant_id = $1 WHERE number = 0', [HOSTILE])
  await migration.run('encrypt')
  await migration.plain.word!.create({ data: { text: HOSTILE, note: 'fs1.torn' } })
  await migration.sql(`UPDATE customers SET tenant_id = 'acme' WHERE number = 0`)
  await migration.sql(
    `UPDATE "EncryptionKey" SET "kekId" = $1, purpose = $1, "createdAt" = now() - interval '2 years' WHERE tenant = $1 AND purpose = 'index'`,
    [HOSTILE],
  )
  await migration.sql(
    `UPDATE "EncryptionKey" SET kms = $1, messages = 4294967295 WHERE tenant = $1 AND purpose = 'encrypt'`,
    [HOSTILE],
  )
})
afterAll(() => migration?.close())

const commands = [
  ['status', '--tenant', HOSTILE, '--html', 'report.html'],
  ['status', '--json'],
  ['doctor'],
  ['verify', '--json', '--restart'],
  ['rotate'],
  ['rewrap'],
  ['keys', 'export-metadata'],
  ['shred', '--tenant', HOSTILE, '--yes'],
]

describe('text that somebody put into the database', () => {
  it('is shown for what it is, in the right place', async () => {
    const { output } = await runCommand(migration, 'verify')
    expect(output).toContain('Word a\\u001b[2J\\u009b31m\\u202e\\u2066\\u200b\\u000afieldseal: all is well: Word.note')
    expect(output).toContain('by the KMS "a\\u001b[2J\\u009b31m\\u202e\\u2066\\u200b\\nfieldseal: all is well"')
  })

  it.each(commands)('steers neither the terminal nor the reader of: fieldseal %s', async (...args) => {
    const { output, errors } = await runCommand(migration, ...args)
    for (const line of `${output}${errors}`.split('\n')) {
      expect(line).not.toMatch(UNSEEN)
      expect(line).not.toMatch(/^fieldseal: all is well/)
    }
    expect(`${output}${errors}`).not.toBe('')
  })

  it('steers nothing on a page', () => {
    const page = readFileSync(join(migration.folder, 'report.html'), 'utf8')
    expect(page).toContain('a\\u001b[2J\\u009b31m')
    for (const line of page.split('\n')) expect(line).not.toMatch(UNSEEN)
  })
})
