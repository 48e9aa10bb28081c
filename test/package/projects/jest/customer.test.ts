import { PrismaPg } from '@prisma/adapter-pg'
import { FieldsealError } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import { assertEncrypted, fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from './generated/encryption'
import { PrismaClient } from './generated/prisma/client'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
const plain = new PrismaClient({ adapter })
const prisma = plain.$extends(fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'KEK' }) }))
const data = { tenantId: 'acme', name: 'Ada', email: 'ada@example.com', phone: '+49 30 1', notes: { vip: true } }

afterAll(() => plain.$disconnect())

test('refuses another tenant', async () => {
  await prisma.$forTenant('acme').customer.create({ data })
  const error = await prisma
    .$forTenant('evil')
    .customer.findMany()
    .catch((thrown) => thrown)
  expect(FieldsealError.is(error, 'TENANT_MISMATCH')).toBe(true)
})

test('writes ciphertexts and reads plaintexts', async () => {
  assertEncrypted(prisma)
  const { id } = await prisma.$forTenant('acme').customer.create({ data })
  expect(await prisma.$forTenant('acme').customer.findUnique({ where: { id } })).toEqual({ id, ...data })
  const stored = await plain.customer.findUniqueOrThrow({ where: { id } })
  for (const value of [stored.email, stored.phone, stored.notes]) expect(value).toMatch(/^fs1\./)
})
