import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type TenantKmsOptions, tenantKms } from 'fieldseal/tenant-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { probeKms } from '../../../src/keys/kmsProbe.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../../support/clinic.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import { lose, north, south, twoRegions } from '../regions.js'
import { ringOf } from '../ringOf.js'

twoRegions()

const ours = () => emulatedKms(north, { maxRetries: 0, timeout: 2_000 })
const customers = () => emulatedKms(south, { maxRetries: 0, timeout: 2_000 })
const identity = (tenant = 'acme'): DekIdentity => ({ key: randomUUID(), purpose: 'encrypt', tenant })
const local = (): Kms => localKms({ key: randomBytes(32).toString('base64') })

/** `acme` brings its own; all others, and `*`, have ours. */
function byok(options: Partial<TenantKmsOptions> = {}): Kms {
  const members = { tencent: ours(), 'acme-own': customers() }
  return tenantKms({ members, memberOf: (tenant) => (tenant === 'acme' ? 'acme-own' : 'tencent'), ...options })
}

describe('tenantKms', () => {
  it('asks the member of the tenant, and names it for the kms column', async () => {
    const { kms, kekId } = await byok().generate(identity())
    expect([kms, kekId, north.calls.count()]).toEqual(['acme-own', south.keyId, 0])
    expect(await byok().generate(identity('globex'))).toMatchObject({ kms: 'tencent', kekId: north.keyId })
    expect(await byok().generate(identity('*'))).toMatchObject({ kms: 'tencent' })
    expect(south.calls.byAction).toEqual({ GenerateDataKey: 1 })
  })

  it('refuses a key under a member that is none of the tenant’s, and asks nobody', async () => {
    const whose = identity('globex')
    const planted = await byok({ memberOf: () => 'acme-own' }).wrap!(randomBytes(32), whose)
    south.calls.reset()
    for (const opening of [() => byok().unwrap(planted, whose), () => byok().rewrap!(planted, whose)]) {
      expect(await refusal(opening)).toMatchObject({
        code: 'KMS_KEY_UNUSABLE',
        message: expect.stringMatching(/"globex".*"acme-own".*"formerMembers".*backup/),
      })
    }
    expect(await refusalCode(() => byok().unwrap({ ...planted, kms: 'tencent' }, whose))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(() => byok().unwrap({ ...planted, kms: 'none' }, whose))).toBe('KMS_KEY_UNUSABLE')
    expect([north.calls.count(), south.calls.count()]).toEqual([0, 0])
  })

  it('opens what a former member wrapped, for its tenant only', async () => {
    const [acme, globex] = [identity(), identity('globex')]
    const before = tenantKms({ members: { tencent: ours() }, memberOf: () => 'tencent' })
    const { dek, ...wrapped } = await before.generate(acme)
    expect(await refusalCode(() => byok().unwrap(wrapped, acme))).toBe('KMS_KEY_UNUSABLE')
    const formerMembers = (tenant: string) => (tenant === 'acme' ? ['tencent'] : ['acme-own'])
    expect(await byok({ formerMembers }).unwrap(wrapped, acme)).toEqual(dek)
    expect(await byok({ formerMembers: ['tencent'] }).unwrap(wrapped, acme)).toEqual(dek)
    const other = await byok({ memberOf: () => 'acme-own' }).generate(globex)
    expect(await refusalCode(() => byok({ formerMembers: ['tencent'] }).unwrap(other, globex))).toBe('KMS_KEY_UNUSABLE')
  })

  it('knows a member that is added later', async () => {
    const members: { [name: string]: Kms } = { tencent: ours() }
    const kms = tenantKms({ members, memberOf: (tenant) => (tenant === 'acme' ? 'acme-own' : 'tencent') })
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: 'The option "memberOf" of tenantKms names "acme-own" for tenant "acme": no member has that name.',
    })
    members['acme-own'] = customers()
    expect([await kms.generate(identity()), kms.reads]).toMatchObject([{ kms: 'acme-own' }, ['tencent', 'acme-own']])
  })

  it('has values encrypted by the member of the tenant, if all can', async () => {
    const place = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }
    const text = await byok().encrypt!(Buffer.from('x'), place)
    expect(text).toMatch(/^fstv1\.acme-own\./)
    expect(await byok().decrypt!(text, place)).toEqual(Buffer.from('x'))
    const moved = text.replace('acme-own', 'tencent')
    expect(await refusalCode(() => byok().decrypt!(moved, place))).toBe('KMS_KEY_UNUSABLE')
    expect(await refusalCode(() => byok().decrypt!('fstv1.', place))).toBe('KMS_REFUSED')
    const { encrypt: _, decrypt: __, ...keysOnly } = local()
    const some = tenantKms({ members: { local: local(), keys: keysOnly as Kms }, memberOf: () => 'local' })
    expect([some.encrypt, some.decrypt, some.concurrency]).toEqual([undefined, undefined, undefined])
  })

  it('is tried for the tenant that is asked about', async () => {
    lose(south)
    expect(await probeKms(byok(), 'globex', true)).toEqual([])
    expect((await probeKms(byok(), 'acme', true)).map(({ error }) => error.code)).toEqual([
      'KMS_UNAVAILABLE',
      'KMS_UNAVAILABLE',
    ])
  })

  it.each<[string, object, RegExp]>([
    ['no members', { members: {} }, /at least one member/],
    ['a name that is none', { members: { Acme: local() } }, /lower-case letters/],
    ['a member that is no Kms', { members: { acme: {} } }, /a Kms as member "acme"/],
    ['no memberOf', { memberOf: 'acme' }, /"memberOf", a function/],
    ['one former member in place of a list', { formerMembers: 'acme' }, /"formerMembers"/],
    ['an option that does not exist', { kmsOf: () => local() }, /"kmsOf"/],
  ])('cannot be had with %s', (_, options, message) => {
    expect(() => byok(options)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringMatching(message) }),
    )
  })

  it.each<[string, () => string | Promise<string>, RegExp]>([
    [
      'fails',
      () => Promise.reject(new Error('no such customer')),
      /The memberOf function of tenantKms failed for tenant "acme"/,
    ],
    ['gives no name', () => undefined as never, /no member has that name/],
    ['gives what every object has', () => 'constructor', /no member has that name/],
  ])('says so when memberOf %s', async (_, memberOf, message) => {
    expect(await refusal(() => byok({ memberOf }).generate(identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(message),
    })
  })
})

describe('tenantKms, a customer’s KMS', () => {
  it('that is disabled is felt by that customer only', async () => {
    const ring = ringOf(byok(), memoryKeyStore())
    south.keys.change(south.keyId, 'disable')
    expect(await refusalCode(() => ring.active.get('acme', 'encrypt'))).toBe('KMS_KEY_UNUSABLE')
    expect((await ring.active.get('globex', 'encrypt')).tenant).toBe('globex')
    south.keys.change(south.keyId, 'enable')
    expect((await ring.active.get('acme', 'encrypt')).tenant).toBe('acme')
  })

  it('that is down for long is spared, and holds no other tenant back', async () => {
    const ring = ringOf(byok(), memoryKeyStore())
    lose(south)
    for (let i = 0; i < 20; i += 1)
      expect(await refusalCode(() => ring.active.get('acme', 'encrypt'))).toBe('KMS_UNAVAILABLE')
    expect(south.calls.count()).toBe(10)
    for (let i = 0; i < 20; i += 1) expect((await ring.active.get(`tenant-${i}`, 'encrypt')).tenant).toBe(`tenant-${i}`)
  })
})

describe('tenantKms, a tenant that moves', () => {
  it('is readable all the time, by processes before and after, and the kms column says where its keys are', async () => {
    const store = memoryKeyStore()
    const before = tenantKms({ members: { tencent: ours() }, memberOf: () => 'tencent' })
    const { id } = await ringOf(before, store).active.get('acme', 'encrypt')
    await ringOf(before, store).active.get('globex', 'encrypt')
    const reading = { members: { tencent: ours(), 'acme-own': customers() }, formerMembers: ['acme-own'] }
    const knowing = tenantKms({ ...reading, memberOf: () => 'tencent' })
    const moving = byok({ formerMembers: ['tencent'] })
    for (const each of [knowing, moving])
      expect(await ringOf(each, store).loaded.load([id], 'acme')).toMatchObject([{ id }])
    expect(await rewrap(moving, store, { rate: 1000 })).toEqual({ changed: 1, unchanged: 1, failed: [] })
    expect(store.rows.map(({ tenant, kms }) => [tenant, kms])).toEqual([
      ['acme', 'acme-own'],
      ['globex', 'tencent'],
    ])
    for (const each of [knowing, moving, byok()])
      expect(await ringOf(each, store).loaded.load([id], 'acme')).toMatchObject([{ id }])
    expect(await rewrap(byok(), store, { rate: 1000 })).toEqual({ changed: 0, unchanged: 2, failed: [] })
  })

  it('comes from a KMS that had wrapped all keys alone, whose name is the member’s, and goes back to it', async () => {
    const store = memoryKeyStore()
    const { id } = await ringOf(ours(), store).active.get('acme', 'encrypt')
    expect(await rewrap(byok({ formerMembers: ['tencent'] }), store, { rate: 1000 })).toMatchObject({ changed: 1 })
    expect(store.rows[0]!.kms).toBe('acme-own')
    expect(await rewrap(ours(), store, { from: byok(), rate: 1000 })).toMatchObject({ changed: 1, failed: [] })
    expect(store.rows[0]!.kms).toBe('tencent')
    expect(await ringOf(ours(), store).loaded.load([id], 'acme')).toMatchObject([{ id }])
  })

  it('may be served by several KMSs at once', async () => {
    const store = memoryKeyStore()
    const both = redundantKms({ members: { north: ours(), south: customers() } })
    const kms = tenantKms({
      members: { both, tencent: ours() },
      memberOf: (tenant) => (tenant === 'acme' ? 'both' : 'tencent'),
    })
    const { id } = await ringOf(kms, store).active.get('acme', 'encrypt')
    lose(north)
    expect(await ringOf(kms, store).loaded.load([id], 'acme')).toMatchObject([{ id }])
  })
})

describe('a client with a KMS of a customer', () => {
  let clinic: ClinicUnderTest
  beforeAll(async () => {
    clinic = await openClinic()
  })
  afterAll(() => clinic.close())

  it('moves the customer’s keys while it runs; what they then take away is their data only', async () => {
    const open = (kms: Kms) => clinic.another({ kms })
    const read = async (client: ClinicUnderTest['prisma'], tenant: string) =>
      (await client.$forTenant(tenant).patient.findMany({ where: { clinicId: tenant } })).map(({ name }) => name)
    for (const clinicId of ['acme', 'globex'])
      await clinic.prisma.patient.create({ data: { clinicId, number: 1, name: `Ada of ${clinicId}` } })

    // With retries: an idle connection may end just when it is used again.
    const members = { tencent: emulatedKms(clinic.emulator), 'acme-own': emulatedKms(south) }
    const memberOf = (tenant: string) => (tenant === 'acme' ? 'acme-own' : 'tencent')
    const before = open(tenantKms({ members, memberOf: () => 'tencent', formerMembers: ['acme-own'] }))
    const mover = open(tenantKms({ members, memberOf, formerMembers: ['tencent'] }))
    expect(await read(before, 'acme')).toEqual(['Ada of acme'])
    expect(await mover.$encryption.rewrap({ tenants: 'acme', rate: 1000 })).toMatchObject({ failed: [] })
    const where = { tenant: 'acme' }
    const rows = await clinic.plain.encryptionKey.findMany({ where })
    expect(new Set(rows.map(({ kms }) => kms))).toEqual(new Set(['acme-own']))
    const cold = () => open(tenantKms({ members, memberOf }))
    for (const client of [before, cold()]) expect(await read(client, 'acme')).toEqual(['Ada of acme'])

    south.keys.change(south.keyId, 'disable')
    const client = cold()
    expect(await refusalCode(() => read(client, 'acme'))).toBe('KMS_KEY_UNUSABLE')
    expect(await read(client, 'globex')).toEqual(['Ada of globex'])
    south.keys.change(south.keyId, 'enable')
    expect(await read(client, 'acme')).toEqual(['Ada of acme'])
  })
})
