import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { looksPersonal } from '../../src/cli/doctor/names.js'
import { addPlaintext, type Migration, openMigration } from '../maintenance/migration.js'
import { configure, runCommand } from './runCommand.js'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
  await addPlaintext(migration.plain)
  configure(migration)
})
afterAll(() => migration?.close())

interface Finding {
  readonly severity: string
  readonly check: string
  readonly what: string
  readonly next: string
}

async function doctor(...args: string[]) {
  const { code, output, errors } = await runCommand(migration, 'doctor', '--json', ...args)
  const findings = output
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line): Finding => JSON.parse(line))
  const of = (check: string) => findings.filter((finding) => finding.check === check)
  return { code, errors, of }
}

describe('fieldseal doctor', () => {
  it('finds plaintext, indexes without entries, and that no key is there to try', async () => {
    const { code, errors, of } = await doctor()
    expect({ code, errors }).toEqual({ code: 3, errors: '' })
    expect(of('stored values')).toContainEqual(
      expect.objectContaining({
        severity: 'problem',
        what: 'Customer.name holds plaintext in 60 rows',
        next: 'fieldseal encrypt --field Customer.name',
      }),
    )
    expect(of('blind indexes')).toContainEqual(
      expect.objectContaining({ what: 'Customer.emailIndex is missing in 48 rows and beside no value in 0' }),
    )
    expect(of('KMS')).toMatchObject([{ severity: 'hint', what: expect.stringContaining('no key yet') }])
  })

  it('is content once everything is encrypted, but for risks and hints', async () => {
    await migration.run('encrypt')
    const { code, of } = await doctor()
    expect(code).toBe(0)
    expect(of('KMS')).toEqual([])
    // emailIndex is in a unique index; nameIndex in none.
    expect(of('blind indexes')).toMatchObject([
      { severity: 'risk', what: expect.stringContaining('Customer.nameIndex has no index') },
    ])
    expect(of('constraints').map(({ what }) => what)).toContainEqual(expect.stringContaining('into Customer.notes'))
    expect((await doctor('--strict')).code).toBe(3)
  })

  it('gives SQL for a constraint that the database takes, and is content with it', async () => {
    const before = (await doctor()).of('constraints')
    for (const { next } of before) await migration.sql(next)
    expect((await doctor()).of('constraints')).toEqual([])
    await expect(migration.sql(`UPDATE customers SET name = 'plain'`)).rejects.toThrow('check constraint')
  })

  it('finds values of an encrypted field in the clear elsewhere, without printing them', async () => {
    expect((await doctor()).of('copies')).toEqual([])
    await migration.sql(`UPDATE customers SET search = 'clinic; name ' || number || ' 🙂; ward 3' WHERE number = 7`)
    const { code, of } = await doctor()
    expect(code).toBe(3)
    expect(of('copies')).toMatchObject([
      { severity: 'problem', what: 'Customer.search holds values of Customer.name in the clear' },
    ])
    expect(JSON.stringify(of('copies'))).not.toContain('name 7')
    await migration.sql('UPDATE customers SET search = NULL')
  })

  it('finds keys that are old or nearly used up', async () => {
    await migration.sql(`UPDATE "EncryptionKey" SET messages = 4000000000, "createdAt" = now() - interval '2 years'
      WHERE tenant = 'acme' AND purpose = 'encrypt'`)
    expect((await doctor()).of('keys').map(({ what }) => what)).toEqual([
      '1 active key of more than a year',
      'the key of "acme" is near its limit: 4,000,000,000 of 4,294,967,296 encryptions',
    ])
  })

  it('says what keeps the KMS from being used', async () => {
    migration.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 100 })
    const { code, of } = await doctor()
    migration.emulator.faults.clear()
    expect(code).toBe(3)
    expect(of('KMS')).toMatchObject([{ severity: 'problem', what: expect.stringContaining('KMS_DENIED') }])
  })
})

describe('the name of a field', () => {
  it.each(['email', 'homePhone', 'date_of_birth', 'firstName', 'apiKey', 'billing_address', 'ip'])(
    'is suspicious: %s',
    (name) => expect(looksPersonal(name)).toBe(true),
  )
  it.each(['emailVerifiedAt', 'addressId', 'passwordHash', 'description', 'shipped', 'tokenCount', 'title'])(
    'is not suspicious: %s',
    (name) => expect(looksPersonal(name)).toBe(false),
  )
})
