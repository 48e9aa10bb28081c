import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Survey } from 'fieldseal/prisma'
import { dump, plainCustomer } from '../maintenance/migration.js'
import { migration, plaintextFirst } from '../maintenance/plaintextFirst.js'
import { ejecting } from '../support/ejecting.js'
import { CONFIG, configure, LEAVING, runCommand, startCommand, startCommandWith } from './runCommand.js'
import { runHere } from './runHere.js'

plaintextFirst()
beforeEach(() => configure(migration))

const run = (...args: string[]) => runCommand(migration, ...args)
/** The same without the second or two that a process takes to begin. */
const here = (...args: string[]) => runHere(migration, {}, ...args)
const events = (output: string) =>
  output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('fieldseal, from plaintext to verified encryption and back', () => {
  it('shows, encrypts, verifies, rotates, re-encrypts and decrypts, each with its exit code', async () => {
    const before = await dump(migration)
    const status = await run('status')
    expect(status).toMatchObject({ code: 3, errors: '' })
    expect(status.output).toMatch(/Customer\.name +│ 60 +│ 0 +│ 60 +│ 0 /)
    const dry = await here('encrypt', '--dry-run')
    expect(dry).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Customer +│ 60 +│ 60 +│ 0[\s\S]*nothing was changed/),
    })
    expect(await dump(migration)).toEqual(before)

    const encrypted = await run('encrypt')
    expect(encrypted).toMatchObject({ code: 0, errors: '', output: expect.stringContaining('Next: fieldseal verify') })
    expect(await run('verify')).toMatchObject({
      code: 0,
      output: expect.stringContaining('Everything is encrypted, readable and indexed.'),
    })
    expect(await run('rotate')).toMatchObject({ code: 0, output: expect.stringContaining('2 keys changed') })
    const rotated = (await here('status')).output
    expect(rotated).toContain('v1 retired: 60')
    expect(rotated).toMatch(/tencent │ 2 +│ 4 +│ 2 +│ [0-9a-f-]{36} │/)
    expect(await run('re-encrypt')).toMatchObject({ code: 0 })
    expect(await here('status')).toMatchObject({ code: 0, output: expect.stringContaining('v2 active: 60') })
    expect(await run('rewrap')).toMatchObject({ code: 0, output: expect.stringContaining('unchanged') })

    expect(await run('decrypt', '--yes', '--field', 'Customer.name')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(
        /OPTIONS_INVALID: decrypt would put plaintext into Customer\.name, .*ejecting there and deploy that first/,
      ),
    })
    expect(await here('status')).toMatchObject({ code: 0, output: expect.stringContaining('v2 active: 60') })
    configure(migration, LEAVING)
    const refused = await run('decrypt')
    expect(refused).toMatchObject({ code: 2, errors: expect.stringContaining('say --yes') })
    expect(await run('decrypt', '--yes')).toMatchObject({ code: 0 })
    expect(await dump(migration)).toEqual(before)
  }, 300_000)

  it('shows with --tenant the rows and keys of that tenant only', async () => {
    await here('encrypt', '--tenant', 'globex')
    const [globex] = events((await here('status', '--tenant', 'globex', '--json')).output)
    const [acme] = events((await here('status', '--tenant', 'acme', '--json')).output)
    const counts = ({ fields }: Survey, name: string) => fields.find(({ model, field }) => `${model}.${field}` === name)
    expect(counts(globex, 'Customer.name')).toMatchObject({ rows: 20, plaintext: 0, ciphertext: 20 })
    expect(counts(acme, 'Customer.name')).toMatchObject({ rows: 40, plaintext: 40, ciphertext: 0 })
    // Whose an invoice is, its customer says; words are all of the default tenant.
    expect(counts(globex, 'Invoice.text')).toMatchObject({ rows: 20, ciphertext: 20, versions: [{ rows: 20 }] })
    expect(counts(acme, 'Invoice.text')).toMatchObject({ rows: 40, plaintext: 40 })
    expect(counts(globex, 'Word.note')).toMatchObject({ rows: 0 })
    expect(counts(acme, 'Word.note')).toMatchObject({ rows: 12 })
    expect(globex.indexes).toMatchObject([{ missing: 0 }, { missing: 0 }])
    expect(acme.indexes).toMatchObject([{ missing: 32 }, { missing: 40 }])
    expect(new Set(globex.keys.map(({ tenant }: { tenant: string }) => tenant))).toEqual(new Set(['globex']))
    expect(await here('status', '--tenant', 'globex')).toMatchObject({ code: 0 })
    expect(await here('status', '--tenant', 'acme')).toMatchObject({ code: 3 })
    expect(await here('status', '--tenant', '')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('TENANT_INVALID'),
    })
  })

  it('takes ciphertexts for whose rows are where nothing else says', async () => {
    await here('encrypt')
    const configured = { client: { defaultTenant: undefined as never }, tenants: {} }
    const { output } = await runHere(migration, configured, 'status', '--tenant', 'globex', '--json')
    const [globex] = events(output)
    expect(globex.fields).toContainEqual(expect.objectContaining({ model: 'Invoice', rows: 20, ciphertext: 20 }))
    expect(globex.fields).toContainEqual(expect.objectContaining({ model: 'Word', rows: 0 }))
  })

  it('counts what each operation on keys and rows would do, and changes nothing', async () => {
    await here('encrypt')
    const before = await dump(migration)
    const keys = await migration.sql('SELECT * FROM "EncryptionKey" ORDER BY id')
    for (const [operation, expected] of [
      ['re-encrypt', { operation: 're-encrypt', wanted: 0 }],
      ['reindex', { operation: 'reindex', wanted: 40 }],
      ['verify', { operation: 'verify', wanted: 40 }],
      ['rotate', { operation: 'rotate', keys: 1 }],
      ['rewrap', { operation: 'rewrap', keys: 2 }],
    ] as const) {
      const model = 'wanted' in expected ? ['--field', 'Customer.name'] : []
      const { code, output } = await here(operation, '--tenant', 'acme', '--dry-run', '--json', ...model)
      expect({ code, dry: events(output).at(-1) }).toMatchObject({ code: 0, dry: { event: 'dry-run', ...expected } })
    }
    const leaving = { client: { schema: ejecting(migration.schema) } }
    const one = ['--field', 'Customer.name', '--tenant', 'acme']
    const { output } = await runHere(migration, leaving, 'decrypt', ...one, '--dry-run', '--json')
    expect(events(output).at(-1)).toMatchObject({ event: 'dry-run', operation: 'decrypt', wanted: 40 })
    expect(await dump(migration)).toEqual(before)
    expect(await migration.sql('SELECT * FROM "EncryptionKey" ORDER BY id')).toEqual(keys)
  })

  it('shows rows with problems, leaves them, and ends with 3', async () => {
    await migration.sql(`UPDATE customers SET notes = '12345678901234567890' WHERE number = 4`)
    const { code, output } = await here('encrypt', '--model', 'Customer')
    expect(code).toBe(3)
    expect(output).toMatch(/VALUE_INVALID {2}Customer [0-9a-f-]{36}: Customer\.notes holds a number/)
    expect(output).toContain('1 row was left as it was')
    expect(output).not.toContain('12345678901234567890')
    expect(await here('encrypt', '--model', 'Customer', '--on-error', 'stop')).toMatchObject({ code: 3 })
    // Its phone is NULL.
    expect(await here('verify', '--field', 'Customer.notes')).toMatchObject({ code: 3 })
    expect(await here('verify', '--field', 'Customer.phone')).toMatchObject({ code: 0 })
  })

  it('prints an object a line with --json', async () => {
    const all = events((await here('encrypt', '--json')).output)
    expect(all.filter(({ event }) => event === 'report')).toMatchObject([
      { model: 'Customer', outcome: 'done', changed: 60 },
      { model: 'Event' },
      { model: 'Invoice' },
      { model: 'Word' },
    ])
    const [status] = events((await here('status', '--json')).output)
    expect(status.fields[0]).toMatchObject({
      model: 'Customer',
      field: 'email',
      rows: 60,
      plaintext: 0,
      ciphertext: 48,
    })
    const { keyId: kekId } = migration.emulator
    expect(status.keks).toEqual([{ kms: 'tencent', kekId, tenants: 2, active: 4, older: 0 }])
    const keys = JSON.parse((await here('keys', 'export-metadata')).output)
    expect(keys).toHaveLength(4)
    expect(JSON.stringify([status, keys])).not.toContain('wrapped')
    const acme = events((await here('keys', 'export-metadata', '--tenant', 'acme', '--json')).output)
    expect(acme).toMatchObject([{ event: 'metadata', tenant: 'acme' }, { purpose: 'index' }])
  })

  it('shreds a tenant only if that is said, and prints the receipt', async () => {
    await here('encrypt')
    expect(await here('shred', '--tenant', 'acme')).toMatchObject({ code: 2 })
    const before = await dump(migration)
    const dry = await here('shred', '--tenant', 'acme', '--dry-run')
    expect(dry).toMatchObject({ code: 0, output: expect.stringContaining('shred would destroy 2 keys; ') })
    expect(dry.output).toContain('Customer.name: 40\n')
    const unknown = await here('shred', '--tenant', 'acne', '--dry-run')
    expect(unknown).toMatchObject({ code: 1, errors: expect.stringContaining('tenant "acne" has no keys') })
    const [other] = events((await here('shred', '--tenant', 'globex', '--dry-run', '--json')).output)
    expect(other).toMatchObject({ event: 'dry-run', operation: 'shred', tenant: 'globex', keys: 2 })
    expect(await dump(migration)).toEqual(before)
    const shredded = await here('shred', '--tenant', 'acme', '--yes')
    expect(shredded).toMatchObject({ code: 0, output: expect.stringContaining('"tenant": "acme"') })
    expect(await here('verify', '--model', 'Customer', '--tenant', 'globex')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Customer +│ 60 +│ 20 +│ 0 +│ 0 /),
    })
    expect(await here('verify', '--tenant', 'initech')).toMatchObject({
      code: 3,
      output: expect.stringContaining('Nothing was verified: the tenant has no keys, and no row of it was found.'),
    })
    for (const command of ['rotate', 'rewrap'])
      expect(await here(command, '--tenant', 'initech')).toMatchObject({
        code: 3,
        output: expect.stringContaining('No key of these tenants was found. Are their ids right?'),
      })
    const lost = await here('verify', '--model', 'Customer')
    expect(lost).toMatchObject({ code: 3, output: expect.stringContaining('KEY_DESTROYED') })
    expect(lost.output).toContain('Further problems are counted only')
  })
})

describe('fieldseal that is stopped', () => {
  const add = (count: number) =>
    migration.plain.customer!.createMany({ data: Array.from({ length: count }, (_, i) => plainCustomer(100 + i)) })

  it('by Ctrl-C ends after its batch with 130, and the same command does the rest', async () => {
    await add(2000)
    const { child, ended } = startCommand(migration, 'encrypt', '--model', 'Customer', '--rate', '1000', '--json')
    child.stdout!.once('data', () => child.kill('SIGINT'))
    expect((await ended).code).toBe(130)
    const rest = await here('encrypt', '--model', 'Customer')
    expect(rest).toMatchObject({ code: 0, output: expect.stringContaining('went on with an earlier run') })
    expect(rest.output).toMatch(/Customer +│ 2,060 +│ 2,060 /)
  })

  /** Its client sends so many signals to the process that disconnects it. */
  const signalled = (signals: number) =>
    CONFIG.replace('export default defineConfig({', 'const config = defineConfig({') +
    `
const { client: make } = config as never as { client: () => object }
const $disconnect = async () => {
  for (let i = 0; i < ${signals}; i++) {
    process.kill(process.pid, 'SIGTERM')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
export default {
  ...config,
  client: () => new Proxy(make(), { get: (it, name) => (name === '$disconnect' ? $disconnect : Reflect.get(it, name)) }),
}
`

  it('while it ends with an error has that said, and ends at once when it is stopped again', async () => {
    configure(migration, signalled(1))
    const { code, errors } = await runCommand(migration, 'advise', 'Customer.nothing')
    expect({ code, errors }).toEqual({ code: 2, errors: expect.stringContaining('there is no field Customer.nothing') })
    configure(migration, signalled(2))
    expect(await runCommand(migration, 'advise', 'Customer.nothing')).toMatchObject({ code: 130, errors: '' })
  })

  it('by a reader of its output that goes away ends quietly, and the same command does the rest', async () => {
    await add(2000)
    const { child, ended } = startCommand(migration, 'encrypt', '--model', 'Customer', '--rate', '1000', '--json')
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect(await ended).toMatchObject({ code: 130, errors: '' })
    expect(await here('encrypt', '--model', 'Customer')).toMatchObject({ code: 0 })
    expect(await here('verify', '--model', 'Customer')).toMatchObject({ code: 0 })
  })

  it('by kill -9 loses nothing', async () => {
    await add(2000)
    const { child, ended } = startCommand(migration, 'encrypt', '--model', 'Customer', '--rate', '1500', '--json')
    child.stdout!.once('data', () => child.kill('SIGKILL'))
    await ended
    expect(await here('encrypt', '--model', 'Customer')).toMatchObject({ code: 0 })
    expect(await here('verify', '--model', 'Customer')).toMatchObject({ code: 0 })
    expect((await migration.sql(`SELECT count(*) FROM customers WHERE name LIKE 'fs1.%'`))[0]).toEqual({
      count: '2060',
    })
  })
})

describe('fieldseal that cannot start', () => {
  it.each([
    ['an unknown command', ['frobnicate'], 2, `unknown command 'frobnicate'`],
    ['an option that means nothing', ['encrypt', '--rate', 'fast'], 2, 'It must be a number above 0'],
    ['a model that is none', ['encrypt', '--model', 'Nobody'], 2, 'there are Customer, Event, Invoice, Word'],
    ['a configuration that is not there', ['status', '--config', 'other.ts'], 2, 'there is no other.ts'],
  ])('says what is wrong: %s', async (_, args, code, message) => {
    expect(await run(...args)).toMatchObject({ code, errors: expect.stringContaining(message) })
  })

  it.each([
    ['export const x = 1', 'must have a default export with a "client"'],
    ['export default { client: {} }', '"client" must be the client that $extends(fieldEncryption(…)) returned'],
    ['import "./nowhere.js"', 'could not be loaded'],
  ])('says what is wrong with the configuration: %s', async (config, message) => {
    configure(migration, config)
    expect(await run('status')).toMatchObject({ code: 2, errors: expect.stringContaining(message) })
  })

  it('says of a DATABASE_URL that is empty that it is set, which a .env does not change', async () => {
    const dotenv = join(migration.folder, '.env')
    writeFileSync(dotenv, 'DATABASE_URL=postgresql://localhost/shops')
    const ended = startCommandWith(migration, { DATABASE_URL: '' }, 'status').ended
    expect(await ended.finally(() => rmSync(dotenv))).toMatchObject({
      code: 2,
      errors: expect.stringContaining('DATABASE_URL is set here, to nothing: unset it, or give it a value'),
    })
  })

  it('teaches with --help, and knows each command', async () => {
    const { code, output } = await run('--help')
    expect(code).toBe(0)
    for (const name of [
      'encrypt',
      're-encrypt',
      'reindex',
      'decrypt',
      'verify',
      'status',
      'rotate',
      'rewrap',
      'shred',
    ]) {
      expect(output).toContain(`\n  ${name} `)
    }
    expect(output).toContain('Exit codes: 0 done')
  })
})
