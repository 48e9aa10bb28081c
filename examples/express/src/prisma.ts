import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from './generated/encryption/index.js'
import { PrismaClient } from './generated/prisma/client.js'
import { kms } from './kms.js'

export const prisma = new PrismaClient({
  adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }),
  // Messages of its errors without the arguments, which hold what callers sent.
  errorFormat: 'minimal',
  // Of use to the database alone.
  omit: { patient: { emailIndex: true } },
}).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
