/*
 * Never runs: `npm run check:types` compiles it. What the encryption adds to a client, and what it must leave alone.
 */
import { withTenant } from 'fieldseal'
import { type EncryptionSchema, type FieldEncryptionOptions, fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '../../generated/encryption/index.js'
import {
  type Clinic,
  type Contact,
  type Patient,
  Prisma,
  type PrismaClient,
  type Visit,
} from '../../generated/prisma/client.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Equal<A, B> extends true ? [] : [never]): void {}

declare const base: PrismaClient
declare const kms: FieldEncryptionOptions['kms']
const encryption = fieldEncryption({ schema: encryptionSchema, kms })
const prisma = base.$extends(encryption)
const later = prisma
  .$extends({ client: { $hello: () => 'hello' } })
  .$extends({ model: { patient: { names: async () => ['name'] } } })
  .$extends({
    result: { patient: { initial: { needs: { name: true }, compute: ({ name }) => name.charAt(0) } } },
  })

export async function boundClientsKeepTheirType() {
  const bound = prisma.$forTenant('acme')
  const everyone = prisma.$acrossTenants()
  same<typeof bound, typeof prisma>()
  same<typeof everyone, typeof prisma>()
  const boundLater = later.$forTenant('acme')
  same<typeof boundLater, typeof later>()
  const hello: string = boundLater.$hello()
  const names: string[] = await boundLater.patient.names()
  const { initial } = await boundLater.patient.findFirstOrThrow()
  same<typeof initial, string>()
  const further = bound.$extends({ client: { $more: () => 1 } }).$forTenant('globex')
  const more: number = further.$more()
  return { hello, names, more }
}

export async function limitedClientsKeepTheirType() {
  const allow = ['Patient.email', 'Visit.reason'] as const
  const support = prisma.$forTenant('acme', { purpose: 'support', allow })
  same<typeof support, typeof prisma>()
  const none = later.$acrossTenants({ allow: [] })
  same<typeof none, typeof later>()
  const { name } = await support.patient.findFirstOrThrow({ select: { name: true } })
  same<typeof name, string>()
  const count: number = await withTenant('acme', { purpose: 'report', allow: ['Any.field'] }, () =>
    prisma.visit.count(),
  )
  const dynamic = fieldEncryption({ schema: encryptionSchema as EncryptionSchema, kms })
  base.$extends(dynamic).$forTenant('acme', { allow: ['Some.field'] })
  // @ts-expect-error a name of a field has two parts
  base.$extends(dynamic).$forTenant('acme', { allow: ['field'] })
  return count
}

export async function resultsHavePrismasOwnTypes() {
  const acme = prisma.$forTenant('acme')
  const patient = await acme.patient.findUniqueOrThrow({ where: { id: '' } })
  same<typeof patient, Patient>()
  same<typeof patient.name, string>()
  same<typeof patient.history, Prisma.JsonValue | null>()
  same<typeof patient.photo, Prisma.Bytes | null>()
  const chosen = await acme.patient.findMany({ select: { phone: true, contacts: { omit: { id: true } } } })
  same<(typeof chosen)[number], { phone: string | null; contacts: Omit<Contact, 'id'>[] }>()
  const created = await acme.visit.create({
    data: { patientId: '', at: new Date(), reason: '', notes: { a: [1, null] } },
    include: { patient: true },
  })
  same<typeof created.patient, Patient>()
  const upserted = await acme.clinic.upsert({ where: { id: '' }, create: { id: '', name: '' }, update: {} })
  same<typeof upserted, Clinic>()
  // @ts-expect-error an encrypted String is still a string
  await acme.patient.updateMany({ data: { name: 5 } })
  // @ts-expect-error and a required one must be given
  await acme.doctor.create({ data: { id: '', clinicId: '' } })
  // @ts-expect-error there is no such field
  patient.nothing
}

export async function argumentsAreWhatEncryptedFieldsCanDo() {
  const acme = prisma.$forTenant('acme')
  await acme.patient.findMany({
    where: { email: { in: ['a@b'], not: null }, phone: null, history: { not: Prisma.DbNull }, city: { contains: 'P' } },
    orderBy: { city: 'asc' },
    distinct: ['email'],
  })
  await acme.patient.findUnique({ where: { clinicId_email: { clinicId: 'acme', email: 'a@b' } } })
  await later.patient.findMany({ cursor: { clinicId_email: { clinicId: 'acme', email: 'a@b' } } })
  await acme.$transaction((tx) => tx.visit.count({ where: { patient: { email: 'a@b' } } }))
  // @ts-expect-error name has no blind index
  await acme.patient.findMany({ where: { name: 'Ada' } })
  // @ts-expect-error nor is it reached through relations
  await acme.visit.findMany({ where: { patient: { name: 'Ada' } } })
  // @ts-expect-error a blind index finds equal values
  await acme.patient.findMany({ where: { email: { contains: 'a' } } })
  // @ts-expect-error ciphertext has no order
  await acme.patient.findMany({ orderBy: { name: 'asc' } })
  // @ts-expect-error in an include, too
  await acme.clinic.findMany({ include: { patients: { where: { name: 'Ada' } } } })
  // @ts-expect-error in a fluent call, too
  await acme.clinic.findUniqueOrThrow({ where: { id: 'acme' } }).patients({ orderBy: { email: 'asc' } })
  // @ts-expect-error the email alone is not unique
  await acme.patient.findUnique({ where: { email: 'a@b' } })
  // @ts-expect-error the index is made from the email
  await acme.patient.updateMany({ data: { emailIndex: 'x' } })
  // @ts-expect-error in a transaction, too
  await later.$transaction((tx) => tx.patient.findMany({ where: { name: 'Ada' } }))
}

export async function fluentBatchAndTransactionsKeepTheirTypes() {
  const acme = prisma.$forTenant('acme')
  const visits = await acme.patient.findUniqueOrThrow({ where: { id: '' } }).visits()
  same<typeof visits, Visit[]>()
  const deep = await acme.insurance
    .findUniqueOrThrow({ where: { id: 1 } })
    .patient()
    .contacts({ select: { phone: true } })
  same<typeof deep, { phone: string | null }[]>()
  const [patient, count] = await acme.$transaction([
    acme.patient.findFirst(),
    acme.visit.updateMany({ data: { reason: '' } }),
  ])
  same<typeof patient, Patient | null>()
  same<typeof count, Prisma.BatchPayload>()
  const result = await later.$forTenant('acme').$transaction(async (tx) => {
    const names: string[] = await tx.patient.names()
    const { initial } = await tx.patient.findFirstOrThrow()
    // @ts-expect-error a transaction has no transactions
    tx.$disconnect()
    return { names, initial }
  })
  same<typeof result, { names: string[]; initial: string }>()
}

export async function encryptionOperations() {
  const rows = await prisma.$queryRaw<{ id: string; name: string }[]>`SELECT 1`
  const decrypted = await prisma.$encryption.decryptRows('Patient', rows)
  same<typeof decrypted, { id: string; name: string }[]>()
  const index: string | Uint8Array = await prisma.$encryption.blindIndex('Patient.emailIndex', '')
  const deks: number = prisma.$encryption.stats().cachedDeks
  const engine: 'native' | 'node' = prisma.$encryption.stats().engine
  const fallback: string | undefined = prisma.$encryption.stats().engineFallback
  return { index, deks, engine, fallback }
}

export function wrongUsesAreErrors() {
  // @ts-expect-error the schema is needed
  fieldEncryption({ kms })
  // @ts-expect-error the KMS is needed
  fieldEncryption({ schema: encryptionSchema })
  // @ts-expect-error a KMS wraps and unwraps
  fieldEncryption({ schema: encryptionSchema, kms: {} })
  // @ts-expect-error there is no such option
  fieldEncryption({ schema: encryptionSchema, kms, tenants: 'acme' })
  // @ts-expect-error a fixed tenant is `defaultTenant`
  fieldEncryption({ schema: encryptionSchema, kms, tenant: 'acme' })
  fieldEncryption({ schema: encryptionSchema, kms, keys: { ttl: '5m', rotateAfter: '90d', maxMessages: 2 ** 32 } })
  // @ts-expect-error a time is a text or a number of milliseconds
  fieldEncryption({ schema: encryptionSchema, kms, keys: { ttl: true } })
  // @ts-expect-error there is no such key option
  fieldEncryption({ schema: encryptionSchema, kms, keys: { size: 1 } })
  // @ts-expect-error a tenant is a string
  prisma.$forTenant(1)
  // @ts-expect-error a tenant must be named
  prisma.$forTenant()
  // @ts-expect-error there is no such field
  prisma.$forTenant('acme', { allow: ['Patient.emial'] })
  // @ts-expect-error it is not encrypted
  prisma.$acrossTenants({ allow: ['Patient.city'] })
  // @ts-expect-error nor is a blind index
  later.$forTenant('acme', { allow: ['Patient.emailIndex'] })
  // @ts-expect-error there is no such option
  prisma.$forTenant('acme', { alow: [] })
  // @ts-expect-error the plain client has no tenants
  base.$forTenant('acme')
}
