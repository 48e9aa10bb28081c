import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '../generated/encryption'
import { PrismaClient } from '../generated/prisma/client'
import { kms } from './kms'

function open() {
  const adapter = new PrismaPg({ connectionString: process.env.DATABASE_URL })
  return new PrismaClient({ adapter }).$extends(fieldEncryption({ schema: encryptionSchema, kms: kms() }))
}

// This module is loaded anew after each change while you develop. The client, with its connections and the keys in its
// memory, is the process's.
const kept = globalThis as { database?: ReturnType<typeof open> }

/** Opened when a request first needs it: `next build` loads this module too, with neither a database nor a key. */
export const database = () => (kept.database ??= open())
