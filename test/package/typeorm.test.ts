import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase } from '../support/database.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { installPacked, type Workspace } from './packed.js'

const MINUTES = 60_000
const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))

describe.each([
  { version: '1.1.1', compiled: 'esm', run: 'cjs' },
  { version: '0.3.31', compiled: 'cjs', run: 'esm' },
])('the packed package beside TypeORM $version', ({ version, compiled, run }) => {
  let workspace: Workspace
  beforeAll(async () => {
    workspace = await installPacked(resolve('test/package/projects/typeorm'), [`typeorm@${version}`])
    for (const name of ['esm', 'cjs'])
      await cp(join(workspace.folder, 'main.ts'), join(workspace.folder, name, 'main.ts'))
  }, 10 * MINUTES)
  afterAll(() => workspace && rm(workspace.folder, { recursive: true }), MINUTES)

  /** What a program of a project says that it saw, on a database of its own. */
  async function outcome(project: string, program: string, file: string): Promise<Outcome> {
    const database = await createDatabase({ schema: EMPTY })
    onTestFinished(() => database.drop())
    const env = { DATABASE_URL: database.url, KEK: randomBytes(32).toString('base64') }
    return JSON.parse(await workspace.command(project, env, program, file))
  }

  it('brings no Prisma client along', () => {
    const installed = ['@prisma/client', 'prisma', '@prisma/adapter-pg']
    expect(installed.filter((name) => existsSync(join(workspace.folder, 'node_modules', name)))).toEqual([])
  })

  it(`encrypts in a project (${compiled}) that tsc compiles, and has types without mistakes`, async () => {
    await workspace.command(compiled, {}, 'tsc')
    expectEncryption(await outcome(compiled, 'node', 'built/main.js'))
  })

  it(`encrypts in a project (${run}) that tsx runs`, async () => {
    expectEncryption(await outcome(run, 'tsx', 'main.ts'))
  })

  it('encrypts in a project that ts-node runs', async () => {
    expectEncryption(await outcome('cjs', 'ts-node', 'main.ts'))
  })

  it('encrypts in a CommonJS project in JavaScript, with entities that are no classes', async () => {
    expectEncryption(await outcome('js', 'node', 'main.js'))
  })
})

interface Outcome {
  readonly read: unknown
  readonly stored: { readonly [column: string]: unknown }
  readonly refused: unknown
  readonly changed: number
}

function expectEncryption({ read, stored, refused, changed }: Outcome): void {
  const written = { tenantId: 'acme', name: 'Ada', email: 'Ada@example.com', phone: '+49 30 1', notes: { vip: true } }
  expect(read).toMatchObject({ ...written, orders: [{ price: '12.5' }] })
  expect(read).not.toHaveProperty('emailIndex')
  expect(stored).toMatchObject({ tenantId: 'acme', name: 'Ada', emailIndex: expect.stringMatching(/^[\w-]{22}$/) })
  for (const value of [stored.email, stored.phone, stored.notes]) expect(value).toMatch(/^fs1\./)
  expect(refused).toBe('TENANT_MISMATCH')
  expect(changed).toBe(1)
}
