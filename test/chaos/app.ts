import { setTimeout } from 'node:timers/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { fieldEncryption } from 'fieldseal/prisma'
import pg from 'pg'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { PrismaClient } from '../../generated/prisma/client.js'
import { openKms } from './kms.js'
import { type AppNews, type AppSetup, nameOf } from './protocol.js'

const WRITERS = 4

await run(JSON.parse(process.argv[2]!) as AppSetup)

async function run({ url, kms, tenants, from, keys }: AppSetup): Promise<void> {
  const notify = () => new pg.Client({ connectionString: url })
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 6 }) }).$extends(
    fieldEncryption({
      schema: encryptionSchema,
      kms: openKms(kms),
      keys: { ...keys, notify },
    }),
  )
  let news = {
    written: [] as [string, number][],
    read: 0,
    wrong: [] as string[],
    errors: {} as { [code: string]: number },
    ofKms: [] as string[],
  }
  let [next, going] = [from, true]
  const mine: [string, number][] = []
  const step = async () => {
    const tenant = tenants[Math.floor(Math.random() * tenants.length)]!
    const acme = prisma.$forTenant(tenant)
    if (Math.random() < 0.5 || mine.length === 0) {
      next += 1
      const number = next
      const data = { clinicId: tenant, number, name: nameOf(tenant, number), email: `${number}@example.com` }
      await acme.patient.create({ data, select: { id: true } })
      mine.push([tenant, number])
      news.written.push([tenant, number])
    } else {
      const [owner, number] = mine[Math.floor(Math.random() * mine.length)]!
      const where = { clinicId_number: { clinicId: owner, number } }
      const row = await prisma.$forTenant(owner).patient.findUnique({ where })
      if (row?.name === nameOf(owner, number)) news.read += 1
      else news.wrong.push(`${owner} ${number}`)
    }
  }
  const work = async () => {
    while (going) {
      await step().catch(async (error: Error & { code?: string }) => {
        const code = error.code ?? `${error.name}: ${error.message}`
        news.errors[code] = (news.errors[code] ?? 0) + 1
        if (isOfKms(code)) news.ofKms.push(`${code}: ${error.message}`)
        await setTimeout(20)
      })
    }
  }
  const tell = () => {
    process.send?.(news satisfies AppNews)
    news = { written: [], read: 0, wrong: [], errors: {}, ofKms: [] }
  }
  const telling = setInterval(tell, 50)
  process.on('message', async () => {
    going = false
    await Promise.all(workers)
    clearInterval(telling)
    tell()
    process.send?.('done')
  })
  process.on('disconnect', () => process.exit())
  const workers = Array.from({ length: WRITERS }, work)
  await Promise.all(workers)
}

/** Not of the database, which is restarted on purpose. */
function isOfKms(code: string): boolean {
  return /^(KMS|KEY)_/.test(code) && code !== 'KEY_STORE_UNAVAILABLE'
}
