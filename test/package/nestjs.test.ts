import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/freePort.js'
import { installPacked, type Workspace } from './packed.js'

const MINUTES = 60_000
const EMPTY = fileURLToPath(new URL('../typeorm/fixtures/empty.prisma', import.meta.url))

let workspace: Workspace
let database: TestDatabase
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  workspace = await installPacked(resolve('examples/nestjs'))
  database = await createDatabase({ schema: EMPTY })
  environment = { DATABASE_URL: database.url, FIELDSEAL_KEY: randomBytes(32).toString('base64') }
}, 10 * MINUTES)
afterAll(async () => {
  await database?.drop()
  if (workspace) await rm(workspace.folder, { recursive: true })
}, MINUTES)

describe('examples/nestjs, as a project of its own with the packed package', () => {
  it(
    'passes its own tests under Jest, in CommonJS',
    async () => {
      await workspace.command('.', { ...environment, NODE_OPTIONS: '' }, 'npm', 'test', '--', '--ci')
    },
    5 * MINUTES,
  )

  it(
    'compiles and starts as an ECMAScript module, serves, and ends when it is told to',
    async () => {
      await workspace.command('.', environment, 'npm', 'run', 'build')
      const port = await freePort()
      const env = { ...process.env, ...environment, PORT: String(port) }
      const app = spawn(process.execPath, [join(workspace.folder, 'dist/main.js')], { env, stdio: 'ignore' })
      const ended = once(app, 'exit')
      const patients = `http://127.0.0.1:${port}/patients`
      const headers = { 'content-type': 'application/json', 'x-tenant': 'acme' }
      try {
        const body = JSON.stringify({ name: 'Ada', email: 'Ada@example.com' })
        await eventually(async () => expect((await fetch(patients)).status).toBe(401))
        expect((await fetch(patients, { method: 'POST', headers, body })).status).toBe(201)
        const found = await fetch(`${patients}?email=ada@example.com`, { headers })
        expect(await found.json()).toMatchObject([{ name: 'Ada', email: 'Ada@example.com' }])
      } finally {
        app.kill('SIGTERM')
      }
      expect(await ended).toEqual([null, 'SIGTERM'])
    },
    5 * MINUTES,
  )
})
