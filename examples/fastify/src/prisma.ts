import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from './generated/encryption/index.js'
import { PrismaClient } from './generated/prisma/client.js'
import { kms } from './kms.js'

const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })

/** Its errors say nothing of the arguments, and its employees nothing of their index. */
export const prisma = new PrismaClient({
  adapter,
  errorFormat: 'minimal',
  omit: { employee: { emailIndex: true } },
}).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
