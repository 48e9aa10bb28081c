import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import { startVaultEmulator, type VaultEmulator } from '../../../src/testing/index.js'
import type { Workspace } from '../../package/packed.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { runSql } from '../../support/sql.js'
import { type App, startApp } from './app.js'
import { EMPTY } from './empty.js'

const SHOPS = ['initech', 'hooli', 'umbrella', 'cyberdyne']
const address = { street: 'Deribasivska 1', city: 'Odesa' }

interface Answer {
  readonly statusCode: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/** An instance of the function: a process. */
interface Instance extends App {
  send(tenant: string | undefined, route: string, body: unknown): void
  /** The answer that comes next. */
  next(): Promise<Answer>
  invoke(tenant: string | undefined, route: string, body: unknown): Promise<Answer>
}

const order = (email: string, id = randomUUID()) => ({ id, email, address, cents: 1990 })

export function describeServerless(workspace: () => Workspace): void {
  let database: TestDatabase
  let vault: VaultEmulator
  let env: NodeJS.ProcessEnv

  beforeAll(async () => {
    database = await createDatabase({ schema: EMPTY })
    vault = await startVaultEmulator()
    env = { DATABASE_URL: database.url, VAULT_ADDR: vault.url, VAULT_TOKEN: vault.token, NODE_ENV: 'production' }
    await workspace().command('serverless', env, 'npm', 'run', 'migrate')
  }, 300_000)
  afterAll(async () => {
    await vault?.close()
    await database?.drop()
  })

  function startInstance(more: NodeJS.ProcessEnv, ...args: string[]): Instance {
    const app = startApp(workspace(), 'serverless', { ...env, ...more }, 'dist/local.js', ...args)
    const answers = createInterface({ input: app.process.stdout! })[Symbol.asyncIterator]()
    const send: Instance['send'] = (tenant, routeKey, body) => {
      const authorizer = tenant === undefined ? {} : { authorizer: { jwt: { claims: { tenant } } } }
      const event = {
        routeKey,
        body: typeof body === 'string' ? body : JSON.stringify(body),
        requestContext: authorizer,
      }
      app.process.stdin!.write(`${JSON.stringify(event)}\n`)
    }
    const next = async () => {
      const { value, done } = await answers.next()
      if (done) throw new Error(`it has ended: ${app.printed()}`)
      return JSON.parse(value) as Answer
    }
    const invoke: Instance['invoke'] = (...event) => {
      send(...event)
      return next()
    }
    return { ...app, send, next, invoke }
  }
  async function end(instance: Instance): Promise<void> {
    instance.process.stdin!.end()
    expect(await instance.ended).toBe(0)
  }
  const connections = async () =>
    (await runSql(database.url, 'SELECT FROM pg_stat_activity WHERE datname = current_database()')).length - 1

  describe('examples/serverless', () => {
    it('keeps its client and keys from one invocation to the next, each tenant’s its own', async () => {
      const instance = startInstance({})
      const placed = order('Ada@example.com')
      expect(await instance.invoke('acme', 'POST /orders', placed)).toMatchObject({ statusCode: 200 })
      const asked = vault.calls.count()
      expect(asked).toBeGreaterThan(0)
      const found = await instance.invoke('acme', 'POST /orders/search', { email: 'ada@EXAMPLE.com ' })
      expect(JSON.parse(found.body)).toEqual([{ id: placed.id, address, cents: 1990 }])
      expect(vault.calls.count()).toBe(asked)
      expect(await connections()).toBe(1)

      const other = await instance.invoke('globex', 'POST /orders/search', { email: 'ada@example.com' })
      expect(other).toMatchObject({ statusCode: 200, body: '[]' })
      expect(await instance.invoke('globex', 'POST /orders', order('Ada@example.com'))).toMatchObject({
        statusCode: 200,
      })
      const customers = await runSql(database.url, 'SELECT email, "emailIndex" FROM customers')
      for (const { email } of customers) expect(email).toMatch(/^fs1\.[\w-]+$/)
      expect(new Set(customers.map(({ emailIndex }) => emailIndex)).size).toBe(2)
      for (const row of await runSql(database.url, 'SELECT address FROM orders'))
        expect(row.address).toMatch(/^fs1\.[\w-]+$/)

      // Whoever asks again has ordered once.
      expect(await instance.invoke('acme', 'POST /orders', placed)).toMatchObject({ statusCode: 200 })
      expect(await runSql(database.url, 'SELECT FROM orders')).toHaveLength(2)
      await end(instance)
    })

    it('says what is a caller’s fault', async () => {
      const instance = startInstance({})
      const anonymous = await instance.invoke(undefined, 'POST /orders', order('ada@example.com'))
      expect(anonymous).toMatchObject({ statusCode: 401, body: '{"error":"TENANT_MISSING"}' })
      const nobody = await instance.invoke('*', 'POST /orders', order('ada@example.com'))
      expect(nobody).toMatchObject({ statusCode: 400, body: '{"error":"TENANT_INVALID"}' })
      for (const wrong of ['{"email":"ada@example.com"', { ...order('ada@example.com'), cents: 'ada' }]) {
        const refused = { statusCode: 400, body: '{"error":"BODY_INVALID"}' }
        expect(await instance.invoke('acme', 'POST /orders', wrong)).toMatchObject(refused)
      }
      expect(await instance.invoke('acme', 'GET /', {})).toMatchObject({ statusCode: 404 })
      await end(instance)
      expect(instance.printed()).not.toContain('ada')
    })

    it('needs no second connection, cold, with tenants that have no keys, and many invocations at once', async () => {
      const instances = [1, 2].map(() => startInstance({ TIMEOUT: '240000' }, '--at-once'))
      const emails = Array.from({ length: 12 }, (_, n) => `${n}@example.com`)
      for (const instance of instances)
        for (const [n, email] of emails.entries()) instance.send(SHOPS[n % 4], 'POST /orders', order(email))
      for (const instance of instances) {
        const answers: Answer[] = []
        for (const _ of emails) answers.push(await instance.next())
        // Both instances may make one customer at once, and the later one has to ask again.
        const wrong = answers.filter(({ statusCode, body }) => statusCode !== 200 && !body.includes('BUSY'))
        expect(wrong).toEqual([])
        expect(answers.some(({ statusCode }) => statusCode === 200)).toBe(true)
      }
      expect(await connections()).toBe(2)
      await Promise.all(instances.map(end))
    })

    it('fetches the keys of its busiest tenants at the start, and starts without them while the KMS is down', async () => {
      const calls = vault.calls.count()
      const warm = startInstance({ WARM_TENANTS: SHOPS.join() })
      await vault.calls.until((all) => all.count() > calls)
      expect(await warm.invoke('none', 'GET /', {})).toMatchObject({ statusCode: 404 })
      vault.faults.add({ kind: 'error', code: 'Vault is sealed', times: 'always' })
      for (const shop of SHOPS)
        expect(await warm.invoke(shop, 'POST /orders', order('warm@example.com'))).toMatchObject({ statusCode: 200 })
      await end(warm)

      const cold = startInstance({ WARM_TENANTS: SHOPS.join() })
      await cold.prints(/(not warmed up)/)
      const down = { statusCode: 503, headers: { 'retry-after': '5' }, body: '{"error":"KMS_UNAVAILABLE"}' }
      expect(await cold.invoke('hooli', 'POST /orders', order('warm@example.com'))).toMatchObject(down)
      vault.faults.clear()
      const ask = () => cold.invoke('hooli', 'POST /orders', order('warm@example.com'))
      await eventually(async () => expect(await ask()).toMatchObject({ statusCode: 200 }))
      await end(cold)
    })

    it('answers before its own end while the KMS or the database hangs, and goes on after', async () => {
      const instance = startInstance({ TIMEOUT: '8000' })
      const ask = (shop = 'acme') => instance.invoke(shop, 'POST /orders', order('late@example.com'))
      const asked = async () => expect(await ask()).toMatchObject({ statusCode: 200 })
      await eventually(async () => expect(await ask('globex')).toMatchObject({ statusCode: 200 }))
      const failed = (error: string) => ({
        statusCode: 503,
        headers: { 'retry-after': '5' },
        body: `{"error":"${error}"}`,
      })
      vault.faults.add({ kind: 'hold', times: 'always' })
      expect(await ask()).toMatchObject(failed('KMS_UNAVAILABLE'))
      vault.faults.clear()
      await eventually(asked)

      const holder = new pg.Client({ connectionString: database.url })
      await holder.connect()
      await holder.query('BEGIN; LOCK TABLE customers')
      expect(await ask()).toMatchObject(failed('DEADLINE'))
      await holder.end()
      await eventually(asked)
      await end(instance)
      expect(instance.printed()).not.toContain('late@example.com')
    })
  })
}
