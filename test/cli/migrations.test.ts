import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Pool } from 'pg'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { EMPTY } from '../typeorm/openSource.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const CLI = join(ROOT, 'node_modules/typeorm/cli.js')
const SOURCE = fileURLToPath(new URL('./fixtures/migrations/dataSource.ts', import.meta.url))

interface Setting {
  readonly guards: boolean
  readonly state?: 'migrating'
}

interface Ended {
  readonly code: number
  readonly output: string
}

let database: TestDatabase
let pool: Pool
let folder: string
beforeAll(async () => {
  database = await createDatabase({ schema: EMPTY })
  pool = openPool(database.url)
  folder = mkdtempSync(join(tmpdir(), 'fieldseal-migrations-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await pool?.end()
  await database?.drop()
})

/** A command of TypeORM's own command line, on the data source of the fixture. */
function typeorm({ guards, state = undefined }: Setting, command: string, ...args: string[]): Promise<Ended> {
  const env = {
    ...process.env,
    MIGRATED_URL: database.url,
    MIGRATIONS: folder,
    GUARDS: `${guards}`,
    STATE: state ?? '',
  }
  const options = ['--import', 'tsx', CLI, command, '-d', SOURCE, ...args]
  return new Promise((resolve) => {
    execFile(process.execPath, options, { cwd: ROOT, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr })
    })
  })
}

/** The statements of the migration that is generated, which is run then. */
async function migrate(setting: Setting, name: string): Promise<string> {
  const generated = await typeorm(setting, 'migration:generate', join(folder, name), '-o')
  expect(generated).toMatchObject({ code: 0, output: expect.stringContaining('generated successfully') })
  expect(await typeorm(setting, 'migration:run')).toMatchObject({ code: 0 })
  const file = readdirSync(folder).find((each) => each.includes(name))!
  const [up] = readFileSync(join(folder, file), 'utf8').split('async down(')
  return up!
}

async function isSettled(setting: Setting): Promise<void> {
  const checked = await typeorm(setting, 'migration:generate', join(folder, 'Nothing'), '--check')
  expect(checked).toMatchObject({
    code: 0,
    output: expect.stringContaining('No changes in database schema were found'),
  })
}

const GUARD = 'ADD CONSTRAINT "fieldseal_member_email"'
const insert = (email: string) => pool.query(`INSERT INTO member (town, email) VALUES ('Bonn', $1)`, [email])

describe('migrations that TypeORM generates', () => {
  it('make the tables, the keys table too, and find nothing more', async () => {
    const first = { guards: false, state: 'migrating' } as const
    const up = await migrate(first, 'First')
    for (const table of ['member', 'encryption_keys']) expect(up).toContain(`CREATE TABLE "${table}"`)
    await isSettled(first)
    await insert('plain@x.org')
  }, 120_000)

  it('add guards, but of a column that is migrating', async () => {
    const guarded = { guards: true, state: 'migrating' } as const
    const up = await migrate(guarded, 'Guards')
    expect(up).toContain('ADD CONSTRAINT "fieldseal_member_notes"')
    expect(up).not.toContain(GUARD)
    await isSettled(guarded)
    await insert('more@x.org')
  }, 120_000)

  it('add the guard of a column that was migrating, once no plaintext is left', async () => {
    const strict = { guards: true }
    const generated = await typeorm(strict, 'migration:generate', join(folder, 'Strict'), '-o')
    expect(generated.code).toBe(0)
    const early = await typeorm(strict, 'migration:run')
    expect(early).toMatchObject({ code: 1, output: expect.stringContaining('is violated by some row') })
    await pool.query('DELETE FROM member')
    expect(await typeorm(strict, 'migration:run')).toMatchObject({ code: 0 })
    await isSettled(strict)
    await expect(insert('plain@x.org')).rejects.toMatchObject({ code: '23514' })
  }, 120_000)

  it('are taken back', async () => {
    expect(await typeorm({ guards: true }, 'migration:revert')).toMatchObject({ code: 0 })
    await insert('plain@x.org')
    await isSettled({ guards: true, state: 'migrating' })
  }, 120_000)
})
