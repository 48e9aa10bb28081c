import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encryptionOf, forTenant } from 'fieldseal/typeorm'
import { Guest } from '../cli/fixtures/typeorm/entities.js'
import { type Guests, openGuests } from '../cli/guests.js'
import type { Ended } from '../cli/runCommand.js'
import { refusalCode } from '../support/refusal.js'

const folder = fileURLToPath(new URL('../../docs/runbooks/', import.meta.url))

/** The commands of a page, in their order, without `npx fieldseal`. */
function commandsOf(page: string): string[][] {
  const blocks = readFileSync(join(folder, page), 'utf8').matchAll(/^```bash\n([\s\S]*?)^```/gm)
  return Array.from(blocks, ([, block]) => block!.trim().split('\n'))
    .flat()
    .map((line) => line.replace(/^npx fieldseal /, '').split(' '))
}

let guests: Guests
let backups: string
beforeAll(async () => {
  guests = await openGuests(20)
  backups = mkdtempSync(join(tmpdir(), 'fieldseal-backups-'))
})
afterAll(async () => {
  await guests?.close()
  rmSync(backups, { recursive: true, force: true })
})

/** Runs a command of a page as a process, with its file where this test keeps it. */
async function run(...args: string[]): Promise<Ended> {
  return guests.run(...args.map((arg) => (arg.endsWith('.jsonl') ? join(backups, arg) : arg)))
}

/** The app as a process that has just begun has it. */
async function withApp<T>(
  work: (app: typeof import('../cli/fixtures/typeorm/dataSource.js').dataSource) => Promise<T>,
) {
  const { dataSource } = await import('../cli/fixtures/typeorm/dataSource.js')
  dataSource.setOptions({ dropSchema: false, synchronize: false })
  await dataSource.initialize()
  try {
    return await work(dataSource)
  } finally {
    await dataSource.destroy()
  }
}

const found = (hotel: string, email: string) =>
  withApp(async (app) => (await forTenant(app, hotel).getRepository(Guest).findBy({ email })).length)
const add = (hotel: string, email: string) =>
  withApp((app) => forTenant(app, hotel).getRepository(Guest).save({ hotel, email }))
const keys = async () =>
  (await guests.pool.query('SELECT tenant, purpose, version, state FROM encryption_keys ORDER BY 1, 2, 3')).rows.map(
    ({ tenant, purpose, version, state }) => `${tenant} ${purpose} ${version} ${state}`,
  )

describe('docs/runbooks/keys-table-lost.md', () => {
  it('brings back an emptied table in which keys were made since, with every row readable and found', async () => {
    expect(await run('encrypt')).toMatchObject({ code: 0, errors: '' })
    expect(await run('doctor')).toMatchObject({
      output: expect.stringContaining('no export of the keys table is known'),
    })
    expect(await run('keys', 'export', 'keys.jsonl')).toMatchObject({ code: 0, errors: '' })
    await guests.pool.query('CREATE SCHEMA restored')
    await guests.pool.query('CREATE TABLE restored.encryption_keys AS SELECT * FROM encryption_keys')

    await guests.pool.query('DELETE FROM encryption_keys')
    expect(await refusalCode(() => add('ritz', 'new@x.org'))).toBe('KEY_MISSING')
    expect(await refusalCode(() => found('ritz', 'g2@x.org'))).toBe('KEY_MISSING')
    expect(await keys()).toEqual([])
    const lost = await run('keys', 'export', 'keys.jsonl')
    expect(lost).toMatchObject({ code: 1, errors: expect.stringMatching(/KEY_MISSING.*empty/) })
    await withApp((app) => encryptionOf(app).reopen('ritz'))
    await add('ritz', 'young@x.org')
    expect(await keys()).toEqual(['ritz encrypt 1 active', 'ritz index 1 active'])

    const ended: { command: string; code: number | null; output: string }[] = []
    for (const args of commandsOf('keys-table-lost.md')) {
      const { code, output, errors } = await run(...args)
      expect(errors).toBe('')
      ended.push({ command: args.slice(0, 2).join(' '), code, output })
      if (output.includes('Searches ask for')) {
        expect(await found('ritz', 'young@x.org')).toBe(1)
        expect(await found('ritz', 'g2@x.org')).toBe(1)
        expect(await found('adlon', 'g1@x.org')).toBe(1)
        expect(await keys()).toEqual([
          ...['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 retired', 'ritz encrypt 2 retired'],
          ...['ritz index 1 replaced', 'ritz index 2 replaced', 'ritz index 3 active'],
        ])
        const next = /fieldseal (rotate --purpose index --tenant) '(ritz)'/.exec(output)!
        const short = ['--settle', '10ms']
        const rotated = guests.start({ GUESTS_TTL: '1' }, ...next[1]!.split(' '), next[2]!, ...short)
        expect(await rotated.ended).toMatchObject({ code: 0, errors: '' })
      }
    }
    const [looked, dry, file, table, verified, exported] = ended
    expect(looked).toMatchObject({ code: 3, output: expect.stringContaining('keys that the keys table does not have') })
    expect(dry).toMatchObject({ code: 0, output: expect.stringContaining('4 keys would be restored') })
    expect(file).toMatchObject({
      code: 0,
      output: expect.stringMatching(/4 keys restored[\s\S]*2 keys made since the loss/),
    })
    expect(table).toMatchObject({ code: 0, output: expect.stringContaining('0 keys restored, 4 there already') })
    expect(verified).toMatchObject({ command: 'verify', code: 0 })
    expect(exported).toMatchObject({ command: 'keys export', code: 0 })
    expect(await keys()).toEqual([
      ...['adlon encrypt 1 active', 'adlon index 1 active', 'ritz encrypt 1 retired', 'ritz encrypt 2 retired'],
      ...['ritz index 1 destroyed', 'ritz index 2 destroyed', 'ritz index 3 active'],
    ])
    await add('ritz', 'last@x.org')
    for (const email of ['g2@x.org', 'young@x.org', 'last@x.org']) expect(await found('ritz', email)).toBe(1)
    expect((await keys()).filter((key) => key.startsWith('ritz encrypt'))).toContain('ritz encrypt 3 active')
    expect(await run('doctor')).toMatchObject({
      output: expect.stringContaining('the last export of the keys table was 0 days ago'),
    })
  }, 300_000)
})

describe('docs/runbooks/README.md', () => {
  it('lists every page', () => {
    const index = readFileSync(join(folder, 'README.md'), 'utf8')
    expect(index).toContain('keys-table-lost.md')
  })
})
