import { describe, expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { memoryKeyStore } from 'fieldseal/testing'
import { withBreaker } from '../../src/keys/breaker.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { Freshness } from '../../src/keys/cache/freshness.js'
import type { EncryptionEvent } from '../../src/keys/events.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import { eventually } from '../support/eventually.js'
import { refusalCode } from '../support/refusal.js'
import { watchedKms } from './watchedKms.js'

const [TTL, STALE] = [1_000, 10_000]
const down = new FieldsealError('KMS_UNAVAILABLE', 'down')
const turns = async () => {
  for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
}

async function start(staleFor = STALE) {
  const time = { now: 1 }
  const store = memoryKeyStore()
  const kms = watchedKms()
  const cache = new DekCache({ ttl: TTL, max: 100, staleFor, clock: { now: () => time.now } })
  const events: EncryptionEvent[] = []
  const observation = { emit: (event: EncryptionEvent) => void events.push(event), around: undefined }
  const ring = new KeyRing({ kms, store, cache, observation })
  const dek = await ring.active.get('acme', 'encrypt')
  await ring.active.prepare('acme', 'encrypt')
  return { time, store, kms, cache, ring, dek, events }
}

const outages = {
  'the KMS is down': ({ kms }: { kms: ReturnType<typeof watchedKms> }) => {
    kms.error = down
  },
  'the KMS throttles': ({ kms }: { kms: ReturnType<typeof watchedKms> }) => {
    kms.error = new FieldsealError('KMS_THROTTLED', 'slowly')
  },
  'the keys table is down': ({ store }: { store: ReturnType<typeof memoryKeyStore> }) => store.fail(),
}

describe.each(Object.entries(outages))('while %s', (_, begin) => {
  it('a DEK in use serves reads and writes from memory, to its ceiling and no further', async () => {
    const world = await start()
    const { ring, time, dek } = world
    begin(world)
    const end = time.now + TTL + STALE
    for (; time.now < end; time.now += 40) {
      expect(ring.loaded.cached(dek.id)).toBe(dek)
      expect(ring.active.take('acme', 1)).toEqual([{ dek, count: 1 }])
      await turns()
    }
    time.now = end + 1
    expect([ring.loaded.cached(dek.id), ring.active.take('acme', 1)]).toEqual([undefined, undefined])
    for (const use of [() => ring.loaded.load([dek.id], 'acme'), () => ring.active.allot('acme', 1)]) {
      expect(await refusalCode(use)).toMatch(/^KMS_|^KEY_STORE_/)
    }
  })

  it('a DEK that nobody has used for a while is tried once and then serves', async () => {
    const world = await start()
    const { ring, time, dek } = world
    begin(world)
    time.now += TTL * 3
    expect(ring.loaded.cached(dek.id)).toBeUndefined()
    expect(await ring.loaded.load([dek.id], 'acme')).toEqual([dek])
    expect(await ring.active.allot('acme', 1)).toEqual([{ dek, count: 1 }])
    expect([ring.loaded.cached(dek.id), ring.active.take('acme', 1)]).toEqual([dek, [{ dek, count: 1 }]])
  })

  it('a DEK serves all who wait for it, which is told once', async () => {
    const world = await start()
    const { ring, time, dek, events } = world
    begin(world)
    time.now += TTL * 3
    const deks = await Promise.all(Array.from({ length: 100 }, () => ring.loaded.load([dek.id], 'acme')))
    expect(new Set(deks.flat())).toEqual(new Set([dek]))
    expect(events.filter(({ type }) => type === 'key.stale')).toHaveLength(1)
  })

  it('another tenant is refused it as ever', async () => {
    const world = await start()
    const { ring, time, dek } = world
    begin(world)
    time.now += TTL * 3
    expect(await refusalCode(() => ring.loaded.load([dek.id], 'evil'))).not.toBe('never')
    expect((await Promise.allSettled([ring.loaded.load([dek.id], 'evil')]))[0]!.status).toBe('rejected')
  })

  it('nothing serves without staleFor', async () => {
    const world = await start(0)
    const { ring, time, dek } = world
    begin(world)
    time.now += TTL + 1
    expect((await Promise.allSettled([ring.loaded.load([dek.id], 'acme')]))[0]!.status).toBe('rejected')
    expect((await Promise.allSettled([ring.active.allot('acme', 1)]))[0]!.status).toBe('rejected')
  })

  it('what is over is over: the DEK is fetched anew soon after', async () => {
    const world = await start()
    const { ring, time, dek, kms, store } = world
    begin(world)
    time.now += TTL * 2
    await ring.loaded.load([dek.id], 'acme')
    kms.error = undefined
    store.repair()
    await eventually(async () =>
      expect(
        await (async () => {
          time.now += 40
          const now = ring.loaded.cached(dek.id) ?? (await ring.loaded.load([dek.id], 'acme'))[0]
          return now !== dek
        })(),
      ).toBe(true),
    )
  })
})

/** Does something as if so many milliseconds had gone by, for what goes by the machine's clock. */
async function later<T>(ms: number, work: () => Promise<T>): Promise<T> {
  const { now } = Date
  Date.now = () => now() + ms
  try {
    return await work()
  } finally {
    Date.now = now
  }
}

describe('a KMS that is down', () => {
  it('does not keep a destroyed DEK alive', async () => {
    const { ring, time, dek, kms, store, cache } = await start()
    kms.error = down
    store.tamper(dek.id, { state: 'destroyed', wrapped: null })
    time.now += TTL + 1
    expect(await refusalCode(() => ring.loaded.load([dek.id], 'acme'))).toBe('KEY_DESTROYED')
    expect(await refusalCode(() => ring.active.allot('acme', 1))).toBe('KEY_DESTROYED')
    expect(cache.size).toBe(0)
  })

  it('drops a destroyed DEK from memory as soon as its renewal finds it so', async () => {
    const { ring, time, dek, kms, store, cache } = await start()
    kms.error = down
    store.tamper(dek.id, { state: 'destroyed', wrapped: null })
    time.now += TTL * 0.9
    expect(ring.loaded.cached(dek.id)).toBe(dek)
    await turns()
    expect([ring.loaded.cached(dek.id), cache.size]).toEqual([undefined, 0])
  })

  it.each(['KMS_DENIED', 'KMS_KEY_UNUSABLE', 'KMS_REFUSED'] as const)(
    'is not one that refuses: %s ends the use of a DEK with its time',
    async (code) => {
      const { ring, time, dek, kms } = await start()
      kms.error = new FieldsealError(code, 'no')
      time.now += TTL + 1
      const expected = code === 'KMS_REFUSED' ? 'KEY_INVALID' : code
      expect(await refusalCode(() => ring.loaded.load([dek.id], 'acme'))).toBe(expected)
      expect(await refusalCode(() => ring.active.allot('acme', 1))).toBe(expected)
    },
  )

  it('is asked ten times, then fails at once, and is tried by one call after a pause', async () => {
    const kms = watchedKms()
    const spared = withBreaker(kms)
    const identity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' } as const
    const { dek, ...wrapped } = await spared.generate(identity)
    dek.fill(0)
    kms.error = down
    for (let i = 0; i < 50; i += 1)
      expect(await refusalCode(() => spared.unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
    expect(kms.calls).toEqual({ generate: 1, unwrap: 10 })
    const late = new Promise((resolve) => setImmediate(resolve, 'it waited for something'))
    const spare = Promise.race([spared.unwrap(wrapped, identity), late])
    await expect(spare).rejects.toThrow(/did not answer the last 10 calls/)
    expect(await refusalCode(() => spared.generate(identity))).toBe('KMS_UNAVAILABLE')
    expect(kms.calls).toEqual({ generate: 2, unwrap: 10 })
    kms.error = undefined
    await later(2_000, () => Promise.all(Array.from({ length: 20 }, () => spared.unwrap(wrapped, identity))))
    expect(kms.calls.unwrap).toBe(30)
  })

  it('that throttles or refuses is not spared: another call may well succeed', async () => {
    const kms = watchedKms()
    const spared = withBreaker(kms)
    const identity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' } as const
    for (const code of ['KMS_THROTTLED', 'KMS_REFUSED', 'KMS_DENIED'] as const) {
      kms.error = new FieldsealError(code, 'no')
      for (let i = 0; i < 20; i += 1) expect(await refusalCode(() => spared.generate(identity))).toBe(code)
    }
    expect(kms.calls.generate).toBe(60)
  })
})

describe('DEKs that came into memory at the same time', () => {
  it('are not fetched again at the same time', () => {
    const all = Array.from({ length: 1_000 }, () => new Freshness({ now: 0, ttl: 1_000, staleFor: 0 }))
    const due = (now: number) => {
      const renewed = all.filter((one) => now >= one.renewAt)
      for (const one of renewed) one.beginRenewal()
      return renewed.length
    }
    expect(due(750)).toBe(0)
    const counts = [780, 800, 820, 840, 860, 890].map(due)
    expect(Math.max(...counts)).toBeLessThan(400)
    expect(counts.reduce((sum, count) => sum + count)).toBe(1_000)
  })
})
