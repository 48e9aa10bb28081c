import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { applySchema } from '../../scripts/lib/schemaEngine.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { runSql } from '../support/sql.js'

const run = promisify(execFile)

const DATASOURCE = 'datasource db {\n  provider = "postgresql"\n}\n'
const NOTE = 'model Note {\n  id   String  @id\n  text String?\n}\n'
const TAG = 'model Tag {\n  name String @id\n}\n'

let project: string
let database: TestDatabase

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'fieldseal schema engine '))
  await cp('prisma.config.ts', join(project, 'prisma.config.ts'))
  await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  for (const name of ['scripts', 'node_modules']) await symlink(resolve(name), join(project, name))
})
afterAll(() => rm(project, { recursive: true }))

beforeEach(async () => {
  await mkdir(join(project, 'prisma'))
  database = await createDatabase({ schema: await write('schema.prisma', DATASOURCE) })
})
afterEach(async () => {
  await database.drop()
  await rm(join(project, 'prisma'), { recursive: true })
})

describe('applySchema', () => {
  it('refuses a change that would lose rows', async () => {
    await applySchema(database.url, await write('schema.prisma', DATASOURCE + NOTE))
    await query(`INSERT INTO "Note" (id) VALUES ('1')`)
    const without = await write('schema.prisma', DATASOURCE)
    await expect(applySchema(database.url, without)).rejects.toThrow(/drop the `Note` table/)
    expect(await tables()).toEqual(['Note'])
  })

  it('creates the tables of a folder of schema files', async () => {
    await write('note.prisma', NOTE)
    await write('tag.prisma', TAG)
    await applySchema(database.url, join(project, 'prisma'))
    expect(await tables()).toEqual(['Note', 'Tag'])
  })

  it('adds to tables that are there and keeps their rows', async () => {
    await applySchema(database.url, await write('schema.prisma', DATASOURCE + NOTE))
    await query(`INSERT INTO "Note" (id) VALUES ('1')`)
    await applySchema(database.url, await write('schema.prisma', DATASOURCE + NOTE + TAG))
    expect(await tables()).toEqual(['Note', 'Tag'])
    expect(await query('SELECT id FROM "Note"')).toEqual([{ id: '1' }])
  })
})

describe('the Prisma CLI on the WebAssembly engine', () => {
  it('fails when no database answers', async () => {
    const nowhere = 'postgresql://nobody@127.0.0.1:1/nothing'
    await expect(prisma(['db', 'push'], nowhere)).rejects.toMatchObject({ stderr: expect.stringContaining('P1001') })
  })

  it('pushes a schema and creates the database for it', async () => {
    await write('schema.prisma', DATASOURCE + NOTE)
    await database.drop()
    expect(await prisma(['db', 'push'])).toContain('in sync')
    expect(await tables()).toEqual(['Note'])
  })

  it('makes migrations with a shadow database and applies them elsewhere', async () => {
    await write('schema.prisma', DATASOURCE + NOTE)
    expect(await prisma(['migrate', 'dev', '--name', 'notes'])).toContain('in sync')
    const empty = await createDatabase({ schema: await write('empty.prisma', DATASOURCE) })
    await rm(join(project, 'prisma', 'empty.prisma'))
    expect(await prisma(['migrate', 'deploy'], empty.url)).toContain('successfully applied')
    expect(await tables(empty.url)).toEqual(['Note', '_prisma_migrations'])
    await empty.drop()
    expect(await query(`SELECT datname FROM pg_database WHERE datname LIKE 'prisma_migrate_shadow%'`)).toEqual([])
  })

  it('prints the SQL between two schemas without a database', async () => {
    await write('schema.prisma', DATASOURCE + TAG)
    const sql = await prisma(['migrate', 'diff', '--from-empty', '--to-schema', 'prisma/schema.prisma', '--script'], '')
    expect(sql).toContain('CREATE TABLE "Tag"')
  })
})

async function write(name: string, text: string): Promise<string> {
  const path = join(project, 'prisma', name)
  await writeFile(path, text)
  return path
}

async function prisma(args: string[], url = database.url): Promise<string> {
  const engine = resolve('scripts/schema-engine.mjs')
  const env = { ...process.env, DATABASE_URL: url, PRISMA_SCHEMA_ENGINE_BINARY: engine, CHECKPOINT_DISABLE: '1' }
  const { stdout } = await run(process.execPath, ['node_modules/prisma/build/index.js', ...args], { cwd: project, env })
  return stdout
}

async function tables(url = database.url): Promise<string[]> {
  const sql = `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE "C"`
  return (await query(sql, url)).map(({ tablename }) => String(tablename))
}

function query(sql: string, url = database.url): Promise<Record<string, unknown>[]> {
  return runSql(url, sql)
}
