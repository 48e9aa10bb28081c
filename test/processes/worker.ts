import { Agent } from 'node:http'
import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'

/** Where the worker finds its database and its KMS. */
export interface WorkerSetup {
  readonly url: string
  readonly endpoint: string
  readonly credential: { readonly secretId: string; readonly secretKey: string }
  readonly keyId: string
}

export type Job =
  | {
      readonly kind: 'write'
      readonly tenants: readonly string[]
      readonly from: number
      readonly count: number
      readonly name?: string
    }
  | { readonly kind: 'read'; readonly tenants: readonly string[] }
  /** By a part of the name, which is refused. */
  | { readonly kind: 'search'; readonly tenant: string; readonly name: string }
  /** A name, for raw SQL. */
  | { readonly kind: 'encrypt'; readonly tenant: string; readonly name: string }

/** An app in a process of its own: it does what its parent asks for. */
const { url, endpoint, credential, keyId } = JSON.parse(process.argv[2]!) as WorkerSetup
const httpProfile = { protocol: 'http://', endpoint, agent: new Agent({ keepAlive: true }) } as const
const client = new kms.v20190118.Client({ credential, region: 'ap-guangzhou', profile: { httpProfile } })
const adapter = new PrismaPg({ connectionString: url, max: 10 })
const prisma = new PrismaClient({ adapter }).$extends(
  fieldEncryption({
    schema: encryptionSchema,
    kms: tencentKms({ client, keyId }),
    keys: JSON.parse(process.env.FIELDSEAL_KEYS ?? '{}'),
  }),
)

async function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case 'write': {
      const writes = job.tenants.flatMap((clinicId) =>
        Array.from({ length: job.count }, (_, i) => {
          const number = job.from + i
          const data = { clinicId, number, name: job.name ?? `${clinicId} ${number}`, email: `${number}@example.com` }
          return prisma.$forTenant(clinicId).patient.create({ data })
        }),
      )
      return (await Promise.all(writes)).length
    }
    case 'read': {
      const reads = job.tenants.map((clinicId) =>
        prisma.$forTenant(clinicId).patient.findMany({ where: { clinicId }, orderBy: { number: 'asc' } }),
      )
      return (await Promise.all(reads)).flat().map(({ name, email }) => [name, email])
    }
    case 'encrypt':
      return prisma.$forTenant(job.tenant).$encryption.encrypt('Patient.name', job.name)
    case 'search':
      return prisma.$forTenant(job.tenant).patient.findMany({ where: { name: { contains: job.name } as never } })
  }
}

process.on('message', ({ id, job }: { id: number; job: Job }) => {
  run(job).then(
    (result) => process.send?.({ id, result }),
    (error: unknown) => process.send?.({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
await prisma.$connect()
process.send?.('ready')
