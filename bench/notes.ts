import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { kms } from 'tencentcloud-sdk-nodejs-kms'
import { encryptionSchema } from '../generated/bench/encryption/index.js'
import { PrismaClient } from '../generated/bench/prisma/client.js'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'

export const FIELDS = ['a', 'b', 'c', 'd', 'e', 'f'] as const
/** 40 characters, as in the figures that are compared with. */
const LENGTH = 40

export interface NoteData {
  readonly id: number
  readonly tenant: string
  readonly a: string
  readonly b: string
  readonly c: string
  readonly d: string
  readonly e: string
  readonly f: string
}

/** `count` rows of six strings each, for one tenant. */
export function makeNotes(count: number, tenant = 'acme', firstId = 1): NoteData[] {
  return Array.from({ length: count }, (_, row) => {
    const value = (field: string) => `${field}${firstId + row} `.padEnd(LENGTH, 'lorem ipsum dolor ')
    const [a, b, c, d, e, f] = FIELDS.map(value) as [string, string, string, string, string, string]
    return { id: firstId + row, tenant, a, b, c, d, e, f }
  })
}

/** PostgreSQL, the emulated KMS, a plain client and an encrypting one. */
export async function openNotes() {
  const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
  const url = process.env.TEST_DATABASE_URL ?? server!.url
  await applySchema(url, 'bench/schema.prisma')
  const emulator = await startKmsEmulator()
  const open = (keys: { max?: number } = {}) => {
    const base = new PrismaClient({
      adapter: new PrismaPg({ connectionString: url, max: 5 }),
      log: [{ emit: 'event', level: 'query' }],
    })
    const client = new kms.v20190118.Client(emulator.clientConfig())
    const encryption = fieldEncryption({
      schema: encryptionSchema,
      kms: tencentKms({ client, keyId: emulator.keyId }),
      keys,
    })
    return { base, prisma: base.$extends(encryption) }
  }
  const plain = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) })
  for (const table of [plain.note, plain.plainNote, plain.encryptionKey] as { deleteMany(): Promise<unknown> }[]) {
    await table.deleteMany()
  }
  return {
    plain,
    emulator,
    open,
    async close() {
      await plain.$disconnect()
      await emulator.close()
      await server?.stop()
    },
  }
}
