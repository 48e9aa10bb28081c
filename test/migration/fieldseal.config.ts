import { Agent } from 'node:http'
import { PrismaPg } from '@prisma/adapter-pg'
import { defineConfig } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'

/** The clinic's client, for the app process, for the command and for whoever looks at the outcome. */
export function openPrisma(env: NodeJS.ProcessEnv) {
  const { KMS_ENDPOINT = '', KMS_KEY_ID = '', KMS_SECRET_ID = '', KMS_SECRET_KEY = '', DATABASE_URL = '' } = env
  const httpProfile = { protocol: 'http://', endpoint: KMS_ENDPOINT, agent: new Agent({ keepAlive: true }) } as const
  const credential = { secretId: KMS_SECRET_ID, secretKey: KMS_SECRET_KEY }
  const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou', profile: { httpProfile } })
  const adapter = new PrismaPg({ connectionString: DATABASE_URL, max: 5 })
  const encryption = fieldEncryption({ schema: encryptionSchema, kms: tencentKms({ client, keyId: KMS_KEY_ID }) })
  return new PrismaClient({ adapter }).$extends(encryption)
}

export default defineConfig({
  client: () => openPrisma(process.env),
  tenants: { Contact: 'patient.clinicId', Insurance: 'patient.clinicId', Visit: 'patient.clinicId' },
})
