const { PrismaPg } = require('@prisma/adapter-pg')
const { FieldsealError, withTenant } = require('fieldseal')
const { hierarchicalKms } = require('fieldseal/hierarchical-kms')
const { localKms } = require('fieldseal/local-kms')
const { assertEncrypted, fieldEncryption } = require('fieldseal/prisma')
const { tencentKms } = require('fieldseal/tencent-kms')
const testing = require('fieldseal/testing')
const { encryptionSchema } = require('./generated/encryption')
const { PrismaClient } = require('./generated/prisma')

async function main() {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
  const plain = new PrismaClient({ adapter })
  const prisma = plain.$extends(
    fieldEncryption({ schema: encryptionSchema, kms: hierarchicalKms({ kms: localKms({ env: 'KEK' }) }) }),
  )
  assertEncrypted(prisma)

  const data = { tenantId: 'acme', name: 'Ada', email: 'ada@example.com', phone: '+49 30 1', notes: { vip: true } }
  const { id } = await prisma.$forTenant('acme').customer.create({ data })
  const read = await withTenant('acme', () => prisma.customer.findUniqueOrThrow({ where: { id } }))
  const stored = await plain.customer.findUniqueOrThrow({ where: { id } })
  const refused = await prisma
    .$forTenant('evil')
    .customer.findMany()
    .catch((error) => (FieldsealError.is(error) ? error.code : error))
  await plain.$disconnect()

  const functions = [typeof tencentKms, typeof hierarchicalKms, typeof testing.startKmsEmulator]
  console.log(JSON.stringify({ read, stored, refused, functions }))
}

main()
