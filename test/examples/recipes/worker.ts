import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startVaultEmulator, type VaultEmulator } from '../../../src/testing/index.js'
import type { Workspace } from '../../package/packed.js'
import { createDatabase, type TestDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { runSql } from '../../support/sql.js'
import { type App, startApp } from './app.js'
import { EMPTY } from './empty.js'

const EMAIL = 'Ada@example.com'

/** Takes mails, and answers as a test wants it to. */
interface MailService {
  readonly url: string
  readonly received: string[]
  answers: (response: ServerResponse) => void
  readonly server: Server
}

async function startMailService(): Promise<MailService> {
  const received: string[] = []
  const server = createServer(async (request, response) => {
    received.push(JSON.parse(await text(request)).to)
    service.answers(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service: MailService = { url, received, server, answers: (response) => response.end() }
  return service
}

export function describeWorker(workspace: () => Workspace): void {
  let database: TestDatabase
  let vault: VaultEmulator
  let mail: MailService
  let env: NodeJS.ProcessEnv
  let worker: App

  beforeAll(async () => {
    database = await createDatabase({ schema: EMPTY })
    vault = await startVaultEmulator()
    mail = await startMailService()
    env = { DATABASE_URL: database.url, VAULT_ADDR: vault.url, VAULT_TOKEN: vault.token, MAIL_URL: mail.url }
  })
  afterAll(async () => {
    mail?.server.closeAllConnections()
    mail?.server.close()
    await vault?.close()
    await database?.drop()
  })

  /** Their ids. */
  async function admit(...patients: readonly object[]): Promise<string[]> {
    const app = startApp(workspace(), 'worker', env, 'dist/admit.js')
    app.process.stdin!.end(patients.map((patient) => `${JSON.stringify(patient)}\n`).join(''))
    expect(await app.ended).toBe(0)
    return app.printed().trim().split('\n')
  }
  const jobs = (where: string) => runSql(database.url, `SELECT * FROM pgboss.job WHERE ${where}`)
  const jobOf = async (id: string) => (await jobs(`name = 'reminders' AND data ->> 'patientId' = '${id}'`))[0]!

  describe('examples/worker', () => {
    it('puts ids and the tenant into the queue, with the patient or not at all', async () => {
      const [ada, twin] = await admit({ clinic: 'acme', email: EMAIL }, { clinic: 'globex', email: EMAIL })
      const waiting = await jobs(`name = 'reminders'`)
      expect(waiting.map(({ data }) => data)).toEqual(
        expect.arrayContaining([
          { tenant: 'acme', patientId: ada },
          { tenant: 'globex', patientId: twin },
        ]),
      )
      const patients = await runSql(database.url, 'SELECT email FROM patient')
      expect(new Set(patients.map(({ email }) => email)).size).toBe(2)
      for (const { email } of patients) expect(email).toMatch(/^fs1\.[\w-]+$/)
    })

    it('tries again what cannot be done while the KMS is down, and then does it, for each tenant', async () => {
      vault.faults.add({ kind: 'error', code: 'Vault is sealed', times: 'always' })
      worker = startApp(workspace(), 'worker', env, 'dist/main.js')
      const failed = `name = 'reminders' AND state = 'retry' AND output ->> 'message' = 'KMS_UNAVAILABLE'`
      await eventually(async () => expect(await jobs(failed)).toHaveLength(2), { timeout: 90_000 })
      expect(mail.received).toEqual([])
      vault.faults.clear()
      const done = `name = 'reminders' AND state = 'completed'`
      await eventually(async () => expect(await jobs(done)).toHaveLength(2), { timeout: 90_000 })
      expect(mail.received).toEqual([EMAIL, EMAIL])
      expect(await runSql(database.url, 'SELECT FROM patient WHERE "remindedAt" IS NULL')).toEqual([])
    })

    it('refuses for good what no attempt will change, such as another tenant’s patient', async () => {
      const [{ id }] = (await runSql(database.url, `SELECT id FROM patient WHERE clinic = 'acme'`)) as [{ id: string }]
      await runSql(database.url, 'UPDATE patient SET "remindedAt" = NULL')
      const payload = JSON.stringify({ tenant: 'globex', patientId: id })
      await runSql(database.url, `INSERT INTO pgboss.job (name, data) VALUES ('reminders', '${payload}')`)
      const refused = async () => (await jobs(`name = 'reminders-refused'`)).map(({ data }) => data)
      const expected = [{ tenant: 'globex', patientId: id, code: 'TENANT_MISMATCH' }]
      await eventually(async () => expect(await refused()).toEqual(expected), { timeout: 90_000 })
      expect(mail.received).toHaveLength(2)
    })

    it('tries again when the mail service fails, and ends what it has begun when it is told to end', async () => {
      const held = new Promise<ServerResponse>((resolve) => {
        mail.answers = (response) => {
          mail.answers = resolve
          response.writeHead(500).end()
        }
      })
      const [late] = (await admit({ clinic: 'acme', email: 'late@example.com' })) as [string]
      const response = await held
      expect(await jobOf(late)).toMatchObject({ state: 'active', retry_count: 1 })
      expect(mail.received.slice(2)).toEqual(['late@example.com', 'late@example.com'])

      const ended = worker.stop()
      const [next] = (await admit({ clinic: 'acme', email: 'next@example.com' })) as [string]
      expect(worker.process.exitCode).toBe(null)
      response.end()
      expect(await ended).toBe(0)
      expect(await jobOf(late)).toMatchObject({ state: 'completed' })
      expect(await jobOf(next)).toMatchObject({ state: 'created' })
    })

    it('leaves no value in its log, nor in any table of the queue', async () => {
      expect(worker.printed()).toContain('KMS_UNAVAILABLE')
      expect(worker.printed()).not.toMatch(/@example/i)
      const kept = JSON.stringify([await jobs('true'), await runSql(database.url, 'SELECT * FROM pgboss.archive')])
      expect(kept).toContain('TENANT_MISMATCH')
      expect(kept).not.toMatch(/@example/i)
    })
  })
}
