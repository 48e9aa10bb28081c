import { createRequire } from 'node:module'
import { PrismaPg } from '@prisma/adapter-pg'
import { tencentKms } from 'fieldseal/tencent-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { fieldEncryptionExtension } from 'prisma-field-encryption'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionSchema } from '../generated/bench/encryption/index.js'
import { PrismaClient } from '../generated/bench/prisma/client.js'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { applySchema } from '../scripts/lib/schemaEngine.js'
import { FIELDS, type Size } from './rows.js'

type Library = typeof import('fieldseal/prisma')

/** The built library, once for each engine: its two builds are modules of their own, and each chooses once. */
async function libraries(): Promise<{ native: Library; node: Library }> {
  const path = '../dist/prisma/index'
  return { native: (await import(`${path}.js`)) as Library, node: createRequire(import.meta.url)(`${path}.cjs`) }
}

/** What prisma-field-encryption needs to know of the models, which Prisma 7 does not tell it. */
function dmmf() {
  const field = (name: string, documentation?: string) => {
    const scalar = { type: name === 'id' ? 'Int' : 'String', kind: 'scalar', isList: false, isUnique: false }
    return { name, ...scalar, isId: name === 'id', documentation }
  }
  const marked = (size: Size) => FIELDS[size].map((name) => field(name, '@encrypted'))
  const notes = { ...field('notes'), type: 'OtherNote', kind: 'object', isList: true }
  const models = [
    ...(['One', 'Note', 'Wide'] as const).map((size) => ({
      name: `Other${size}`,
      fields: [field('id'), ...marked(size)],
    })),
    { name: 'PlainNote', fields: [field('id')] },
    { name: 'OtherFolder', fields: [field('id'), notes] },
    {
      name: 'OtherContact',
      fields: [field('id'), field('email', '@encrypted'), field('emailHash', '@encryption:hash(email)')],
    },
  ]
  return { datamodel: { models } }
}

/** PostgreSQL, the emulated KMS, and a client of each contender. */
export async function openWorld() {
  const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
  const url = process.env.TEST_DATABASE_URL ?? server!.url
  await applySchema(url, 'bench/schema.prisma')
  const emulator = await startKmsEmulator()
  const open = () =>
    new PrismaClient({
      adapter: new PrismaPg({ connectionString: url, max: 5 }),
      log: [{ emit: 'event', level: 'query' }],
    })
  const encryption = ({ fieldEncryption }: Library, engine: string) => {
    process.env.FIELDSEAL_ENGINE = engine
    const client = new kms.v20190118.Client(emulator.clientConfig())
    return fieldEncryption({ schema: encryptionSchema, kms: tencentKms({ client, keyId: emulator.keyId }) })
  }
  const { native, node } = await libraries()
  const plain = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) })
  const encryptionKey = 'k1.aesgcm256.DbQoar8ZLuUsOHZNyrnjlskInHDYlzF3q6y1KGM7DUM='
  const other = plain.$extends(
    fieldEncryptionExtension({ encryptionKey, dmmf: dmmf() as never }),
  ) as unknown as PrismaClient
  return {
    url,
    plain,
    other,
    /** What Prisma itself takes for an extension with a hook, whatever it does. */
    hook: plain.$extends({ query: { $allModels: { $allOperations: ({ args, query }) => query(args) } } }),
    emulator,
    native: plain.$extends(encryption(native, 'native')),
    node: plain.$extends(encryption(node, 'node')),
    /** Another process, as far as keys are concerned. */
    another() {
      const client = open()
      return { base: client, prisma: client.$extends(encryption(native, '')) }
    },
    async close() {
      await plain.$disconnect()
      await emulator.close()
      await server?.stop()
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>
