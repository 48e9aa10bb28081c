import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AwsKmsEmulator, startAwsKmsEmulator } from '../../src/testing/index.js'
import { installPacked, type Workspace } from '../package/packed.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/freePort.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { runSql } from '../support/sql.js'

const MINUTES = 60_000
const ENGINE = process.env.FIELDSEAL_ENGINE ?? 'native'

let workspace: Workspace
let database: TestDatabase
let emulator: AwsKmsEmulator
let standalone: App
/** Neither an address of a database nor a key is known to the build. */
const building: NodeJS.ProcessEnv = {
  NODE_ENV: 'production',
  NEXT_TELEMETRY_DISABLED: '1',
  PRISMA_SCHEMA_ENGINE_BINARY: resolve('scripts/schema-engine.mjs'),
  CHECKPOINT_DISABLE: '1',
}

beforeAll(async () => {
  workspace = await installPacked(resolve('examples/nextjs'))
  database = await createDatabase({ schema: resolve('examples/nextjs/prisma/schema.prisma') })
  emulator = await startAwsKmsEmulator()
  await workspace.command('.', building, 'npm', 'run', 'build')
  standalone = await startStandalone()
}, 15 * MINUTES)
afterAll(async () => {
  await standalone?.stop()
  await emulator?.close()
  await database?.drop()
  if (workspace) await rm(workspace.folder, { recursive: true })
}, MINUTES)

interface App {
  /** Of its requests, for a clinic. */
  ask(path: string, init?: RequestInit & { clinic?: string; cookie?: string }): Promise<Response>
  stop(): Promise<void>
}

async function start(folder: string, args: readonly string[], environment: NodeJS.ProcessEnv): Promise<App> {
  const port = await freePort()
  const own = { PORT: String(port), HOSTNAME: '127.0.0.1', DATABASE_URL: database.url, NEXT_TELEMETRY_DISABLED: '1' }
  const env = { ...process.env, ...own, ...environment }
  const server = spawn(process.execPath, args, { cwd: folder, env, stdio: 'ignore' })
  const ended = once(server, 'exit')
  const stop = async () => {
    server.kill('SIGTERM')
    await ended
  }
  const ask: App['ask'] = (path, { clinic, cookie, ...init } = {}) => {
    const headers = { ...(clinic && { 'x-tenant': clinic }), ...(cookie && { cookie }) }
    return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init, headers })
  }
  await eventually(async () => expect((await ask('/health')).status).toBe(200), { timeout: 3 * MINUTES })
  return { ask, stop }
}

/** What `next build` made, in a folder outside, where nothing is found but what came along. */
async function startStandalone(): Promise<App> {
  const folder = await mkdtemp(join(tmpdir(), 'fieldseal-standalone-'))
  await cp(join(workspace.folder, '.next/standalone'), folder, { recursive: true, verbatimSymlinks: true })
  const { accessKeyId, secretAccessKey } = emulator.credential
  const app = await start(folder, ['server.js'], {
    NODE_ENV: 'production',
    AWS_ENDPOINT_URL: emulator.url,
    AWS_REGION: emulator.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    KMS_KEY_ARN: emulator.keyArn,
  })
  const stop = () => app.stop().finally(() => rm(folder, { recursive: true }))
  return { ...app, stop }
}

/** Sends a page's last form as a browser without JavaScript does. */
async function submit(app: App, cookie: string, values: { readonly [name: string]: string }): Promise<Response> {
  const page = await (await app.ask('/', { cookie })).text()
  const action = Array.from(page.matchAll(/name="(\$ACTION_ID_\w+)"/g), ([, name]) => name!).at(-1)!
  const body = new FormData()
  for (const [name, value] of Object.entries({ [action]: '', ...values })) body.set(name, value)
  return app.ask('/', { method: 'POST', body, cookie })
}

const admit = (app: App, clinic: string, patient: object) =>
  app.ask('/patients', { method: 'POST', body: JSON.stringify(patient), clinic })

const count = (name: string) => `;(globalThis.counts ??= {}).${name} = (globalThis.counts.${name} ?? 0) + 1`

async function change(file: string, from: string, to: string): Promise<void> {
  const path = join(workspace.folder, file)
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}

describe('the Next.js app, built with the packed package', () => {
  it(
    'serves from its standalone build with the addon, by a route, a server component and a server action',
    async () => {
      expect(await (await standalone.ask('/health')).json()).toEqual({ engine: ENGINE })

      const ada = { name: 'Ada', email: 'Ada@example.com' }
      const admitted = await admit(standalone, 'acme', ada)
      expect(await admitted.json()).toMatchObject(ada)
      const found = await standalone.ask('/patients?email=ada@example.com', { clinic: 'acme' })
      expect(await found.json()).toMatchObject([ada])
      expect(await (await standalone.ask('/patients', { clinic: 'globex' })).json()).toEqual([])

      const signedIn = await submit(standalone, '', { clinic: 'acme' })
      const [cookie = ''] = signedIn.headers.getSetCookie().map((set) => set.split(';', 1)[0]!)
      expect(cookie).toBe('clinic=acme')
      const shown = await submit(standalone, cookie, { name: 'Grace', email: 'grace@example.com' })
      expect(await shown.text()).toContain('Grace, grace@example.com')
      expect(await (await standalone.ask('/', { cookie })).text()).toContain('Ada, Ada@example.com')
      expect(await (await standalone.ask('/', { cookie: 'clinic=globex' })).text()).not.toContain('Grace')

      const rows = await runSql(database.url, 'SELECT name, email FROM "Patient"')
      expect(rows).toHaveLength(2)
      for (const value of rows.flatMap((row) => Object.values(row))) expect(value).toMatch(/^fs1\./)
      const keys = await runSql(database.url, 'SELECT DISTINCT tenant, kms FROM encryption_keys')
      expect(keys).toEqual([{ tenant: 'acme', kms: 'aws' }])
    },
    5 * MINUTES,
  )

  it(
    'answers what has no tenant, or no right value, by a clear error',
    async () => {
      const answers = async (response: Response) => ({ status: response.status, body: await response.json() })
      const ada = { name: 'Ada', email: 'Ada@example.com' }
      const missing = await answers(await standalone.ask('/patients'))
      expect(missing).toEqual({ status: 401, body: { error: 'TENANT_MISSING' } })
      const invalid = await answers(await admit(standalone, '*', ada))
      expect(invalid).toEqual({ status: 400, body: { error: 'TENANT_INVALID' } })
      const wrong = await answers(await admit(standalone, 'acme', { ...ada, email: 7 }))
      expect(wrong).toEqual({ status: 400, body: { error: 'VALUE_INVALID' } })
    },
    5 * MINUTES,
  )

  it(
    'keeps its client while code changes under `next dev`',
    async () => {
      await change('lib/database.ts', 'function open() {', `function open() {\n  ${count('opened')}`)
      await change('lib/database.ts', 'const kept =', `${count('loaded')}\nconst kept =`)
      await change('app/health/route.ts', 'json({ engine', 'json({ ...globalThis.counts, engine')
      const next = join(workspace.folder, 'node_modules/next/dist/bin/next')
      const FIELDSEAL_KEY = randomBytes(32).toString('base64')
      const app = await start(workspace.folder, [next, 'dev'], { NODE_ENV: 'development', FIELDSEAL_KEY })
      onTestFinished(app.stop)
      const { loaded } = (await (await app.ask('/health')).json()) as { loaded: number }

      await change('lib/database.ts', 'const kept =', '// Changed.\nconst kept =')
      const changed = { opened: 1, loaded: loaded + 1, engine: ENGINE }
      const expectation = async () => expect(await (await app.ask('/health')).json()).toEqual(changed)
      await eventually(expectation, { timeout: 3 * MINUTES })
    },
    10 * MINUTES,
  )
})
