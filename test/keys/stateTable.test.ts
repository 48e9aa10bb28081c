import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { type WatchedKms, watchedKms } from './watchedKms.js'

/*
 * Every state of memory × keys table × KMS, and what each operation does in it: its result, how often it asks the KMS
 * (g: generate, u: unwrap) and the keys table (n: findNewest, i: findByIds, s: insert, r: reserve).
 */

const [TTL, STALE] = [1_000, 10_000]

/** What this process holds of the tenant's first DEK. */
const MEMORY = ['none', 'fresh', 'due', 'stale', 'over'] as const
const TABLE = ['none', 'active', 'old', 'spent', 'retired', 'rotated', 'destroyed', 'down'] as const
const KMS = ['up', 'down', 'throttled', 'denied'] as const
const OPERATIONS = ['read', 'write', 'index'] as const

type Memory = (typeof MEMORY)[number]
type Table = (typeof TABLE)[number]
type KmsState = (typeof KMS)[number]
type Operation = (typeof OPERATIONS)[number]

const CODES = { down: 'KMS_UNAVAILABLE', throttled: 'KMS_THROTTLED', denied: 'KMS_DENIED' } as const

/** What an operation does: the DEK it gets (`v1`, `v2` or a new version), or a code; and its calls. */
interface Cell {
  readonly result: string
  readonly calls: string
}

const AGES: { readonly [Held in Exclude<Memory, 'none'>]: number } = {
  fresh: 0,
  due: TTL * 0.9,
  stale: TTL * 2,
  over: TTL + STALE + 1,
}

const LIMIT = 2 ** 26

async function arrange(memory: Memory, table: Table, kmsState: KmsState, operation: Operation) {
  const time = { up: 1, wall: Date.now() }
  const store = memoryKeyStore([], { now: () => time.wall })
  const kms = watchedKms(localKms({ key: randomBytes(32).toString('base64') }))
  const rotation = { maxMessages: LIMIT }
  const start = () => {
    const cache = new DekCache({ ttl: TTL, max: 100, staleFor: STALE, clock: { now: () => time.up } })
    return new KeyRing({ kms, store, cache, rotation, now: () => time.wall })
  }
  const purpose = operation === 'index' ? 'index' : 'encrypt'
  const maker = start()
  const first = await maker.active.get('acme', purpose)
  const ring = start()
  if (memory !== 'none') {
    if (purpose === 'encrypt') await ring.loaded.load([first.id], 'acme')
    await ring.active.prepare('acme', purpose)
    time.up += AGES[memory]
  }
  await change(table, { store, time, id: first.id, rotate: () => start().active.rotate('acme', first.id), operation })
  kms.error = kmsState === 'up' ? undefined : new FieldsealError(CODES[kmsState], kmsState)
  return { store, kms, ring, first, purpose } as const
}

interface Change {
  readonly store: MemoryKeyStore
  readonly time: { wall: number }
  readonly id: string
  readonly rotate: () => Promise<unknown>
  readonly operation: Operation
}

async function change(table: Table, { store, time, id, rotate, operation }: Change): Promise<void> {
  switch (table) {
    case 'none':
      store.remove(id)
      break
    case 'active':
      break
    case 'old':
      time.wall += 91 * 86_400_000
      break
    case 'spent':
      store.tamper(id, { messages: LIMIT })
      break
    case 'retired':
      store.tamper(id, { state: 'retired' })
      break
    case 'rotated':
      if (operation === 'index') store.tamper(id, { state: 'retired' })
      else await rotate()
      break
    case 'destroyed':
      store.tamper(id, { state: 'destroyed', wrapped: null })
      break
    case 'down':
      store.fail()
      break
  }
}

async function act(memory: Memory, table: Table, kmsState: KmsState, operation: Operation): Promise<Cell> {
  const { store, kms, ring, first, purpose } = await arrange(memory, table, kmsState, operation)
  const before = counts(store, kms)
  const outcome = await run(ring, operation, first.id).then(
    (id) => nameOf(store, id, first.id),
    (error: unknown) => (error as FieldsealError).code,
  )
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate)
  const calls = difference(before, counts(store, kms))
  const active = store.rows.filter((row) => row.state === 'active' && row.purpose === purpose)
  expect(active.length).toBeLessThanOrEqual(1)
  return { result: outcome, calls }
}

/** As the cipher does: from memory if it is there. */
async function run(ring: KeyRing, operation: Operation, id: string): Promise<string> {
  switch (operation) {
    case 'read':
      return (ring.loaded.cached(id) ?? (await ring.loaded.load([id], 'acme'))[0]!).id
    case 'write':
      return (ring.active.take('acme', 1) ?? (await ring.active.allot('acme', 1)))[0]!.dek.id
    case 'index':
      return (ring.active.cached('acme', 'index') ?? (await ring.active.get('acme', 'index'))).id
  }
}

function nameOf(store: MemoryKeyStore, id: string, first: string): string {
  return id === first ? 'v1' : `v${store.rows.find((row) => row.id === id)?.version}`
}

type Counts = { readonly [call: string]: number }

function counts({ calls }: MemoryKeyStore, kms: WatchedKms): Counts {
  const { findNewest: n, findByIds: i, insert: s, reserve: r } = calls
  return { n, i, s, r, g: kms.calls.generate, u: kms.calls.unwrap }
}

function difference(before: Counts, after: Counts): string {
  const spent = Object.keys(before).map((call) => [call, after[call]! - before[call]!] as const)
  const text = spent.filter(([, count]) => count > 0).map(([call, count]) => `${call}${count === 1 ? '' : count}`)
  return text.join(' ') || '-'
}

/** What should happen, said by rules; the table that they make is below, to be read. */
function expected(memory: Memory, table: Table, kms: KmsState, operation: Operation): Cell {
  return operation === 'read' ? expectedRead(memory, table, kms) : expectedActive(memory, table, kms, operation)
}

const outage = (kms: KmsState) => kms === 'down' || kms === 'throttled'
const codeOf = (kms: Exclude<KmsState, 'up'>) => CODES[kms]

function expectedRead(memory: Memory, table: Table, kms: KmsState): Cell {
  if (memory === 'fresh') return { result: 'v1', calls: '-' }
  const held = memory === 'stale' || memory === 'due'
  const asked = table === 'none' || table === 'destroyed' || table === 'down' ? 'i' : 'i u'
  // Whatever the renewal behind it finds, a DEK whose time is not over serves this once more.
  if (memory === 'due') return { result: 'v1', calls: asked }
  if (table === 'none') return { result: 'KEY_NOT_FOUND', calls: 'i' }
  if (table === 'destroyed') return { result: 'KEY_DESTROYED', calls: 'i' }
  if (table === 'down') return { result: held ? 'v1' : 'KEY_STORE_UNAVAILABLE', calls: 'i' }
  if (kms === 'up') return { result: 'v1', calls: 'i u' }
  return { result: held && outage(kms) ? 'v1' : codeOf(kms), calls: 'i u' }
}

function expectedActive(memory: Memory, table: Table, kms: KmsState, operation: 'write' | 'index'): Cell {
  if (memory === 'fresh') return { result: 'v1', calls: '-' }
  const fetch = operation === 'write' ? expectedWrite(memory, table, kms) : expectedIndex(memory, table, kms)
  return memory === 'due' ? { ...fetch, result: 'v1' } : fetch
}

function expectedWrite(memory: Memory, table: Table, kms: KmsState): Cell {
  if (memory === 'due') return { result: 'v1', calls: fetched(table, kms) }
  return expectedFetch({ memory, table, kms, writes: true })
}

/** No index DEK succeeds another, and none is made anew by a process that has one in memory still. */
function expectedIndex(memory: Memory, given: Table, kms: KmsState): Cell {
  const table = indexTable(given)
  if (table === 'retired') return { result: 'KEY_INVALID', calls: 'n' }
  if (table === 'none' && (memory === 'due' || memory === 'stale')) return { result: 'KEY_NOT_FOUND', calls: 'n2' }
  if (memory === 'due') return { result: 'v1', calls: fetched(table, kms) }
  return expectedFetch({ memory, table, kms, writes: false })
}

/** Neither age nor number of messages matters to an index DEK. */
function indexTable(table: Table): Table {
  if (table === 'rotated') return 'retired'
  return table === 'old' || table === 'spent' ? 'active' : table
}

/** The calls that fetch the active DEK. */
function fetched(table: Table, kms: KmsState): string {
  switch (table) {
    case 'down':
    case 'destroyed':
      return 'n'
    case 'none':
    case 'retired':
      return kms === 'up' ? 'n s g' : 'n g'
    case 'old':
      return kms === 'up' ? 'n s g' : 'n g u'
    case 'active':
    case 'rotated':
    case 'spent':
      return 'n u'
  }
}

interface Fetch {
  readonly memory: Memory
  readonly table: Table
  readonly kms: KmsState
  readonly writes: boolean
}

function expectedFetch({ memory, table, kms, writes }: Fetch): Cell {
  const serves = memory === 'stale'
  // What a process has reserved is its own still, so that only a process without asks for more.
  const has = memory !== 'none'
  if (table === 'down') return { result: serves ? 'v1' : 'KEY_STORE_UNAVAILABLE', calls: 'n' }
  if (table === 'destroyed') return { result: 'KEY_DESTROYED', calls: 'n' }
  if (table === 'spent' && !has) return made(kms, serves)
  if (table === 'none' || table === 'retired') return made(kms, serves, table === 'none' ? 'v1 anew' : 'v2')
  if (kms !== 'up') {
    const calls = table === 'old' ? 'n g u' : 'n u'
    return serves && outage(kms) ? { result: 'v1', calls } : { result: codeOf(kms), calls }
  }
  if (table === 'old') return { result: 'v2', calls: 'n s g' }
  if (table === 'rotated') return { result: 'v2', calls: writes ? 'n r u' : 'n u' }
  return { result: 'v1', calls: writes && !has ? 'n r u' : 'n u' }
}

function made(kms: KmsState, serves: boolean, result = 'v2'): Cell {
  if (kms === 'up') return { result: result === 'v1 anew' ? 'v1' : result, calls: 'n s g' }
  return { result: serves && outage(kms) ? 'v1' : codeOf(kms), calls: 'n g' }
}

const cells = MEMORY.flatMap((memory) =>
  TABLE.flatMap((table) => KMS.flatMap((kms) => OPERATIONS.map((operation) => ({ memory, table, kms, operation })))),
)

describe('the state of memory, keys table and KMS', () => {
  it.each(cells)('memory $memory, table $table, KMS $kms: $operation', async ({ memory, table, kms, operation }) => {
    expect(await act(memory, table, kms, operation)).toEqual(expected(memory, table, kms, operation))
  })

  it('is enumerated wholly', () => {
    expect(cells).toHaveLength(5 * 8 * 4 * 3)
  })
})
