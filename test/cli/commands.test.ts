import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { addPlaintext, dump, empty, type Migration, openMigration, plainCustomer } from '../maintenance/migration.js'
import { configure, runCommand, startCommand } from './runCommand.js'

let migration: Migration
beforeAll(async () => {
  migration = await openMigration()
})
beforeEach(async () => {
  await empty(migration)
  await addPlaintext(migration.plain)
  configure(migration)
})
afterAll(() => migration?.close())

const run = (...args: string[]) => runCommand(migration, ...args)
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
    const dry = await run('encrypt', '--dry-run')
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
    expect((await run('status')).output).toContain('v1 retired: 60')
    expect(await run('re-encrypt')).toMatchObject({ code: 0 })
    expect(await run('status')).toMatchObject({ code: 0, output: expect.stringContaining('v2 active: 60') })
    expect(await run('rewrap')).toMatchObject({ code: 0, output: expect.stringContaining('unchanged') })

    const refused = await run('decrypt')
    expect(refused).toMatchObject({ code: 2, errors: expect.stringContaining('say --yes') })
    expect(await run('decrypt', '--yes')).toMatchObject({ code: 0 })
    expect(await dump(migration)).toEqual(before)
  })

  it('shows rows with problems, leaves them, and ends with 3', async () => {
    await migration.sql(`UPDATE customers SET notes = '12345678901234567890' WHERE number = 4`)
    const { code, output } = await run('encrypt', '--model', 'Customer')
    expect(code).toBe(3)
    expect(output).toMatch(/VALUE_INVALID {2}Customer [0-9a-f-]{36}: Customer\.notes holds a number/)
    expect(output).toContain('1 row was left as it was')
    expect(output).not.toContain('12345678901234567890')
    expect(await run('encrypt', '--model', 'Customer', '--on-error', 'stop')).toMatchObject({ code: 3 })
    // Its phone is NULL.
    expect(await run('verify', '--field', 'Customer.notes')).toMatchObject({ code: 3 })
    expect(await run('verify', '--field', 'Customer.phone')).toMatchObject({ code: 0 })
  })

  it('prints an object a line with --json', async () => {
    const all = events((await run('encrypt', '--json')).output)
    expect(all.filter(({ event }) => event === 'report')).toMatchObject([
      { model: 'Customer', outcome: 'done', changed: 60 },
      { model: 'Event' },
      { model: 'Invoice' },
      { model: 'Word' },
    ])
    const [status] = events((await run('status', '--json')).output)
    expect(status.fields[0]).toMatchObject({
      model: 'Customer',
      field: 'email',
      rows: 60,
      plaintext: 0,
      ciphertext: 48,
    })
    const keys = JSON.parse((await run('keys', 'export-metadata')).output)
    expect(keys).toHaveLength(4)
    expect(JSON.stringify([status, keys])).not.toContain('wrapped')
  })

  it('shreds a tenant only if that is said, and prints the receipt', async () => {
    await run('encrypt')
    expect(await run('shred', '--tenant', 'acme')).toMatchObject({ code: 2 })
    const shredded = await run('shred', '--tenant', 'acme', '--yes')
    expect(shredded).toMatchObject({ code: 0, output: expect.stringContaining('"tenant": "acme"') })
    expect(await run('verify', '--model', 'Customer', '--tenant', 'globex')).toMatchObject({ code: 0 })
    const lost = await run('verify', '--model', 'Customer')
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
    const rest = await run('encrypt', '--model', 'Customer')
    expect(rest).toMatchObject({ code: 0, output: expect.stringContaining('went on with an earlier run') })
    expect(rest.output).toMatch(/Customer +│ 2,060 +│ 2,060 /)
  })

  it('by kill -9 loses nothing', async () => {
    await add(2000)
    const { child, ended } = startCommand(migration, 'encrypt', '--model', 'Customer', '--rate', '1500', '--json')
    child.stdout!.once('data', () => child.kill('SIGKILL'))
    await ended
    expect(await run('encrypt', '--model', 'Customer')).toMatchObject({ code: 0 })
    expect(await run('verify', '--model', 'Customer')).toMatchObject({ code: 0 })
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
