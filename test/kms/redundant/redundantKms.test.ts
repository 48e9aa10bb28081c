import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type KmsEmulator, memoryKeyStore } from 'fieldseal/testing'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'
import { lose, north, south, twoRegions } from '../regions.js'
import { ringOf } from '../ringOf.js'

const identity: DekIdentity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }

twoRegions()

const at = (region: KmsEmulator): Kms => emulatedKms(region, { maxRetries: 0, timeout: 2_000 })
const both = (minimum = 1) => redundantKms({ members: { north: at(north), south: at(south) }, minimum })
const membersOf = (wrapped: string) => Object.keys(JSON.parse(wrapped.slice('fsm1.'.length)))

describe('redundantKms', () => {
  it('wraps a DEK in each region, and opens it in either when the other is lost', async () => {
    const kms = both()
    const { dek, ...wrapped } = await kms.generate(identity)
    expect([membersOf(wrapped.wrapped), wrapped.kekId]).toEqual([
      ['north', 'south'],
      `north=${north.keyId} south=${south.keyId}`,
    ])
    for (const region of [north, south]) {
      lose(region)
      expect(await both().unwrap(wrapped, identity)).toEqual(dek)
      region.faults.clear()
    }
    lose(north)
    lose(south)
    expect(await refusalCode(() => both().unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
  })

  it('asks the first only, while that answers', async () => {
    const { dek, ...wrapped } = await both().generate(identity)
    dek.fill(0)
    for (const region of [north, south]) region.calls.reset()
    await both().unwrap(wrapped, identity)
    expect([north.calls.byAction, south.calls.byAction]).toEqual([{ Decrypt: 1 }, {}])
  })

  it('makes DEKs while one region is lost, and has a rewrap add that region later', async () => {
    for (const [lost, other] of [
      [north, 'south'],
      [south, 'north'],
    ] as const) {
      lose(lost)
      const { dek, ...wrapped } = await both().generate(identity)
      expect(membersOf(wrapped.wrapped)).toEqual([other])
      expect(await refusalCode(() => both().rewrap!(wrapped, identity))).toBe('KMS_UNAVAILABLE')
      lost.faults.clear()
      const whole = await both().rewrap!(wrapped, identity)
      expect(membersOf(whole.wrapped)).toEqual(['north', 'south'])
      lose(other === 'north' ? north : south)
      expect(await both().unwrap(whole, identity)).toEqual(dek)
      for (const region of [north, south]) region.faults.clear()
    }
  })

  it('makes none where fewer members than the minimum can wrap it', async () => {
    lose(south)
    expect(await refusalCode(() => both(2).generate(identity))).toBe('KMS_UNAVAILABLE')
    expect(await refusalCode(() => both(2).wrap!(randomBytes(32), identity))).toBe('KMS_UNAVAILABLE')
  })

  it('adds and drops members by a rewrap, and gives the same text back when nothing is newer', async () => {
    const { dek, ...wrapped } = await both().generate(identity)
    expect(await both().rewrap!(wrapped, identity)).toBe(wrapped)
    north.keys.rotate(north.keyId)
    const newer = await both().rewrap!(wrapped, identity)
    expect(newer.wrapped).not.toBe(wrapped.wrapped)
    const vault = localKms({ key: randomBytes(32).toString('base64') })
    const moved = await redundantKms({ members: { south: at(south), vault } }).rewrap!(newer, identity)
    expect(membersOf(moved.wrapped)).toEqual(['south', 'vault'])
    lose(south)
    expect(await redundantKms({ members: { south: at(south), vault } }).unwrap(moved, identity)).toEqual(dek)
    expect(await refusalCode(() => redundantKms({ members: { north: at(north) } }).unwrap(moved, identity))).toBe(
      'KMS_KEY_UNUSABLE',
    )
  })

  it('refuses a DEK of another identity, and a text that was changed', async () => {
    const { dek, ...wrapped } = await both().generate(identity)
    dek.fill(0)
    expect(await refusalCode(() => both().unwrap(wrapped, { ...identity, tenant: 'evil' }))).toBe('KMS_REFUSED')
    const texts = ['', 'fsm1.', 'fsm1.null', 'fsm1.{}', 'fsm1.[]', 'fsm1.{"north":null}', wrapped.wrapped.slice(5)]
    for (const text of texts) {
      expect(await refusalCode(() => both().unwrap({ ...wrapped, wrapped: text }, identity))).toBe('KMS_REFUSED')
    }
    expect(await refusalCode(() => both().unwrap({ ...wrapped, kekId: 'other' }, identity))).toBe('KMS_REFUSED')
  })

  it('does not make a reader wait for a lost region again and again', async () => {
    const { dek, ...wrapped } = await both().generate(identity)
    dek.fill(0)
    lose(north)
    north.calls.reset()
    const kms = both()
    for (let i = 0; i < 50; i += 1) (await kms.unwrap(wrapped, identity)).fill(0)
    expect(north.calls.count()).toBe(10)
  })

  it('asks a member that is back at once where no other helps, though it is still spared', async () => {
    const kms = both()
    const { dek, ...wrapped } = await kms.generate(identity)
    lose(north)
    for (let i = 0; i < 10; i += 1) (await kms.unwrap(wrapped, identity)).fill(0)
    north.faults.clear()
    lose(south)
    for (let i = 0; i < 20; i += 1) expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })

  it('wraps DEKs in a member that is back, though it is still spared', async () => {
    const kms = both()
    const { dek, ...wrapped } = await kms.generate(identity)
    dek.fill(0)
    lose(north)
    for (let i = 0; i < 10; i += 1) (await kms.unwrap(wrapped, identity)).fill(0)
    north.faults.clear()
    const next = await kms.generate(identity)
    expect(membersOf(next.wrapped)).toEqual(['north', 'south'])
  })

  it('asks each member once a second at most while all are down', async () => {
    const kms = both()
    const { dek, ...wrapped } = await kms.generate(identity)
    dek.fill(0)
    for (const region of [north, south]) {
      lose(region)
      region.calls.reset()
    }
    const begun = performance.now()
    for (let i = 0; i < 100; i += 1)
      expect(await refusalCode(() => kms.unwrap(wrapped, identity))).toBe('KMS_UNAVAILABLE')
    const seconds = Math.ceil((performance.now() - begun) / 1000)
    // Ten before it is spared, one as the last resort, and one whenever it is found out whether it is back.
    for (const region of [north, south]) expect(region.calls.count()).toBeLessThanOrEqual(10 + 2 * seconds)
  })

  it('holds no DEK back because another one is in no member that answers', async () => {
    const store = memoryKeyStore()
    lose(south)
    const { id } = await ringOf(both(), store).active.get('alone', 'encrypt')
    south.faults.clear()
    const other = await ringOf(both(), store).active.get('other', 'encrypt')
    lose(north)
    const ring = ringOf(both(), store)
    for (let i = 0; i < 20; i += 1)
      expect(await refusalCode(() => ring.loaded.load([id], 'alone'))).toBe('KMS_UNAVAILABLE')
    expect(await ring.loaded.load([other.id], 'other')).toMatchObject([{ id: other.id }])
  })

  it.each([
    { members: {} },
    { members: { North: localKms({ key: 'ab'.repeat(32) }) } },
    { members: { north: {} } },
    { members: { north: localKms({ key: 'ab'.repeat(32) }) }, minimum: 2 },
    { members: { north: localKms({ key: 'ab'.repeat(32) }) }, order: 1 },
  ])('cannot be had with %j', (options) => {
    expect(() => redundantKms(options as never)).toThrow(expect.objectContaining({ code: 'OPTIONS_INVALID' }))
  })
})

describe('a client with two regions', () => {
  let clinic: ClinicUnderTest
  beforeAll(async () => {
    clinic = await openClinic()
  })
  afterAll(() => clinic.close())

  it('takes its keys over from one region, and serves when that region is lost', async () => {
    const data = { clinicId: 'acme', number: 1, name: 'Ada' }
    const read = async (client: ClinicUnderTest['prisma']) =>
      (await client.$forTenant('acme').patient.findMany({ where: { clinicId: 'acme' } })).map(({ name }) => name)
    await clinic.prisma.patient.create({ data })
    const members = { here: emulatedKms(clinic.emulator, { maxRetries: 0 }), south: at(south) }
    const open = () => clinic.another({ kms: redundantKms({ members }) })
    expect(await open().$encryption.rewrap({ from: members.here })).toMatchObject({ failed: [], unchanged: 0 })
    lose(clinic.emulator)
    const client = open()
    expect(await read(client)).toEqual(['Ada'])
    await client.patient.create({ data: { ...data, number: 2, name: 'Eve' } })
    clinic.emulator.faults.clear()
    expect(await open().$encryption.rewrap()).toMatchObject({ failed: [] })
    lose(south)
    expect((await read(open())).sort()).toEqual(['Ada', 'Eve'])
  })
})
