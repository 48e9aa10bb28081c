import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from './generated/encryption/index.js'
import { PrismaClient } from './generated/prisma/client.js'
import { kms } from './kms.js'
import { TIMEOUT } from './limits.js'

/** One connection: the platform starts as many of these processes as it likes. */
const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 1, connectionTimeoutMillis: TIMEOUT })

/** Made once for each process, and so kept, with its connection and its keys, from one invocation to the next. */
export const prisma = new PrismaClient({
  adapter,
  errorFormat: 'minimal',
  transactionOptions: { maxWait: TIMEOUT, timeout: TIMEOUT },
}).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
