import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { access, constants, cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.js'

const MINUTES = 60_000
const run = promisify(execFile)
const projects = resolve('test/package/projects')

let workspace: string
let packed: { filename: string; files: { path: string }[] }
let database: TestDatabase
let environment: NodeJS.ProcessEnv

/** The packed package, installed once for three projects below it, each with a package.json and schema of its own. */
beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'fieldseal-package-'))
  await run(process.execPath, ['scripts/setup.mjs'])
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', workspace])
  packed = JSON.parse(stdout)[0]
  await cp(projects, workspace, { recursive: true })
  for (const name of ['esm', 'cjs', 'jest']) {
    await cp(join(projects, 'models.prisma'), join(workspace, name, 'prisma/models.prisma'))
  }
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', ['install', ...quiet, `./${packed.filename}`], { cwd: workspace })
  database = await createDatabase({ schema: join(projects, 'models.prisma') })
  environment = {
    ...process.env,
    PATH: [join(workspace, 'node_modules/.bin'), process.env.PATH].join(delimiter),
    PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'),
    CHECKPOINT_DISABLE: '1',
    DATABASE_URL: database.url,
    KEK: randomBytes(32).toString('base64'),
  }
}, 10 * MINUTES)

afterAll(async () => {
  await database?.drop()
  await rm(workspace, { recursive: true })
}, MINUTES)

describe('the packed package', () => {
  it('holds only what its users need, and nothing of the machine that built it', async () => {
    const paths = packed.files.map(({ path }) => path)
    const expected =
      /^(dist\/.+\.(js|cjs|d\.ts|d\.cts)|docs\/.+\.(md|svg)|native\/fieldseal\.c|prebuilds\/.+\/fieldseal\.node|[A-Z]+\.md|LICENSE|package\.json)$/
    expect(paths.filter((path) => !expected.test(path))).toEqual([])
    expect(paths).toContain('prebuilds/linux-x64-glibc/fieldseal.node')
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    expect(paths.filter((_, position) => texts[position]?.includes(resolve('.')))).toEqual([])
  })

  it('installs its commands', async () => {
    const commands = Object.keys(JSON.parse(await readFile('package.json', 'utf8')).bin)
    for (const name of commands) await access(join(workspace, 'node_modules/.bin', name), constants.X_OK)
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

/** Runs a command in a project as npm would; its standard output. */
async function command(project: string, program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { cwd: join(workspace, project), env: environment })
  return stdout
}

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
