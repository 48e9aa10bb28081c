import { PrismaPg } from '@prisma/adapter-pg'
import { type FieldEncryptionOptions, fieldEncryption } from 'fieldseal/prisma'
import { type TencentKmsOptions, tencentKms } from 'fieldseal/tencent-kms'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'
import { createDatabase, type TestDatabase } from './database.js'

/** The clinic of prisma/schema.prisma on a fresh database, with keys from an emulated Tencent KMS. */
export interface ClinicUnderTest {
  readonly database: TestDatabase
  readonly emulator: KmsEmulator
  /** Sees the tables as they are. */
  readonly plain: ReturnType<typeof plainClient>
  /** Encrypts. */
  readonly prisma: ReturnType<typeof encryptedClient>
  /** The SQL statements sent since the last call, by the client under `prisma`. */
  takeSql(): string[]
  /** Another encrypted client, as another process would have it: no shared memory but the database. */
  another(options?: ClientOptions): ReturnType<typeof encryptedClient>
  close(): Promise<void>
}

export interface ClientOptions extends Partial<FieldEncryptionOptions> {
  /** Connections in the pool; 5 unless given. */
  readonly pool?: number
}

/** Opens a clinic with two tenants, `acme` and `globex`. */
export async function openClinic(options: ClientOptions = {}): Promise<ClinicUnderTest> {
  const database = await createDatabase()
  const emulator = await startKmsEmulator()
  const plain = plainClient(database.url)
  const clients: { $disconnect(): Promise<void> }[] = [plain]
  const statements: string[] = []

  const open = ({ pool = 5, ...encryption }: ClientOptions, log?: (statement: string) => void) => {
    const base = plainClient(database.url, pool)
    if (log) base.$on('query', ({ query }) => log(query))
    clients.push(base)
    return encryptedClient(base, { kms: emulatedKms(emulator), ...encryption })
  }
  const prisma = open(options, (statement) => statements.push(statement))
  await plain.clinic.createMany({ data: ['acme', 'globex'].map((id) => ({ id, name: id })) })

  return {
    database,
    emulator,
    plain,
    prisma,
    takeSql: () => statements.splice(0),
    another: (other = {}) => open(other),
    async close() {
      await Promise.all(clients.map((client) => client.$disconnect()))
      await Promise.all([emulator.close(), database.drop()])
    },
  }
}

export function plainClient(url: string, pool = 5) {
  return new PrismaClient({
    adapter: new PrismaPg({ connectionString: url, max: pool }),
    log: [{ emit: 'event', level: 'query' }],
  })
}

/** A KMS adapter on the emulator, through the official SDK. */
export function emulatedKms(emulator: KmsEmulator, options: EmulatedKmsOptions = {}) {
  const { credential, ...limits } = options
  const client = new kms.v20190118.Client(emulator.clientConfig(credential && { credential }))
  return tencentKms({ client, keyId: emulator.keyId, ...limits })
}

interface EmulatedKmsOptions extends Omit<TencentKmsOptions, 'client' | 'keyId'> {
  readonly credential?: KmsEmulator['credential']
}

export function encryptedClient(
  base: ReturnType<typeof plainClient>,
  options: Omit<FieldEncryptionOptions, 'schema'> & Partial<Pick<FieldEncryptionOptions, 'schema'>>,
) {
  return base.$extends(fieldEncryption({ schema: encryptionSchema, ...options }))
}
