import { randomBytes } from 'node:crypto'
import { access, constants, cp, readdir, readFile, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { installPacked, type Workspace } from './packed.js'

const MINUTES = 60_000
const projects = resolve('test/package/projects')

let workspace: Workspace
let database: TestDatabase
let environment: NodeJS.ProcessEnv

/** The packed package, installed once for three projects below it, each with a package.json and schema of its own. */
beforeAll(async () => {
  workspace = await installPacked(projects)
  for (const name of ['esm', 'cjs', 'jest']) {
    await cp(join(projects, 'models.prisma'), join(workspace.folder, name, 'prisma/models.prisma'))
  }
  database = await createDatabase({ schema: join(projects, 'models.prisma') })
  environment = {
    PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
    DATABASE_URL: database.url,
    KEK: randomBytes(32).toString('base64'),
  }
}, 10 * MINUTES)

afterAll(async () => {
  await database?.drop()
  if (workspace) await rm(workspace.folder, { recursive: true })
}, MINUTES)

describe('the packed package', () => {
  it('holds only what its users need, and nothing of the machine that built it', async () => {
    const paths = workspace.packed.files.map(({ path }) => path)
    const expected =
      /^(dist\/.+\.(js|cjs|d\.ts|d\.cts)|docs\/.+\.(md|svg)|native\/fieldseal\.c|prebuilds\/.+\/fieldseal\.node|[A-Z]+\.md|llms\.txt|LICENSE|package\.json)$/
    expect(paths.filter((path) => !expected.test(path))).toEqual([])
    const binaries = (await readdir('prebuilds')).map((target) => `prebuilds/${target}/fieldseal.node`)
    expect(paths.filter((path) => path.startsWith('prebuilds/')).sort()).toEqual(binaries.sort())
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    expect(paths.filter((_, position) => texts[position]?.includes(resolve('.')))).toEqual([])
  })

  it('installs its commands', async () => {
    const commands = Object.keys(JSON.parse(await readFile('package.json', 'utf8')).bin)
    for (const name of commands) await access(join(workspace.folder, 'node_modules/.bin', name), constants.X_OK)
    expect(commands).toEqual(['fieldseal', 'fieldseal-generator', 'fieldseal-kms-emulator'])
  })

  it(
    'encrypts in an ECMAScript project in TypeScript',
    async () => {
      await command('esm', 'prisma', 'generate', '--schema', 'prisma')
      await command('esm', 'tsc')
      expectEncryption(JSON.parse(await command('esm', 'node', 'built/main.js')))
    },
    5 * MINUTES,
  )

  it(
    'encrypts in a CommonJS project in JavaScript',
    async () => {
      await command('cjs', 'prisma', 'generate', '--schema', 'prisma')
      expectEncryption(JSON.parse(await command('cjs', 'node', 'main.js')))
    },
    5 * MINUTES,
  )

  it(
    'encrypts in a CommonJS project under Jest',
    async () => {
      await command('jest', 'prisma', 'generate', '--schema', 'prisma')
      await command('jest', 'jest', '--ci')
    },
    5 * MINUTES,
  )
})

const command = (project: string, program: string, ...args: string[]) =>
  workspace.command(project, environment, program, ...args)

interface Outcome {
  readonly read: unknown
  readonly stored: { readonly email: string; readonly phone: string; readonly notes: unknown }
  readonly refused: unknown
  readonly functions: string[]
}

function expectEncryption({ read, stored, refused, functions }: Outcome): void {
  const written = { tenantId: 'acme', name: 'Ada', email: 'ada@example.com', phone: '+49 30 1', notes: { vip: true } }
  expect(read).toMatchObject(written)
  expect(stored).toMatchObject({ tenantId: 'acme', name: 'Ada' })
  for (const value of [stored.email, stored.phone, stored.notes]) expect(value).toMatch(/^fs1\./)
  expect(refused).toBe('TENANT_MISMATCH')
  expect(functions).toEqual(['function', 'function', 'function'])
}
