import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import { type EncryptionSchema, fieldEncryption } from 'fieldseal/prisma'
import type { KmsEmulator } from 'fieldseal/testing'
import { prismaGenerate, provider } from '../prisma/generator/prismaGenerate.js'
import { emulatedKms } from '../support/clinic.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { prismaSchema, type Twin } from './prismaSchema.js'
import { clientName, type Schema } from './schema.js'
import type { ClientValues } from './values.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

export type Delegate = { [operation: string]: (args: unknown) => Promise<unknown> } & {
  fields: { [field: string]: unknown }
}

/** A client without the types that only generated code has. */
export type Client = { [model: string]: Delegate } & {
  $transaction(work: unknown): Promise<unknown>
  $executeRawUnsafe(sql: string): Promise<number>
  $queryRawUnsafe(sql: string): Promise<{ [column: string]: unknown }[]>
  $extends(extension: unknown): Client
  $forTenant(tenant: string): Client
  $disconnect(): Promise<void>
  $on(event: 'query', listener: (event: { query: string }) => void): void
}

interface Generated {
  readonly PrismaClient: new (options: object) => Client
  readonly Prisma: ClientValues
}

/** A client under test. */
export interface Side {
  readonly client: Client
  readonly Prisma: ClientValues
  takeSql(): string[]
}

/** Both clients of one schema. */
export interface Twins {
  readonly schema: Schema
  readonly plain: Side
  readonly encrypted: Side
  /** The encrypted tables as they are. */
  readonly stored: Client
  /** Empties all tables but the keys'. */
  empty(): Promise<void>
  close(): Promise<void>
}

/** Generates both clients by the real `prisma generate`, and opens them on databases of their own. */
export async function openTwins(schema: Schema, emulator: KmsEmulator): Promise<Twins> {
  const [plain, encrypted] = await Promise.all([open(schema, 'plain'), open(schema, 'encrypted')])
  const { encryptionSchema }: { encryptionSchema: EncryptionSchema } = await import(
    join(encrypted.folder, 'generated/encryption/index.ts')
  )
  const extended = encrypted.client.$extends(fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(emulator) }))
  return {
    schema,
    plain,
    encrypted: { ...encrypted, client: extended.$forTenant('acme') },
    stored: encrypted.client,
    async empty() {
      await Promise.all([plain, encrypted].map(({ client }) => client.$executeRawUnsafe(deleteAll(schema))))
      for (const side of [plain, encrypted]) side.takeSql()
    },
    async close() {
      await Promise.all([plain.close(), encrypted.close()])
    },
  }
}

interface Opened extends Side {
  readonly folder: string
  close(): Promise<void>
}

async function open(schema: Schema, twin: Twin): Promise<Opened> {
  const folder = await generatedFolder(schema, twin)
  const generated: Generated = await import(join(folder, 'generated/client/client.ts'))
  const database: TestDatabase = await createDatabase({ schema: join(folder, 'schema.prisma') })
  const adapter = new PrismaPg({ connectionString: database.url, max: 4 })
  const client = new generated.PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }] })
  const statements: string[] = []
  client.$on('query', ({ query }) => statements.push(query))
  return {
    client,
    folder,
    Prisma: generated.Prisma,
    takeSql: () => statements.splice(0),
    async close() {
      await client.$disconnect()
      await database.drop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Inside the repository, so that the generated code finds its packages. */
async function generatedFolder(schema: Schema, twin: Twin): Promise<string> {
  mkdirSync(join(root, '.tmp'), { recursive: true })
  const folder = mkdtempSync(join(root, `.tmp/${twin}-${randomBytes(2).toString('hex')}`))
  const file = join(folder, 'schema.prisma')
  writeFileSync(file, prismaSchema(schema, twin, provider))
  const { code, output } = await prismaGenerate(file)
  if (code !== 0) throw new Error(`prisma generate failed\n${prismaSchema(schema, twin, provider)}\n${output}`)
  return folder
}

/** In one statement, so that no foreign key stands in the way; much faster than TRUNCATE on a few rows. */
function deleteAll({ models }: Schema): string {
  const deletes = models.map(({ name, table }, position) => `d${position} AS (DELETE FROM "${table ?? name}")`)
  return `WITH ${deletes.join(', ')} SELECT 1`
}

export function delegateOf(client: Client, schema: Schema, model: string): Delegate {
  return client[clientName(schema.models.find(({ name }) => name === model)!)]!
}
