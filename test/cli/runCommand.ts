import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Migration } from '../maintenance/migration.js'

const program = fileURLToPath(new URL('../../dist/bin/fieldseal.js', import.meta.url))

export const CONFIG = `
import { Agent } from 'node:http'
import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms'
import { PrismaClient } from './generated/client/client'
import { encryptionSchema } from './generated/encryption'

const { KMS_ENDPOINT: endpoint, KMS_KEY_ID: keyId, KMS_SECRET_ID: secretId, KMS_SECRET_KEY: secretKey } = process.env
const client = new kms.v20190118.Client({
  credential: { secretId, secretKey },
  region: 'ap-guangzhou',
  profile: { httpProfile: { protocol: 'http://', endpoint, agent: new Agent({ keepAlive: true }) } },
})
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
const kmsOption: object = tencentKms({ client, keyId: keyId! })

export default defineConfig({
  client: () => new PrismaClient({ adapter }).$extends(
    fieldEncryption({ schema: encryptionSchema, kms: kmsOption as never, defaultTenant: 'acme' }),
  ) as never,
  tenants: { Invoice: 'customer.tenantId' },
})
`

/** Once all encrypted fields are marked `ejecting`. */
export const LEAVING = `import { ejecting } from '../../test/support/ejecting'
${CONFIG.replace('schema: encryptionSchema', 'schema: ejecting(encryptionSchema)')}`

/** Whose folder, database and KMS a command works with. */
export type Commanded = Pick<Migration, 'folder' | 'database' | 'emulator'>

export interface Ended {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

export interface RunningCommand {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Writes the configuration that the command finds in its working folder. */
export function configure({ folder }: Pick<Migration, 'folder'>, config = CONFIG): void {
  writeFileSync(join(folder, 'fieldseal.config.ts'), config)
}

/** Starts `fieldseal` as installed, in the folder of the fixture. */
export function startCommand(migration: Commanded, ...args: string[]): RunningCommand {
  return startCommandWith(migration, {}, ...args)
}

/** The same, with other variables in its environment. */
export function startCommandWith(migration: Commanded, env: NodeJS.ProcessEnv, ...args: string[]): RunningCommand {
  const { folder, database, emulator } = migration
  const { endpoint, credential, keyId } = emulator
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      KMS_ENDPOINT: endpoint,
      KMS_KEY_ID: keyId,
      KMS_SECRET_ID: credential.secretId,
      KMS_SECRET_KEY: credential.secretKey,
      ...env,
    },
  })
  const printed = { output: '', errors: '' }
  child.stdout.on('data', (chunk) => {
    printed.output += String(chunk)
  })
  child.stderr.on('data', (chunk) => {
    printed.errors += String(chunk)
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...printed }))
  return { child, ended }
}

export function runCommand(migration: Commanded, ...args: string[]): Promise<Ended> {
  return startCommand(migration, ...args).ended
}
