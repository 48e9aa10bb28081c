import { randomBytes, randomUUID } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { DekCache } from '../../../src/keys/cache/dekCache.js'
import { Dek } from '../../../src/keys/dek.js'
import { formsIn } from '../secretForms.js'

const dekOf = (tenant = 'acme', purpose: Dek['purpose'] = 'encrypt') => {
  return new Dek({ key: randomUUID(), purpose, tenant }, randomBytes(32))
}

/** Time that passes when it is told to. */
function handClock(start = 1) {
  let time = start
  return { now: () => time, pass: (milliseconds: number) => (time += milliseconds) }
}

describe('DekCache', () => {
  it.each([
    { ttl: 0, max: 10 },
    { ttl: -1, max: 10 },
    { ttl: 1.5, max: 10 },
    { ttl: Number.NaN, max: 10 },
    { ttl: Number.POSITIVE_INFINITY, max: 10 },
    { ttl: 2 ** 31, max: 10 },
    { ttl: 1000, max: 0 },
    { ttl: 1000, max: 2.5 },
    { ttl: 1000, max: Number.POSITIVE_INFINITY },
  ])('refuses %p, which would bound nothing', (options) => {
    expect(() => new DekCache(options)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })

  it('does not give out a DEK whose time is over, by id or as the active one', () => {
    const clock = handClock()
    const cache = new DekCache({ ttl: 1000, max: 10, clock })
    const dek = dekOf()
    cache.addActive(dek)
    clock.pass(1000)
    expect([cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([dek, dek])
    clock.pass(1)
    expect([cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([undefined, undefined])
  })

  it('asks anew which DEK is active in time, however often the DEK itself is loaded again', () => {
    const clock = handClock()
    const cache = new DekCache({ ttl: 1000, max: 10, clock })
    const dek = dekOf()
    cache.addActive(dek)
    clock.pass(900)
    cache.add(dek)
    clock.pass(200)
    expect([cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([dek, undefined])
  })

  it('counts the time from when the keys table was read, however long the KMS took', () => {
    const clock = handClock()
    const cache = new DekCache({ ttl: 1000, max: 10, staleFor: 500, clock })
    const dek = dekOf()
    const read = cache.readMark()
    clock.pass(900)
    cache.addActive(dek, read)
    clock.pass(100)
    expect([cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([dek, dek])
    clock.pass(1)
    expect([cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([undefined, undefined])
    expect(cache.memoryTime).toBe(1500)
    clock.pass(499)
    expect(cache.extendActive('acme', 'encrypt')).toBe(dek)
    clock.pass(1)
    expect(cache.extendActive('acme', 'encrypt')).toBeUndefined()
  })

  it('does not prolong the time of a DEK that is used', () => {
    const clock = handClock()
    const cache = new DekCache({ ttl: 1000, max: 10, clock })
    const dek = dekOf()
    cache.add(dek)
    for (let i = 0; i < 4; i++) {
      expect(cache.byId(dek.id)).toBe(dek)
      clock.pass(251)
    }
    expect(cache.byId(dek.id)).toBeUndefined()
  })

  it('keeps no more DEKs than it may, and those that were used last', () => {
    const cache = new DekCache({ ttl: 60_000, max: 10 })
    const deks = Array.from({ length: 100 }, (_, i) => dekOf(`tenant ${i}`))
    for (const dek of deks) {
      cache.addActive(dek)
      expect(cache.size).toBeLessThanOrEqual(10)
      expect(cache.byId(deks[0]!.id)).toBe(deks[0])
    }
    const kept = deks.filter((dek) => cache.byId(dek.id))
    expect(kept).toEqual([deks[0], ...deks.slice(-9)])
    expect(kept.map((dek) => cache.active(dek.tenant, 'encrypt')).filter(Boolean).length).toBe(9)
  })

  it('finds no active DEK when the DEK was pushed out', () => {
    const cache = new DekCache({ ttl: 60_000, max: 2 })
    cache.addActive(dekOf())
    cache.add(dekOf())
    cache.add(dekOf())
    expect(cache.active('acme', 'encrypt')).toBeUndefined()
  })

  it('keeps tenants and purposes apart', () => {
    const cache = new DekCache({ ttl: 60_000, max: 10 })
    const [one, other, index] = [dekOf('a'), dekOf('encrypt a'), dekOf('a', 'index')]
    for (const dek of [one, other, index]) cache.addActive(dek)
    expect(cache.active('a', 'encrypt')).toBe(one)
    expect(cache.active('encrypt a', 'encrypt')).toBe(other)
    expect(cache.active('a', 'index')).toBe(index)
    expect(cache.active('encrypt a', 'index')).toBeUndefined()
  })

  it('forgets everything when it is cleared', () => {
    const cache = new DekCache({ ttl: 60_000, max: 10 })
    const dek = dekOf()
    cache.addActive(dek)
    cache.clear()
    expect([cache.size, cache.byId(dek.id), cache.active('acme', 'encrypt')]).toEqual([0, undefined, undefined])
  })

  it('shows no key to inspect or JSON', () => {
    const cache = new DekCache({ ttl: 60_000, max: 10 })
    const bytes = randomBytes(32)
    const copy = Buffer.from(bytes)
    const dek = new Dek({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }, bytes)
    cache.addActive(dek)
    const shown = inspect(cache, { showHidden: true, depth: null }) + JSON.stringify(cache)
    for (const secret of [copy, dek.key.export()]) expect(formsIn(shown, secret)).toEqual([])
  })

  describe('with nobody asking', () => {
    beforeEach(() => void jest.useFakeTimers())
    afterEach(() => void jest.useRealTimers())

    it('drops DEKs whose time is over, and stops its timer when there are none', () => {
      const clock = handClock()
      const cache = new DekCache({ ttl: 1000, max: 10, clock })
      const pass = (milliseconds: number) => {
        clock.pass(milliseconds)
        jest.advanceTimersByTime(milliseconds)
      }
      cache.addActive(dekOf('early'))
      pass(900)
      cache.addActive(dekOf('late'))
      pass(99)
      expect(cache.size).toBe(2)
      pass(2)
      expect(cache.size).toBe(1)
      pass(1000)
      expect([cache.size, jest.getTimerCount()]).toEqual([0, 0])
    })

    it('has no timer left when it is cleared', () => {
      const cache = new DekCache({ ttl: 1000, max: 10 })
      cache.add(dekOf())
      expect(jest.getTimerCount()).toBe(1)
      cache.clear()
      expect(jest.getTimerCount()).toBe(0)
    })
  })
})
