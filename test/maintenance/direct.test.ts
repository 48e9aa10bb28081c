import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { EncryptionSchema, MaintainOptions, Operation, RunReport } from 'fieldseal/prisma'
import type pg from 'pg'
import { CONFIG, configure, runCommand } from '../cli/runCommand.js'
import { type Fixture, openFixture, type Row } from '../prisma/fixtureClient.js'
import { emulatedKms } from '../support/clinic.js'
import { ejecting } from '../support/ejecting.js'
import { openPool } from '../support/pool.js'
import { refusalCode } from '../support/refusal.js'

let fixture: Fixture
let pool: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('direct.prisma')
  pool = openPool(fixture.database.url)
})
beforeEach(async () => {
  fixture.emulator.faults.clear()
  await pool.query('TRUNCATE "Credential", "Setting"')
  await pool.query(`INSERT INTO "Credential"
    (id, "tenantId", label, secret, certificate, settings, expires, stage, pin, scopes, keys, pinned, note) VALUES
    ('1', 'acme', 'full', 'sk_1', '\\x00ff', '{"a": [1, "ä"]}', NULL, 'live', '1234', ARRAY['r', 'w "z"'],
      ARRAY['\\x01', '\\x']::bytea[], 'pinned', 'note'),
    ('2', 'globex', 'some', 'sk_2', NULL, 'null', NULL, NULL, NULL, '{}', '{}', NULL, NULL),
    ('3', 'acme', 'none', NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', NULL, NULL)`)
  fixture.emulator.calls.reset()
})
afterAll(async () => {
  await pool?.end()
  await fixture?.close()
})

const run = async (operation: Operation, options: Partial<MaintainOptions> = {}, client = fixture.another()) =>
  (
    await client.$encryption.maintain({ operation, database: pool, restart: true, models: ['Credential'], ...options })
  )[0]!
const stored = async (): Promise<Row[]> => (await pool.query('SELECT * FROM "Credential" ORDER BY id')).rows
const read = () =>
  fixture
    .another()
    .$acrossTenants()
    .credential!.findMany({ orderBy: { id: 'asc' } })
const calls = () => fixture.emulator.calls.byAction
const summary = ({ outcome, changed, skipped }: RunReport) => ({ outcome, changed, skipped })
const survey = async (name: string) => {
  const { fields } = await fixture.another().$encryption.survey({ database: pool })
  return fields.find(({ model, field }) => `${model}.${field}` === name)!
}

/** A client by whose schema the field is encrypted under a DEK. */
function withDek(field: string) {
  const { Credential, ...models } = fixture.schema.models
  const { mode: _, ...spec } = Credential!.encrypted[field]!
  const model = { ...Credential!, encrypted: { ...Credential!.encrypted, [field]: spec } }
  const schema: EncryptionSchema = { ...fixture.schema, models: { ...models, Credential: model } }
  return fixture.another({ schema })
}

const VALUES = {
  secret: 'sk_1',
  certificate: new Uint8Array([0, 255]),
  settings: { a: [1, 'ä'] },
  stage: 'live',
  pin: '1234',
  scopes: ['r', 'w "z"'],
  keys: [new Uint8Array([1]), new Uint8Array()],
  pinned: 'pinned',
  note: 'note',
}

describe('maintenance of fields with mode: kms', () => {
  it('encrypts plaintext by the KMS, fills indexes, and finds nothing left to do', async () => {
    expect(summary(await run('encrypt'))).toEqual({ outcome: 'done', changed: 2, skipped: 0 })
    expect(calls()).toMatchObject({ Encrypt: 10 })
    const [full] = await read()
    expect(full).toMatchObject(VALUES)
    const [row] = await stored()
    expect([row!.secret, row!.settings, row!.pinned].every((cell) => String(cell).startsWith('fs1.AgAA'))).toBe(true)
    expect(
      await fixture
        .another()
        .$forTenant('globex')
        .credential!.count({ where: { secret: 'sk_2' } }),
    ).toBe(1)
    expect(summary(await run('encrypt'))).toEqual({ outcome: 'done', changed: 0, skipped: 0 })
    expect(summary(await run('re-encrypt'))).toEqual({ outcome: 'done', changed: 0, skipped: 0 })
  })

  it('decrypts to the plaintext that was there, and empties the indexes', async () => {
    const before = await stored()
    await run('encrypt')
    expect(summary(await run('decrypt', {}, fixture.another({ schema: ejecting(fixture.schema) })))).toEqual({
      outcome: 'done',
      changed: 2,
      skipped: 0,
    })
    expect(await stored()).toEqual(before)
  })

  it('verifies by the KMS, and reports what was changed or moved, row by row, with the field', async () => {
    await run('encrypt')
    expect(summary(await run('verify'))).toEqual({ outcome: 'done', changed: 0, skipped: 0 })
    await pool.query(`UPDATE "Credential" SET secret = (SELECT secret FROM "Credential" WHERE id = '1') WHERE id = '2'`)
    await pool.query(`UPDATE "Credential" SET pinned = secret WHERE id = '1'`)
    const { problems } = await run('verify')
    expect(problems.map(({ key, code, message }) => [key, code, message.split(' ')[0]])).toEqual([
      [['1'], 'DECRYPTION_FAILED', 'Credential.pinned'],
      [['2'], 'DECRYPTION_FAILED', 'Credential.secret'],
    ])
  })

  it('moves values from DEKs to the KMS and back by re-encrypt, and reads both on the way', async () => {
    await run('encrypt', {}, withDek('secret'))
    expect(await survey('Credential.secret')).toMatchObject({ ciphertext: 2, direct: 0, unknownKey: 0 })
    expect((await read())[0]).toMatchObject(VALUES)
    const indexes = (await stored()).map(({ secretIndex }) => secretIndex)

    expect(summary(await run('re-encrypt'))).toEqual({ outcome: 'done', changed: 2, skipped: 0 })
    expect(await survey('Credential.secret')).toMatchObject({ ciphertext: 2, direct: 2, unknownKey: 0, versions: [] })
    expect((await read())[0]).toMatchObject(VALUES)
    expect(summary(await run('re-encrypt'))).toEqual({ outcome: 'done', changed: 0, skipped: 0 })

    expect(summary(await run('re-encrypt', {}, withDek('secret')))).toEqual({ outcome: 'done', changed: 2, skipped: 0 })
    expect(await survey('Credential.secret')).toMatchObject({ ciphertext: 2, direct: 0 })
    expect((await read())[0]).toMatchObject(VALUES)
    expect((await stored()).map(({ secretIndex }) => secretIndex)).toEqual(indexes)
  })

  it('reports a value that is too long for the KMS, leaves it, and encrypts the others', async () => {
    await pool.query(`UPDATE "Credential" SET secret = repeat('a', 4064) WHERE id = '1'`)
    const report = await run('encrypt')
    expect(summary(report)).toEqual({ outcome: 'done', changed: 1, skipped: 1 })
    expect(report.problems).toMatchObject([{ key: ['1'], code: 'VALUE_INVALID' }])
    expect(report.problems[0]!.message).toContain('takes 4065 bytes')
  })

  it('ends with the error of a KMS that is down, has changed nothing half, and goes on later', async () => {
    const kms = emulatedKms(fixture.emulator, { maxRetries: 0 })
    await run('encrypt', { fields: ['Credential.note'] })
    fixture.emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'Encrypt', times: 'always' })
    expect(await refusalCode(() => run('encrypt', {}, fixture.another({ kms })))).toBe('KMS_THROTTLED')
    expect((await stored())[0]).toMatchObject({ secret: 'sk_1' })
    fixture.emulator.faults.clear()
    expect(summary(await run('encrypt'))).toEqual({ outcome: 'done', changed: 2, skipped: 0 })
  })

  it('needs to know whose a row is, since the ciphertext does not say', async () => {
    const acme = fixture.another().$forTenant('acme')
    await acme.setting!.create({ data: { id: 1, value: 'v' } })
    await fixture.plain.setting!.create({ data: { id: 2, value: 'plaintext' } })
    expect((await acme.setting!.findMany()).map(({ value }) => value)).toEqual(['v', 'plaintext'])
    const options = { models: ['Setting'] }
    expect(summary(await run('encrypt', options))).toEqual({ outcome: 'done', changed: 1, skipped: 0 })
    expect(summary(await run('verify', options))).toEqual({ outcome: 'done', changed: 0, skipped: 0 })
    const unsettled = await fixture
      .another({ defaultTenant: undefined as never })
      .$encryption.maintain({ operation: 'verify', database: pool, restart: true, ...options })
    expect(unsettled[0]!.problems.map(({ code }) => code)).toEqual(['TENANT_MISSING', 'TENANT_MISSING'])
  })
})

describe('a shred', () => {
  it('reaches no value of the KMS itself, and says so in its receipt', async () => {
    const client = fixture.another().$forTenant('shredded')
    await client.credential!.create({ data: { tenantId: 'shredded', label: 's', secret: 'sk_1', note: 'n' } })
    const receipt = await client.$encryption.shred('shredded')
    expect(receipt.notReached).toEqual(expect.arrayContaining(['Credential.secret', 'Setting.value']))
    expect(receipt.notReached).not.toContain('Credential.note')
    const where = { tenantId: 'shredded' }
    expect(await client.credential!.findMany({ where, select: { secret: true } })).toEqual([{ secret: 'sk_1' }])
    expect(await refusalCode(() => client.credential!.findMany({ where }))).toBe('KEY_DESTROYED')
  })
})

describe('the command fieldseal', () => {
  it('shows in status and doctor what the KMS itself has encrypted, and what it should have', async () => {
    const { rows } = await pool.query(
      `UPDATE "Credential" SET label = 'the key is sk_live_1', secret = 'sk_live_1' WHERE id = '1' RETURNING id`,
    )
    expect(rows).toHaveLength(1)
    configure(fixture, CONFIG.replace(/ {2}tenants: .*\n/, ''))
    await run('encrypt', {}, withDek('secret'))
    const status = await runCommand(fixture, 'status', '--html', 'status.html')
    expect(status.output).toMatch(/Credential\.pin +│ 3 +│ 2 +│ 0 +│ 1 +│ the KMS itself: 1/)
    expect(status.output).toMatch(/Credential\.secret +│ 3 +│ 1 +│ 0 +│ 2 +│ v1 active: 2/)
    expect(status.code).toBe(0)
    const doctor = await runCommand(fixture, 'doctor')
    expect(doctor.output).toContain(
      'Credential.secret holds 2 values encrypted by a DEK and not by the KMS itself, as its mode says',
    )
    expect(doctor.output).toContain('fieldseal re-encrypt --field Credential.secret')
    const guard = /ALTER TABLE "Credential" ADD CONSTRAINT "\w+" CHECK \(.*"scopes"\[1\] LIKE 'fs1\.%'.*NOT VALID/.exec(
      doctor.output,
    )![0]
    await pool.query(guard)
    expect(await runCommand(fixture, 're-encrypt', '--field', 'Credential.secret')).toMatchObject({ code: 0 })
    const after = await runCommand(fixture, 'doctor')
    expect(after.output).not.toContain('as its mode says')
    expect(after.output).toContain('Credential.label holds values of Credential.secret in the clear')
    const page = readFileSync(join(fixture.folder, 'status.html'), 'utf8')
    expect(page).toMatch(/<title>the KMS itself: 1<\/title>/)
  })
})
