import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'
import type { DemoKms } from './kms.js'

/** The client of an ordinary app, without encryption. */
export function plainClient(databaseUrl: string) {
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
}

export type PlainClient = ReturnType<typeof plainClient>

/** The same client with encryption: this is all that an app has to add. */
export function encryptedClient(databaseUrl: string, { client, keyId }: Pick<DemoKms, 'client' | 'keyId'>) {
  return plainClient(databaseUrl).$extends(
    fieldEncryption({ schema: encryptionSchema, kms: tencentKms({ client, keyId }) }),
  )
}

export type ClinicClient = ReturnType<typeof encryptedClient>
