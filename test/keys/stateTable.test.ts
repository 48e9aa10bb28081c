import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { type WatchedKms, watchedKms } from './watchedKms.js'

/*
 * Every state of memory × keys table × KMS, and what each operation does in it, is written down in stateTable.md, to be
 * read and checked by people; here each state is made, and what happens compared.
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

interface Cell {
  readonly memory: Memory
  readonly table: Table
  readonly kms: KmsState
  readonly operation: Operation
  /** The DEK that the operation gets, or a code; and its calls. */
  readonly expected: string
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

async function act(memory: Memory, table: Table, kmsState: KmsState, operation: Operation): Promise<string> {
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
  return `${outcome}: ${calls}`
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

/** One row of a table in stateTable.md: in its order, memory, the keys table, and a cell for each state of the KMS. */
function readRow(line: string, operation: string) {
  const [memory, table, ...expected] = line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
  return KMS.map((kms, position) => ({ memory, table, kms, operation, expected: expected[position] }))
}

const document = readFileSync(new URL('stateTable.md', import.meta.url), 'utf8')
const cells = document
  .split(/^## /m)
  .slice(1)
  .flatMap((section) => {
    const [operation, ...lines] = section.split('\n')
    const [head, , ...rows] = lines.filter((line) => line.startsWith('|'))
    const columns = ['memory', 'keys table', ...KMS.map((kms) => `KMS ${kms}`)]
    expect(
      head!
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ).toEqual(columns)
    return rows.flatMap((row) => readRow(row, operation!))
  }) as readonly Cell[]

describe('the state of memory, keys table and KMS', () => {
  it.each(cells)(
    'memory $memory, table $table, KMS $kms: $operation',
    async ({ memory, table, kms, operation, expected }) => {
      expect(await act(memory, table, kms, operation)).toBe(expected)
    },
  )

  it('is enumerated wholly', () => {
    const all = OPERATIONS.flatMap((operation) =>
      MEMORY.flatMap((memory) => TABLE.flatMap((table) => KMS.map((kms) => ({ memory, table, kms, operation })))),
    )
    expect(all).toHaveLength(5 * 8 * 4 * 3)
    expect(cells.map(({ expected: _, ...state }) => state)).toEqual(all)
  })
})
