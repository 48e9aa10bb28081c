import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startVaultEmulator, type VaultEmulator } from '../../../src/testing/index.js'
import type { Workspace } from '../../package/packed.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { runSql } from '../../support/sql.js'
import { type App, startApp } from './app.js'
import { EMPTY } from './empty.js'

/** An API whose rows are found by their email. */
export interface HttpApi {
  readonly name: string
  readonly path: string
  readonly table: string
  /** The column that names the tenant. */
  readonly tenant: string
  /** What is sent of somebody; all of it is encrypted. */
  readonly somebody: { readonly name: string; readonly email: string; readonly [more: string]: unknown }
}

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: JSON
  readonly body: any
  /** After how many seconds to ask again. */
  readonly retry?: string
}

interface AskedApp extends App {
  readonly address: string
  ask(tenant: string | undefined, where: string, sent?: unknown): Promise<Answer>
}

const CIPHERTEXT = /^fs1\.[\w-]+$/
const UNKNOWN = '4b3f0a52-6d0a-4a50-b7a8-1f6f5f6d4c11'

/** What every API does that keeps its rows for tenants, over HTTP. */
export function describeHttpApi(api: HttpApi, workspace: () => Workspace): void {
  const { name, path, table, tenant, somebody } = api
  let database: TestDatabase
  let local: NodeJS.ProcessEnv
  let vault: VaultEmulator

  beforeAll(async () => {
    database = await createDatabase({ schema: EMPTY })
    local = { DATABASE_URL: database.url, FIELDSEAL_KEY: randomBytes(32).toString('base64'), PORT: '0' }
    await workspace().command(name, local, 'npm', 'run', 'migrate')
    vault = await startVaultEmulator()
  }, 300_000)
  afterAll(async () => {
    await vault?.close()
    await database?.drop()
  })

  async function start(env: NodeJS.ProcessEnv): Promise<AskedApp> {
    const app = startApp(workspace(), name, env, 'dist/main.js')
    const port = await app.prints(/listening .*?(\d+)\D*$/)
    const address = `http://127.0.0.1:${port}`
    const ask: AskedApp['ask'] = async (of, where, sent) => {
      // A connection that is kept may be closed by the app as the next request is sent on it.
      const headers = { 'content-type': 'application/json', connection: 'close', ...(of && { 'x-tenant': of }) }
      const post =
        sent === undefined ? {} : { method: 'POST', body: typeof sent === 'string' ? sent : JSON.stringify(sent) }
      const response = await fetch(`${address}${path}${where}`, { headers, ...post })
      const retry = response.headers.get('retry-after')
      return { status: response.status, body: await response.json(), ...(retry === null ? {} : { retry }) }
    }
    return { ...app, address, ask }
  }
  const stored = () => runSql(database.url, `SELECT * FROM ${table}`)

  describe(`examples/${name}, with a local key`, () => {
    let app: AskedApp
    let id: string
    beforeAll(async () => {
      app = await start(local)
    }, 120_000)

    it('gives a tenant its rows by their values', async () => {
      const admitted = await app.ask('acme', '', somebody)
      id = admitted.body.id
      const row = { id, [tenant]: 'acme', ...somebody }
      expect(admitted).toMatchObject({ status: 201, body: row })
      expect(await app.ask('acme', '/search', { email: ` ${somebody.email.toUpperCase()} ` })).toEqual({
        status: 200,
        body: [row],
      })
      expect(await app.ask('acme', `/${id}`)).toEqual({ status: 200, body: row })
      expect(await app.ask('acme', `/${UNKNOWN}`)).toMatchObject({ status: 404 })
    })

    it('lets two tenants have equal values, which are not equal in the table, and neither the other’s rows', async () => {
      const other = await app.ask('globex', '', somebody)
      expect(other.status).toBe(201)
      const found = await app.ask('globex', '/search', { email: somebody.email })
      expect(found.body).toMatchObject([{ id: other.body.id }])
      expect(await app.ask('globex', `/${id}`)).toMatchObject({ status: 404 })
      const rows = await stored()
      expect(rows).toHaveLength(2)
      for (const column of Object.keys(somebody)) for (const row of rows) expect(row[column]).toMatch(CIPHERTEXT)
      for (const column of [...Object.keys(somebody), 'emailIndex']) expect(rows[0]![column]).not.toBe(rows[1]![column])
    })

    it('answers a request without a tenant, or with what cannot be one, by a clear error', async () => {
      const refused = { status: 401, body: { error: 'TENANT_MISSING' } }
      expect(await app.ask(undefined, '', somebody)).toEqual(refused)
      expect(await app.ask(undefined, `/${id}`)).toEqual(refused)
      expect(await app.ask('*', '', somebody)).toEqual({ status: 400, body: { error: 'TENANT_INVALID' } })
    })

    it('says what is a caller’s fault, and nothing of what is its own affair', async () => {
      const nul = { ...somebody, name: 'A\0', email: 'nul@example.com' }
      expect(await app.ask('acme', '', nul)).toEqual({ status: 400, body: { error: 'VALUE_INVALID' } })
      expect(await app.ask('acme', '', { name: somebody.name })).toMatchObject({ status: 400 })
      expect(await app.ask('acme', '', `{"email":"${somebody.email}"`)).toMatchObject({ status: 400 })
      expect(await app.ask('acme', '', somebody)).toEqual({ status: 409, body: { error: 'EXISTS' } })
      expect(await stored()).toHaveLength(2)
      await runSql(database.url, `ALTER TABLE ${table} RENAME TO elsewhere`)
      const failed = await app.ask('acme', '/search', { email: somebody.email })
      await runSql(database.url, `ALTER TABLE elsewhere RENAME TO ${table}`)
      expect(failed).toEqual({ status: 500, body: { error: 'INTERNAL' } })
      expect(await app.ask('acme', `/${id}`)).toMatchObject({ status: 200 })
    })

    it('keeps the tenants of requests apart that run at once', async () => {
      const tenants = Array.from({ length: 40 }, (_, n) => ['initech', 'hooli', 'umbrella', 'cyberdyne'][n % 4]!)
      const written = await Promise.all(
        tenants.map((of, n) => app.ask(of, '', { ...somebody, name: of, email: `${n}@example.com` })),
      )
      expect(written.filter(({ status }) => status !== 201)).toEqual([])
      const read = await Promise.all(tenants.map((of, n) => app.ask(of, `/${written[n]!.body.id}`)))
      expect(read.map(({ body }) => body.name)).toEqual(tenants)
    })

    it('ends when it is told to, and has written no value into its log', async () => {
      expect(await app.stop()).toBe(0)
      const log = app.printed().toLowerCase()
      expect(log).toContain('listening')
      for (const value of Object.values(somebody).flat()) expect(log).not.toContain(`${value}`.toLowerCase())
    })
  })

  describe(`examples/${name}, in production with Vault`, () => {
    const email = 'kms@example.com'
    let app: AskedApp
    beforeAll(async () => {
      app = await start({ ...local, NODE_ENV: 'production', VAULT_ADDR: vault.url, VAULT_TOKEN: vault.token })
    }, 120_000)

    it('answers 503 while the KMS is down, but to those whose keys it has, and goes on after', async () => {
      expect(await app.ask('warm', '', { ...somebody, email })).toMatchObject({ status: 201 })
      const before = await stored()
      vault.faults.add({ kind: 'error', code: 'Vault is sealed', times: 'always' })
      const down = { status: 503, body: { error: 'KMS_UNAVAILABLE' }, retry: '5' }
      expect(await app.ask('cold', '', { ...somebody, email })).toEqual(down)
      expect(await app.ask('warm', '/search', { email })).toMatchObject({ status: 200, body: [{ email }] })
      expect(await stored()).toEqual(before)
      vault.faults.clear()
      const again = () => app.ask('cold', '', { ...somebody, email })
      await eventually(async () => expect(await again()).toMatchObject({ status: 201 }))
    })

    it('answers what was asked before it is told to end', async () => {
      vault.faults.add({ kind: 'hold', times: 'always' })
      const calls = vault.calls.count()
      const asked = app.ask('late', '', { ...somebody, email })
      await vault.calls.until((all) => all.count() > calls)
      const ended = app.stop()
      // On a connection that is kept, as a load balancer's are.
      await eventually(() => expect(fetch(app.address)).rejects.toThrow('fetch failed'))
      expect(app.process.exitCode).toBe(null)
      vault.faults.clear()
      expect(await asked).toMatchObject({ status: 201, body: { email } })
      expect(await ended).toBe(0)
      expect(app.printed()).toContain('KMS_UNAVAILABLE')
      expect(app.printed()).not.toContain(email)
    })
  })
}
