import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { memoryKeyStore } from 'fieldseal/testing'
import type { Allotment } from '../../../src/keys/activeKeys.js'
import { DekCache } from '../../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../../src/keys/keyRing.js'
import { blockOf, type RotationPolicy } from '../../../src/keys/quota/rotation.js'
import { eventually } from '../../support/eventually.js'
import { refusalCode } from '../../support/refusal.js'
import { watchedKms } from '../watchedKms.js'

const DAY = 86_400_000
const TTL = 1_000

/** A world of one keys table and one KMS; `start` starts a process in it. */
function world(rotation: Partial<RotationPolicy> = {}) {
  const time = { wall: Date.now(), uptime: 1 }
  const store = memoryKeyStore([], { now: () => time.wall })
  const kms = watchedKms()
  const start = () => {
    const cache = new DekCache({ ttl: TTL, max: 1000, clock: { now: () => time.uptime } })
    return new KeyRing({ kms, store, cache, rotation, now: () => time.wall })
  }
  const states = () => store.rows.map(({ version, state }) => `${version} ${state}`)
  return { store, kms, time, start, states }
}

const counts = (allotments: readonly Allotment[]) => allotments.map(({ count }) => count)

/** Messages encrypted under each DEK by these allotments. */
function perDek(allotments: readonly Allotment[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { dek, count } of allotments) sums.set(dek.id, (sums.get(dek.id) ?? 0) + count)
  return sums
}

describe('the limit of messages', () => {
  it.each([
    [1, 1],
    [63, 1],
    [1000, 15],
    [2 ** 26, 2 ** 20],
    [2 ** 32, 2 ** 20],
  ])('of %d is reserved %d messages at a time', (maxMessages, block) => {
    expect(blockOf({ maxMessages, rotateAfter: 1 })).toBe(block)
  })

  it.each([[{ maxMessages: 0 }], [{ maxMessages: 1.5 }], [{ maxMessages: 2 ** 32 + 1 }], [{ rotateAfter: 0 }]])(
    'cannot be %j',
    (rotation) => {
      expect(() => world(rotation).start()).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
    },
  )

  it('of 1 gives each message a DEK of its own', async () => {
    const { start, states, kms } = world({ maxMessages: 1 })
    const allotments = await start().active.allot('acme', 5)
    expect(counts(allotments)).toEqual([1, 1, 1, 1, 1])
    expect(new Set(allotments.map(({ dek }) => dek.id)).size).toBe(5)
    expect(states()).toEqual(['1 retired', '2 retired', '3 retired', '4 retired', '5 active'])
    expect(kms.calls).toEqual({ generate: 5, unwrap: 0 })
  })

  it('is never passed by processes that encrypt at the same time, die, and start again', async () => {
    const { start, store } = world({ maxMessages: 100 })
    const allotments: Allotment[] = []
    for (let generation = 0; generation < 5; generation += 1) {
      const processes = Array.from({ length: 4 }, start)
      const all = processes.flatMap((ring) => [3, 40, 7].map((count) => ring.active.allot('acme', count)))
      allotments.push(...(await Promise.all(all)).flat())
    }
    expect(counts(allotments).reduce((sum, count) => sum + count)).toBe(1000)
    for (const [id, count] of perDek(allotments)) {
      const { messages } = store.rows.find((row) => row.id === id)!
      expect(count).toBeLessThanOrEqual(messages)
      expect(messages).toBeLessThanOrEqual(100)
    }
    expect(store.rows.filter(({ state }) => state === 'active')).toHaveLength(1)
  })

  it('asks the keys table once for 2^20 messages, and behind whoever encrypts', async () => {
    const { start, store, kms } = world()
    const ring = start()
    await ring.active.prepare('acme', 'encrypt')
    const calls = { ...store.calls }
    let waits = 0
    for (let left = 2 ** 22; left > 0; left -= 6_000) {
      if (!ring.active.take('acme', 6_000)) {
        waits += 1
        await ring.active.allot('acme', 6_000)
      } else if (left % 10 === 4) await new Promise(setImmediate)
    }
    expect(waits).toBe(0)
    expect(store.calls.reserve).toBeLessThanOrEqual(4)
    expect({ ...store.calls, reserve: 0 }).toEqual({ ...calls, reserve: 0 })
    expect(kms.calls).toEqual({ generate: 1, unwrap: 0 })
  })

  it('survives the time of a DEK in memory: what was reserved is not reserved again', async () => {
    const { start, store, time } = world()
    const ring = start()
    await ring.active.allot('acme', 10)
    for (let i = 0; i < 5; i += 1) {
      time.uptime += TTL * 2
      await ring.active.allot('acme', 10)
    }
    expect(store.rows.map(({ messages }) => messages)).toEqual([2 ** 20])
    expect(store.calls.reserve).toBe(0)
  })

  it('has the next DEK made before the last message is spent', async () => {
    const { start, store, states } = world({ maxMessages: 2 ** 20 })
    const ring = start()
    const [first] = await ring.active.allot('acme', 1)
    for (let left = 2 ** 20 - 1; left > 3_000; left -= 3_000) {
      expect(ring.active.take('acme', 3_000)).toHaveLength(1)
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate)
    }
    await eventually(async () => expect(await states()).toEqual(['1 retired', '2 active']))
    expect(ring.active.take('acme', 1)![0]!.dek.id).not.toBe(first!.dek.id)
    expect(store.rows[0]!.messages).toBe(2 ** 20)
  })

  it('stops a process that cannot make another DEK, and lets it go on when it can', async () => {
    const { start, kms, states } = world({ maxMessages: 2 })
    const ring = start()
    await ring.active.allot('acme', 2)
    kms.error = new FieldsealError('KMS_UNAVAILABLE', 'down')
    expect(await refusalCode(() => ring.active.allot('acme', 1))).toBe('KMS_UNAVAILABLE')
    kms.error = undefined
    expect(counts(await ring.active.allot('acme', 1))).toEqual([1])
    expect(states()).toEqual(['1 retired', '2 active'])
  })

  it('does not count what index keys do', async () => {
    const { start, store } = world({ maxMessages: 1 })
    const ring = start()
    const dek = await ring.active.get('acme', 'index')
    expect([ring.active.cached('acme', 'index'), store.rows[0]!.messages]).toEqual([dek, 0])
  })

  it('gives nothing under a DEK that another process has retired since, once this one has spent what it had', async () => {
    const { start, store, states } = world({ maxMessages: 64 })
    const [one, two] = [start(), start()]
    const [before] = await one.active.allot('acme', 1)
    await two.active.allot('acme', 64)
    expect(states()).toEqual(['1 retired', '2 active'])
    const [after] = await one.active.allot('acme', 1)
    expect(after!.dek.id).not.toBe(before!.dek.id)
    expect(store.rows.every(({ messages }) => messages <= 64)).toBe(true)
  })
})

describe('the age of a DEK', () => {
  it('has a new one made behind a write, when the time in memory of one that is too old is nearly over', async () => {
    const { start, time, states } = world({ rotateAfter: 90 * DAY })
    const ring = start()
    const [old] = await ring.active.allot('acme', 1)
    time.wall += 89 * DAY
    expect(ring.active.take('acme', 1)).toEqual([{ dek: old!.dek, count: 1 }])
    time.wall += 2 * DAY
    time.uptime += TTL * 0.9
    expect(ring.active.take('acme', 1)).toEqual([{ dek: old!.dek, count: 1 }])
    await eventually(async () => expect(await states()).toEqual(['1 retired', '2 active']))
    expect(ring.active.take('acme', 1)![0]!.dek.id).not.toBe(old!.dek.id)
    expect(ring.loaded.cached(old!.dek.id)).toBe(old!.dek)
  })

  it('has a process that starts make a new one at once, without unwrapping the old', async () => {
    const { start, time, states, kms } = world({ rotateAfter: 90 * DAY })
    await start().active.allot('acme', 1)
    time.wall += 91 * DAY
    await start().active.allot('acme', 1)
    expect(states()).toEqual(['1 retired', '2 active'])
    expect(kms.calls).toEqual({ generate: 2, unwrap: 0 })
  })

  it('makes one new DEK, whatever the number of processes that find it too old at once', async () => {
    const { start, time, states } = world({ rotateAfter: 90 * DAY })
    await start().active.allot('acme', 1)
    time.wall += 91 * DAY
    const processes = Array.from({ length: 8 }, start)
    const deks = (await Promise.all(processes.map((ring) => ring.active.allot('acme', 1))))
      .flat()
      .map(({ dek }) => dek.id)
    expect([states(), new Set(deks).size]).toEqual([['1 retired', '2 active'], 1])
  })

  it('does not stop writes while the KMS makes no new one', async () => {
    const { start, time, states, kms } = world({ rotateAfter: 90 * DAY })
    const ring = start()
    const [old] = await ring.active.allot('acme', 1)
    time.wall += 91 * DAY
    const generate = kms.generate
    kms.generate = () => Promise.reject(new FieldsealError('KMS_THROTTLED', 'not now'))
    expect(ring.active.take('acme', 1)![0]!.dek).toBe(old!.dek)
    time.uptime += TTL * 2
    expect((await ring.active.allot('acme', 1))[0]!.dek.id).toBe(old!.dek.id)
    expect(states()).toEqual(['1 active'])
    kms.generate = generate
    time.uptime += TTL * 2
    await ring.active.allot('acme', 1)
    expect(states()).toEqual(['1 retired', '2 active'])
  })

  it('leaves index keys alone: search needs them', async () => {
    const { start, time, states } = world({ rotateAfter: DAY })
    await start().active.get('acme', 'index')
    time.wall += 1000 * DAY
    await start().active.get('acme', 'index')
    expect(states()).toEqual(['1 active'])
  })
})
