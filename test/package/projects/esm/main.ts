import { PrismaPg } from '@prisma/adapter-pg'
import { FieldsealError, withTenant } from 'fieldseal'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { assertEncrypted, fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import * as testing from 'fieldseal/testing'
import { encryptionSchema } from './generated/encryption/index.js'
import { PrismaClient } from './generated/prisma/client.js'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL ?? '' })
const plain = new PrismaClient({ adapter })
const prisma = plain.$extends(fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'KEK' }) }))
assertEncrypted(prisma)

const data = { tenantId: 'acme', name: 'Ada', email: 'ada@example.com', phone: '+49 30 1', notes: { vip: true } }
const { id } = await prisma.$forTenant('acme').customer.create({ data })
const read = await withTenant('acme', () => prisma.customer.findUniqueOrThrow({ where: { id } }))
const stored = await plain.customer.findUniqueOrThrow({ where: { id } })
const refused = await prisma
  .$forTenant('evil')
  .customer.findMany()
  .catch((error: unknown) => (FieldsealError.is(error) ? error.code : error))
await plain.$disconnect()

const functions = [typeof tencentKms, typeof hierarchicalKms, typeof testing.startKmsEmulator]
console.log(JSON.stringify({ read, stored, refused, functions }))
