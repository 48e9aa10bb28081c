import { randomBytes, randomUUID } from 'node:crypto'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { Dek } from '../src/keys/dek.js'
import { openWorld } from './world.js'

/* What unwrapped DEKs cost in memory, and that the bound of the cache holds. Run with --expose-gc. */

const LOADED = 100_000
const MAX = 10_000
const FIELDS = ['Note.a', 'Note.b', 'Note.c', 'Note.d', 'Note.e', 'Note.f'].map(
  (context) => ({ context, kind: 'String', column: 'String' }) as const,
)

function load(max: number): { cache: DekCache; bytes: { heap: number; resident: number } } {
  const before = settled()
  const cache = new DekCache({ ttl: 3_600_000, max })
  for (let i = 0; i < LOADED; i++) {
    const dek = new Dek({ key: randomUUID(), purpose: 'encrypt', tenant: `tenant-${i}` }, randomBytes(32))
    for (const field of FIELDS) dek.place(field, false)
    cache.addActive(dek)
  }
  const after = settled()
  return { cache, bytes: { heap: after.heapUsed - before.heapUsed, resident: after.rss - before.rss } }
}

function settled(): NodeJS.MemoryUsage {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage()
}

const perDek = (bytes: number, count: number) => `${Math.round(bytes / count)} bytes`

const all = load(LOADED)
console.log(
  `${LOADED} DEKs loaded, ${all.cache.size} held: heap ${perDek(all.bytes.heap, all.cache.size)}, ` +
    `resident ${perDek(all.bytes.resident, all.cache.size)} per DEK (each used with ${FIELDS.length} fields)`,
)
all.cache.clear()
const bounded = load(MAX)
console.log(
  `${LOADED} DEKs loaded with max ${MAX}: ${bounded.cache.size} held, heap ${perDek(bounded.bytes.heap, 1)} in all`,
)

const world = await openWorld()
const writer = world.another()
await writer.prisma.$forTenant('cold').note.create({
  data: { id: 1_000_000, tenant: 'cold', a: 'a', b: 'b', c: 'c', d: 'd', e: 'e', f: 'f' },
})
const reader = world.another()
const sql: string[] = []
reader.base.$on('query', ({ query }) => sql.push(query))
const keyQueries = () => sql.filter((statement) => statement.includes('EncryptionKey')).length
const cold = reader.prisma.$forTenant('cold')
const readMany = () =>
  Promise.all(Array.from({ length: 1000 }, () => cold.note.findFirst({ where: { id: 1_000_000 } })))

for (const name of ['first', 'warm']) {
  const [calls, queries] = [world.emulator.calls.count(), keyQueries()]
  await readMany()
  console.log(
    `1,000 concurrent ${name} reads of one tenant: ${world.emulator.calls.count() - calls} KMS calls, ${keyQueries() - queries} keys-table queries`,
  )
}
await Promise.all([writer, reader].map(({ prisma }) => prisma.$disconnect()))
await world.close()
