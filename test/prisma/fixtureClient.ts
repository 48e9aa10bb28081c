import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  type AccessOptions,
  type EncryptionMethods,
  type EncryptionSchema,
  type FieldEncryptionOptions,
  fieldEncryption,
} from 'fieldseal/prisma'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { emulatedKms } from '../support/clinic.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { prismaGenerate, useSource } from './generator/prismaGenerate.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))

export type Row = { [field: string]: unknown }
type Operation = (args?: object) => Promise<Row> & { [relation: string]: (args?: object) => Promise<Row> }
type Many = (args?: object) => Promise<Row[]>

/** A model delegate without the types that only generated code has. */
export interface Delegate {
  create: Operation
  update: Operation
  upsert: Operation
  delete: Operation
  findUniqueOrThrow: Operation
  findFirst: Operation
  findMany: Many
  createManyAndReturn: Many
  createMany: Operation
  updateMany: Operation
  updateManyAndReturn: Many
  deleteMany: Operation
  findUnique: Operation
  aggregate: Operation
  groupBy: Many
  count: (args?: object) => Promise<number>
  fields: Row
}

/** A client of a fixture. */
export type FixtureClient = { [model: string]: Delegate } & {
  $queryRawUnsafe(sql: string, ...values: unknown[]): Promise<Row[]>
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>
  $transaction<T>(work: (tx: FixtureClient) => Promise<T>): Promise<T>
  $transaction(batch: readonly Promise<unknown>[]): Promise<unknown[]>
  $extends(extension: unknown): FixtureClient
  $disconnect(): Promise<void>
  $on(event: 'query', listener: (event: { query: string; params: string }) => void): void
  $encryption: EncryptionMethods['$encryption']
  $forTenant(tenant: string, access?: AccessOptions): FixtureClient
  $acrossTenants(access?: AccessOptions): FixtureClient
}

interface GeneratedClient {
  readonly PrismaClient: new (options: object) => FixtureClient
  readonly Prisma: {
    readonly skip: unknown
    readonly DbNull: unknown
    readonly JsonNull: unknown
    readonly AnyNull: unknown
  }
}

export interface Fixture {
  readonly Prisma: GeneratedClient['Prisma']
  readonly schema: EncryptionSchema
  readonly plain: FixtureClient
  readonly prisma: FixtureClient
  /** The client under `prisma`. */
  readonly base: FixtureClient
  readonly emulator: KmsEmulator
  readonly database: TestDatabase
  /** Where its schema and generated code are; removed in the end. */
  readonly folder: string
  /** Another encrypted client, as another process would have it. */
  another(options?: Partial<FieldEncryptionOptions>, base?: object): FixtureClient
  /** A client of its own on the same database, not extended. */
  open(options?: object): FixtureClient
  takeSql(): string[]
  /** The database's address. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Opens the client of a fixture, which the real `prisma generate` made, encrypted for one tenant.
 *
 * @param server the address of another PostgreSQL than the run's
 */
export async function openFixture(
  name: string,
  options: Partial<FieldEncryptionOptions> = {},
  server?: string,
): Promise<Fixture> {
  const folder = await generatedFolder(name)
  const schemaFile = join(folder, name)
  const generated: GeneratedClient = await import(clientOf(folder))
  const { encryptionSchema }: { encryptionSchema: EncryptionSchema } = await import(
    join(folder, 'generated/encryption/index.ts')
  )
  const [database, emulator] = await Promise.all([
    createDatabase({ schema: schemaFile, ...(server === undefined ? {} : { server }) }),
    startKmsEmulator(),
  ])

  const clients: FixtureClient[] = []
  const open = (options: object = {}) => {
    const adapter = new PrismaPg({ connectionString: database.url, max: 3 })
    const client = new generated.PrismaClient({ adapter, log: [{ emit: 'event', level: 'query' }], ...options })
    clients.push(client)
    return client
  }
  const base = open()
  const statements: string[] = []
  base.$on('query', ({ query }) => statements.push(query))
  const encryption = { schema: encryptionSchema, kms: emulatedKms(emulator), defaultTenant: 'acme', ...options }

  return {
    Prisma: generated.Prisma,
    schema: encryptionSchema,
    plain: open(),
    base,
    prisma: base.$extends(fieldEncryption(encryption)),
    emulator,
    database,
    folder,
    another: (other = {}, own = {}) => open(own).$extends(fieldEncryption({ ...encryption, ...other })),
    open,
    takeSql: () => statements.splice(0),
    url: database.url,
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()))
      await Promise.all([emulator.close(), database.drop()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function clientOf(folder: string): string {
  const [current, legacy] = ['client/client.ts', 'client/index.js'].map((path) => join(folder, 'generated', path))
  return existsSync(current!) ? current! : legacy!
}

/** A copy of its own of what is generated. Inside the repository, so that the generated code finds its packages. */
async function generatedFolder(name: string): Promise<string> {
  const made = await generatedOnce(name)
  const folder = mkdtempSync(join(root, '.tmp/fixture-'))
  cpSync(made, folder, { recursive: true })
  return folder
}

/** A fixture and its generated code: a `prisma generate` takes seconds, so that test files share what it made. */
async function generatedOnce(name: string): Promise<string> {
  const schema = readFileSync(join(fixtures, name), 'utf8')
  const made = join(root, `.tmp/generated-${name}-${digestOf(schema)}`)
  if (existsSync(made)) return made
  mkdirSync(join(root, '.tmp'), { recursive: true })
  const draft = mkdtempSync(join(root, '.tmp/draft-'))
  writeFileSync(join(draft, name), useSource(schema))
  const { code, output } = await prismaGenerate(join(draft, name))
  if (code !== 0) throw new Error(`prisma generate failed for ${name}\n${output}`)
  try {
    renameSync(draft, made)
  } catch (error) {
    rmSync(draft, { recursive: true })
    // Another test file was quicker.
    if (!existsSync(made)) throw error
  }
  return made
}

/** Of all that generated code depends on. */
function digestOf(schema: string): string {
  const built = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.js'),
  )
  const files = ['package-lock.json', ...built.sort().map((path) => join('dist', path))]
  const hash = createHash('sha256').update(schema)
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(root, file)))
  return hash.digest('hex').slice(0, 12)
}
