import { PrismaPg } from '@prisma/adapter-pg'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '../generated/encryption'
import { PrismaClient } from '../generated/prisma/client'

export function openDatabase() {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
  const kms = localKms({ env: 'FIELDSEAL_KEY' })
  return new PrismaClient({ adapter }).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
}
