import { PrismaPg } from '@prisma/adapter-pg'
import type { Kms } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'

/** The client of an ordinary app, without encryption. */
export function plainClient(databaseUrl: string) {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
}

export type PlainClient = ReturnType<typeof plainClient>

/** The same client with encryption: this is all that an app has to add. */
export function encryptedClient(databaseUrl: string, kms: Kms) {
  return plainClient(databaseUrl).$extends(fieldEncryption({ schema: encryptionSchema, kms }))
}

export type ClinicClient = ReturnType<typeof encryptedClient>
