import { openPrisma } from './fieldseal.config.js'

/** What the app knows that a row holds: the last values that the database acknowledged. */
export interface Acknowledged {
  readonly id: string
  readonly clinicId: string
  readonly name?: string
  readonly email?: string | null
  readonly phone?: string
  readonly city?: string
}

/**
 * An app process that keeps updating rows, some of them again and again, until its parent says stop. It never has two
 * updates of one row under way, so that it knows what each holds.
 */
const rows = JSON.parse(process.argv[2]!) as { id: string; clinicId: string }[]
const HOT = 10
const prisma = openPrisma(process.env)
const AT_ONCE = 4

const acknowledged = new Map<string, Acknowledged>()
const busy = new Set<string>()
let stopped = false
let updates = 0

async function update(number: number): Promise<void> {
  const row = rows[Math.random() < 0.3 ? Math.floor(Math.random() * HOT) : Math.floor(Math.random() * rows.length)]!
  if (busy.has(row.id)) return void (await new Promise(setImmediate))
  busy.add(row.id)
  const data = change(number)
  const where = { id: row.id, clinicId: row.clinicId }
  await prisma.$forTenant(row.clinicId).patient.update({ where, data, select: { id: true } })
  acknowledged.set(row.id, { ...row, ...acknowledged.get(row.id), ...data })
  busy.delete(row.id)
  updates += 1
}

function change(number: number): Partial<Acknowledged> {
  const kind = number % 4
  if (kind === 0) return { city: `city ${number}` }
  if (kind === 1) return { name: `name by the app ${number}` }
  if (kind === 2) return { phone: `+1 ${number}` }
  return { email: number % 8 === 3 ? null : `app${number}@example.com` }
}

async function work(lane: number): Promise<void> {
  for (let number = lane; !stopped; number += AT_ONCE) await update(number)
}

process.once('message', () => {
  stopped = true
})
const lanes = Array.from({ length: AT_ONCE }, (_, lane) => work(lane))
process.send?.('ready')
await Promise.all(lanes)
process.send?.({ updates, rows: [...acknowledged.values()] })
await prisma.$disconnect()
process.disconnect()
