import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'

const run = promisify(execFile)

const MANIFEST = {
  name: 'checkout',
  version: '1.0.0',
  type: 'module',
  engines: { node: '>=20.19.0' },
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  bin: { 'checkout-command': 'dist/command.js' },
}
const LOCK = { name: 'checkout', version: '1.0.0', lockfileVersion: 3, packages: { '': MANIFEST } }
const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "../generated"
}
datasource db {
  provider = "postgresql"
}
model Note {
  id String @id
}
`
const FILES = {
  'package.json': JSON.stringify(MANIFEST),
  'package-lock.json': JSON.stringify(LOCK),
  'tsconfig.json': '{ "compilerOptions": { "module": "NodeNext", "types": [] } }',
  'tsdown.config.ts':
    "export default { entry: ['src/index.ts', 'src/command.ts'], fixedExtension: false, dts: { entry: 'src/index.ts' } }",
  'src/index.ts': 'export const answer: number = 42\n',
  'src/command.ts': "#!/usr/bin/env node\nconsole.log('the command')\n",
  'prisma/schema.prisma': SCHEMA,
}

jest.setTimeout(180_000)

let checkout: string

beforeEach(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'fieldseal set up '))
  for (const [path, text] of Object.entries(FILES)) await write(path, text)
  for (const path of ['scripts', 'prisma.config.ts']) await cp(path, join(checkout, path), { recursive: true })
  await mkdir(join(checkout, 'node_modules/.bin'), { recursive: true })
  const packages = (await readdir('node_modules')).filter((name) => !name.startsWith('.'))
  for (const name of packages) await symlink(resolve('node_modules', name), join(checkout, 'node_modules', name))
  await write('node_modules/.package-lock.json', '{}')
})
afterEach(() => rm(checkout, { recursive: true }))

describe('the setup script', () => {
  it('names the Node.js version that is needed', async () => {
    await write('package.json', JSON.stringify({ ...MANIFEST, engines: { node: '>=999.1.0' } }))
    await expect(setup()).rejects.toMatchObject({
      stderr: expect.stringMatching(/Node\.js 999\.1\.0 or newer is needed/),
    })
  })

  it('installs anew when the lock file is newer, and says what npm says against it', async () => {
    await write('package.json', JSON.stringify({ ...MANIFEST, dependencies: { 'not-in-the-lock-file': '1.0.0' } }))
    await age('node_modules/.package-lock.json')
    await expect(setup()).rejects.toMatchObject({
      stdout: 'setup: installing packages\n',
      stderr: expect.stringMatching(/installing packages failed[\s\S]*not-in-the-lock-file/),
    })
  })

  it('says what the compiler says against a build', async () => {
    await write('src/index.ts', "export * from './missing.js'\n")
    await expect(setup()).rejects.toMatchObject({ stderr: expect.stringMatching(/building failed[\s\S]*missing\.js/) })
  })

  it('builds, links the commands and generates the Prisma client, then has nothing to do', async () => {
    expect(await setup()).toEqual([
      'setup: building',
      'setup: linked the command checkout-command',
      'setup: generating from prisma/schema.prisma',
    ])
    const { stdout } = await run(join(checkout, 'node_modules/.bin/checkout-command'))
    expect(stdout).toBe('the command\n')
    expect(await readFile(join(checkout, 'generated/client.ts'), 'utf8')).toContain('Note')
    expect(await setup()).toEqual([])
  })

  it('does again only what a change calls for', async () => {
    await setup()
    await touch('prisma/schema.prisma')
    expect(await setup()).toEqual(['setup: generating from prisma/schema.prisma'])
    await touch('src/index.ts')
    expect(await setup()).toEqual(['setup: building', 'setup: generating from prisma/schema.prisma'])
    await rm(join(checkout, 'generated'), { recursive: true })
    expect(await setup()).toEqual(['setup: generating from prisma/schema.prisma'])
    await rm(join(checkout, 'dist/index.d.ts'))
    expect(await setup()).toEqual(['setup: building', 'setup: generating from prisma/schema.prisma'])
  })
})

/** The lines it prints. */
async function setup(): Promise<string[]> {
  const { stdout } = await run(process.execPath, [join(checkout, 'scripts/setup.mjs')], { cwd: tmpdir() })
  return stdout.split('\n').filter(Boolean)
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(checkout, path)), { recursive: true })
  await writeFile(join(checkout, path), text)
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  await utimes(join(checkout, path), now, now)
}

async function age(path: string): Promise<void> {
  await utimes(join(checkout, path), 0, 0)
}
