// @ts-check
const { PrismaPg } = require('@prisma/adapter-pg')
const { afterAll, beforeAll, describe, expect, it } = require('@jest/globals')
const { FieldsealError, withTenant } = require('fieldseal')
const { assertEncrypted, fieldEncryption } = require('fieldseal/prisma')
const { tencentKms } = require('fieldseal/tencent-kms')
const { startKmsEmulator } = require('fieldseal/testing')
const { kms } = require('tencentcloud-sdk-nodejs-kms')
const { encryptionSchema } = require('../../generated/encryption/index.js')
const { PrismaClient } = require('../../generated/prisma/client.js')
const manifest = require('../../package.json')

const data = { clinicId: 'acme', number: 1, name: 'Ada', email: 'ada@example.com', history: { allergies: ['nuts'] } }
const bytes = Uint8Array.of(0, 1, 254, 255)

/** @type {Awaited<ReturnType<typeof open>>} */
let world
beforeAll(async () => {
  world = await open()
})
afterAll(() => world?.close())

describe('the package in a CommonJS project', () => {
  it('has every entry point, built for CommonJS', () => {
    const entries = Object.keys(manifest.exports).map((path) => path.replace('.', manifest.name))
    const files = entries.map((entry) => require.resolve(entry))
    expect(files.filter((file) => !/[\\/]dist[\\/].+\.cjs$/.test(file))).toEqual([
      require.resolve('../../package.json'),
    ])
    for (const entry of entries) expect(Object.keys(require(entry))).not.toEqual([])
  })

  it('writes ciphertext, and reads back what was written, of every kind of value', async () => {
    const { plain, prisma } = world
    assertEncrypted(prisma)
    const acme = prisma.$forTenant('acme')
    const { id } = await acme.patient.create({ data: { ...data, photo: bytes } })
    const where = { id }
    expect(await acme.patient.findUniqueOrThrow({ where })).toMatchObject({ ...data, photo: bytes })
    const stored = await plain.patient.findUniqueOrThrow({ where })
    for (const value of [stored.name, stored.email, stored.history]) expect(value).toMatch(/^fs1\./)
    expect(Buffer.from(stored.photo ?? []).toString('latin1')).toMatch(/^fs1\./)
    expect(await acme.patient.findMany({ where: { email: data.email }, select: { id: true } })).toEqual([{ id }])
  })

  it('takes the tenant of the asynchronous context', async () => {
    const read = () => world.prisma.patient.findFirst({ where: { number: 1 } })
    expect(await withTenant('acme', async () => read())).toMatchObject({ name: 'Ada' })
  })

  it('refuses another tenant with its own error', async () => {
    const error = await world.prisma
      .$forTenant('globex')
      .patient.findFirst({ where: { number: 1 } })
      .catch((/** @type {unknown} */ thrown) => thrown)
    expect(FieldsealError.is(error, 'TENANT_MISMATCH')).toBe(true)
    expect(error).toBeInstanceOf(FieldsealError)
  })
})

async function open() {
  const emulator = await startKmsEmulator()
  const plain = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 3 }) })
  const client = new kms.v20190118.Client(emulator.clientConfig())
  const { keyId } = emulator
  await plain.clinic.createMany({ data: ['acme', 'globex'].map((id) => ({ id, name: id })) })
  return {
    plain,
    prisma: plain.$extends(fieldEncryption({ schema: encryptionSchema, kms: tencentKms({ client, keyId }) })),
    async close() {
      await plain.$disconnect()
      await emulator.close()
    },
  }
}
