import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startVaultEmulator, type VaultEmulator } from '../../src/testing/index.js'
import { copyProject, packPackage } from '../package/packed.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { freePort } from '../support/freePort.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { runSql } from '../support/sql.js'
import type { Deployment } from './docker/deployment.js'
import { buildInDocker } from './docker/inDocker.js'
import { buildInFolder } from './docker/inFolder.js'

const run = promisify(execFile)
const MINUTES = 60_000
const EMPTY = resolve('test/typeorm/fixtures/empty.prisma')
const SECRET = randomUUID()

let folder: string
let deployment: Deployment
let database: TestDatabase
let vault: VaultEmulator

/** A copy of the app as its checkout would be, with a lock file, and a key that somebody left there. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fieldseal-docker-'))
  await copyProject(resolve('examples/docker'), folder)
  // By such a name the Dockerfile takes it along, until the registry has the package.
  const tarball = 'package-fieldseal.tgz'
  await rename(join(folder, (await packPackage(folder)).filename), join(folder, tarball))
  const install = ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await run('npm', [...install, `./${tarball}`], { cwd: folder })
  for (const file of ['.env', 'kek.key']) await writeFile(join(folder, file), SECRET)

  database = await createDatabase({ schema: EMPTY })
  const appRoles = [{ roleId: 'clinic', secretId: SECRET, policies: ['fieldseal'] }]
  vault = await startVaultEmulator({ appRoles })
  deployment = (await buildInDocker(folder)) ?? (await buildInFolder(folder))
}, 20 * MINUTES)
afterAll(async () => {
  await deployment?.remove()
  await vault?.close()
  await database?.drop()
  if (folder) await rm(folder, { recursive: true })
}, 5 * MINUTES)

describe('the app of the Dockerfile, with the packed package', () => {
  it(
    'makes its tables in a step before, serves with the addon as another user than root, and ends when it is told to',
    async () => {
      await deployment.run('migrate', { DATABASE_URL: database.url })

      const port = await freePort()
      const app = await deployment.start({
        DATABASE_URL: database.url,
        PORT: String(port),
        VAULT_ADDR: vault.url,
        VAULT_ROLE_ID: 'clinic',
        VAULT_SECRET_ID: SECRET,
      })
      let code: number | undefined
      onTestFinished(async () => code ?? (await app.stop()))
      await eventually(async () => expect(await app.health()).toBe('healthy'), { timeout: 3 * MINUTES, interval: 500 })
      expect(await app.user()).toBe('node')

      const ask = async (path: string, clinic: string, sent?: object) => {
        const body = sent && { method: 'POST', body: JSON.stringify(sent) }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-tenant': clinic }, ...body })
        return { status: response.status, body: await response.json() }
      }
      expect(await ask('/health', '')).toEqual({ status: 200, body: { engine: 'native' } })
      const ada = { name: 'Ada', email: 'Ada@example.com' }
      expect(await ask('/patients', 'acme', ada)).toMatchObject({ status: 200, body: ada })
      expect(await ask('/patients?email=ada@example.com', 'acme')).toMatchObject({ status: 200, body: [ada] })
      expect(await ask('/patients?email=ada@example.com', 'globex')).toEqual({ status: 200, body: [] })
      expect(await ask('/patients', '', ada)).toEqual({ status: 401, body: { error: 'TENANT_INVALID' } })
      const [row] = await runSql(database.url, 'SELECT name, email FROM "Patient"')
      for (const value of Object.values(row!)) expect(value).toMatch(/^fs1\./)
      expect(await runSql(database.url, 'SELECT DISTINCT kms FROM encryption_keys')).toEqual([{ kms: 'vault' }])

      code = await app.stop()
      expect(code).toBe(0)
    },
    10 * MINUTES,
  )

  it(
    'has no file in its image with a key that lay beside the Dockerfile',
    async () => {
      expect(await deployment.filesWith(SECRET)).toEqual([])
      expect(await deployment.filesWith('fieldseal-docker')).not.toEqual([])
    },
    5 * MINUTES,
  )
})
