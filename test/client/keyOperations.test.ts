import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import type { KeyProgress } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { eventually } from '../support/eventually.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let tenants: string[]
let round = 0
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())

/** Two tenants with one patient each, in a keys table with nobody else. */
beforeEach(async () => {
  clinic.emulator.faults.clear()
  await clinic.plain.patient.deleteMany()
  await clinic.plain.encryptionKey.deleteMany()
  round += 1
  tenants = [`one-${round}`, `two-${round}`]
  await clinic.plain.clinic.createMany({ data: tenants.map((id) => ({ id, name: id })) })
  for (const clinicId of tenants) await write(clinic.prisma, clinicId, 1)
  clinic.emulator.calls.reset()
})

type Client = ClinicUnderTest['prisma']

const write = (client: Client, clinicId: string, number: number) =>
  client.patient.create({ data: { clinicId, number, name: `${clinicId} ${number}`, email: `${number}@example.com` } })
const read = async (client: Client, clinicId: string) => {
  const rows = await client.$forTenant(clinicId).patient.findMany({ where: { clinicId }, orderBy: { number: 'asc' } })
  return rows.map(({ name }) => name)
}
const keysOf = (tenant: string) =>
  clinic.plain.encryptionKey.findMany({ where: { tenant }, orderBy: [{ purpose: 'asc' }, { version: 'asc' }] })
const states = async (tenant: string) =>
  (await keysOf(tenant)).map(({ purpose, version, state }) => `${purpose} ${version} ${state}`)
const wrapped = async () => new Map((await clinic.plain.encryptionKey.findMany()).map((key) => [key.id, key.wrapped]))

describe('rotate', () => {
  it('has a new DEK succeed the active one of every tenant, leaves index keys, and changes no row', async () => {
    const rows = await clinic.plain.patient.findMany()
    expect(await clinic.prisma.$encryption.rotate()).toEqual({ changed: 2, unchanged: 0, failed: [] })
    for (const tenant of tenants) {
      expect(await states(tenant)).toEqual(['encrypt 1 retired', 'encrypt 2 active', 'index 1 active'])
    }
    expect(clinic.emulator.calls.byAction).toEqual({ GenerateDataKey: 2 })
    expect(await clinic.plain.patient.findMany()).toEqual(rows)
    await write(clinic.prisma, tenants[0]!, 2)
    expect(await read(clinic.another(), tenants[0]!)).toEqual([`${tenants[0]} 1`, `${tenants[0]} 2`])
  })

  it('of one tenant leaves the others', async () => {
    expect(await clinic.prisma.$encryption.rotate({ tenants: tenants[0]! })).toMatchObject({ changed: 1 })
    expect(await states(tenants[1]!)).toEqual(['encrypt 1 active', 'index 1 active'])
    expect(await clinic.prisma.$encryption.rotate({ tenants: 'nobody' })).toMatchObject({ changed: 0 })
  })

  it('by two processes at once leaves one active DEK', async () => {
    const other = clinic.another()
    await Promise.all([clinic.prisma, other].map((client) => client.$encryption.rotate()))
    for (const tenant of tenants) {
      const active = (await states(tenant)).filter((state) => /^encrypt \d active$/.test(state))
      expect(active).toHaveLength(1)
    }
  })

  it('tells its progress, ends when it is told to, and goes on with the rest', async () => {
    const before = new Date()
    const seen: KeyProgress[] = []
    const controller = new AbortController()
    const run = clinic.prisma.$encryption.rotate({
      before,
      concurrency: 1,
      signal: controller.signal,
      onProgress: (progress) => {
        seen.push(progress)
        controller.abort(new Error('enough'))
      },
    })
    await expect(run).rejects.toThrow('enough')
    expect(seen).toMatchObject([{ outcome: 'changed', done: 1, total: 2 }])
    expect(tenants).toContain(seen[0]!.tenant)
    const rest = await clinic.prisma.$encryption.rotate({ before })
    expect(rest).toEqual({ changed: 1, unchanged: 0, failed: [] })
    for (const tenant of tenants) expect((await states(tenant)).length).toBe(3)
  })

  it('stops with the error when the KMS is down, and leaves the active DEK', async () => {
    clinic.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 'always' })
    expect(await refusalCode(() => clinic.prisma.$encryption.rotate())).toBe('KMS_DENIED')
    expect(await states(tenants[0]!)).toEqual(['encrypt 1 active', 'index 1 active'])
  })

  it('refuses a rate and a concurrency that would never begin', async () => {
    for (const options of [{ rate: 0 }, { concurrency: 0 }, { concurrency: 1.5 }]) {
      expect(await refusalCode(() => clinic.prisma.$encryption.rotate(options))).toBe('OPTIONS_INVALID')
    }
  })
})

describe('rewrap', () => {
  it('puts every DEK under the newest version of the KEK by ReEncrypt, compares it, and changes nothing else', async () => {
    const before = await clinic.plain.encryptionKey.findMany({ orderBy: { id: 'asc' } })
    clinic.emulator.keys.rotate(clinic.emulator.keyId)
    expect(await clinic.prisma.$encryption.rewrap()).toEqual({ changed: 4, unchanged: 0, failed: [] })
    expect(clinic.emulator.calls.byAction).toEqual({ ReEncrypt: 4, Decrypt: 8 })
    const after = await clinic.plain.encryptionKey.findMany({ orderBy: { id: 'asc' } })
    const rest = (keys: typeof after) => keys.map((key) => ({ ...key, wrapped: undefined }))
    expect(rest(after)).toEqual(rest(before))
    expect(after.filter(({ wrapped }, i) => wrapped === before[i]!.wrapped)).toEqual([])
    for (const tenant of tenants) expect(await read(clinic.another(), tenant)).toEqual([`${tenant} 1`])
  })

  it('leaves what is under the newest version already, so that it can be run again', async () => {
    const before = await wrapped()
    expect(await clinic.prisma.$encryption.rewrap()).toEqual({ changed: 0, unchanged: 4, failed: [] })
    expect(await wrapped()).toEqual(before)
  })

  it('moves a tenant to a KEK of its own, which keyId names by now', async () => {
    const own = clinic.emulator.keys.create({ alias: `own-${round}` }).keyId
    const client = new sdk.v20190118.Client(clinic.emulator.clientConfig())
    const keyId = (tenant: string) => (tenant === tenants[0] ? own : clinic.emulator.keyId)
    const formerKeyIds = [clinic.emulator.keyId]
    const moving = () => clinic.another({ kms: tencentKms({ client, keyId, formerKeyIds }) })
    const moved = () => clinic.another({ kms: tencentKms({ client, keyId }) })
    expect(await read(moving(), tenants[0]!)).toEqual([`${tenants[0]} 1`])
    expect(await refusalCode(() => read(moved(), tenants[0]!))).toBe('KMS_KEY_UNUSABLE')
    expect(await moving().$encryption.rewrap()).toMatchObject({ changed: 2, unchanged: 2, failed: [] })
    expect((await keysOf(tenants[0]!)).map(({ kekId }) => kekId)).toEqual([own, own])
    for (const tenant of tenants) expect(await read(moved(), tenant)).toEqual([`${tenant} 1`])
    expect(await moved().$encryption.rewrap()).toEqual({ changed: 0, unchanged: 4, failed: [] })
  })

  it('leaves a tenant where it is, and says so, when keyId names another KEK and formerKeyIds not the old one', async () => {
    const own = clinic.emulator.keys.create({ alias: `else-${round}` }).keyId
    const client = new sdk.v20190118.Client(clinic.emulator.clientConfig())
    const before = await wrapped()
    const { changed, failed } = await clinic.another({ kms: tencentKms({ client, keyId: own }) }).$encryption.rewrap()
    expect([changed, failed.length, new Set(failed.map(({ error }) => error.code))]).toEqual([
      0,
      4,
      new Set(['KMS_KEY_UNUSABLE']),
    ])
    expect(failed[0]!.error.message).toContain('"formerKeyIds"')
    expect(await wrapped()).toEqual(before)
  })

  it('takes DEKs over from another vendor, and back, by unwrapping and wrapping', async () => {
    const local = localKms({ key: randomBytes(32).toString('base64') })
    const tencent = emulatedKms(clinic.emulator)
    const away = clinic.another({ kms: local })
    expect(await away.$encryption.rewrap({ from: tencent })).toEqual({ changed: 4, unchanged: 0, failed: [] })
    expect(new Set((await keysOf(tenants[0]!)).map(({ kms }) => kms))).toEqual(new Set(['local']))
    expect(await away.$encryption.rewrap({ from: tencent })).toEqual({ changed: 0, unchanged: 4, failed: [] })
    expect(await read(clinic.another({ kms: local }), tenants[0]!)).toEqual([`${tenants[0]} 1`])
    expect(await refusalCode(() => read(clinic.another(), tenants[0]!))).toBe('KEY_INVALID')
    expect(await clinic.another().$encryption.rewrap({ from: local })).toMatchObject({ changed: 4 })
    expect(await read(clinic.another(), tenants[1]!)).toEqual([`${tenants[1]} 1`])
  })

  it('moves DEKs to another region, where the KMS has the same name, and knows those that are there', async () => {
    const region = await startKmsEmulator()
    onTestFinished(() => region.close())
    const [there, here] = [emulatedKms(region), emulatedKms(clinic.emulator)]
    const client = clinic.another({ kms: there })
    expect(await client.$encryption.rewrap({ from: here, tenants: tenants[0]! })).toMatchObject({ changed: 2 })
    expect(await client.$encryption.rewrap({ from: here })).toMatchObject({ changed: 2, unchanged: 2, failed: [] })
    expect(await read(clinic.another({ kms: there }), tenants[0]!)).toEqual([`${tenants[0]} 1`])
  })

  it('names a row that was tampered with, leaves it, and rewraps the others', async () => {
    clinic.emulator.keys.rotate(clinic.emulator.keyId)
    const [bad] = await keysOf(tenants[0]!)
    const [other] = await keysOf(tenants[1]!)
    await clinic.plain.encryptionKey.update({ where: { id: bad!.id }, data: { wrapped: other!.wrapped } })
    const { changed, failed } = await clinic.prisma.$encryption.rewrap()
    expect(changed).toBe(3)
    expect(failed).toMatchObject([{ tenant: tenants[0], key: bad!.id, error: { code: 'KMS_REFUSED' } }])
    expect((await wrapped()).get(bad!.id)).toBe(other!.wrapped)
  })

  it('does not take over a DEK that somebody planted under another KEK, and writes none under it', async () => {
    const [tenant] = tenants as [string]
    const client = new sdk.v20190118.Client(clinic.emulator.clientConfig())
    const theirs = tencentKms({ client, keyId: clinic.emulator.keys.create({ alias: `theirs-${round}` }).keyId })
    const whose = { key: randomUUID(), purpose: 'encrypt', tenant } as const
    const planted = await theirs.wrap!(Buffer.alloc(32, 0x41), whose)
    const { key: id, ...rest } = { ...whose, ...planted, version: 2, state: 'active', kms: 'tencent' }
    await clinic.plain.encryptionKey.create({ data: { id, ...rest } })
    expect(await refusalCode(() => write(clinic.another(), tenant, 2))).toBe('KMS_KEY_UNUSABLE')
    const { changed, failed } = await clinic.prisma.$encryption.rewrap()
    expect(changed).toBe(0)
    expect(failed).toMatchObject([{ tenant, key: id, error: { code: 'KMS_KEY_UNUSABLE' } }])
    expect((await clinic.plain.encryptionKey.findUniqueOrThrow({ where: { id } })).kekId).toBe(planted.kekId)
    expect(await read(clinic.another(), tenant)).toEqual([`${tenant} 1`])
  })

  it('leaves a key that is destroyed while it is being rewrapped destroyed', async () => {
    clinic.emulator.keys.rotate(clinic.emulator.keyId)
    clinic.emulator.faults.add({ kind: 'hold', action: 'Decrypt', times: 'always' })
    const run = clinic.prisma.$encryption.rewrap({ tenants: tenants[0]! })
    await clinic.emulator.calls.until((calls) => calls.count('Decrypt') === 2)
    await clinic.another().$encryption.shred(tenants[0]!)
    clinic.emulator.faults.clear()
    expect(await run).toEqual({ changed: 0, unchanged: 2, failed: [] })
    expect((await keysOf(tenants[0]!)).map(({ state, wrapped: text }) => [state, text])).toEqual([
      ['destroyed', null],
      ['destroyed', null],
    ])
  })

  it('keeps within its rate', async () => {
    const begun = performance.now()
    await clinic.prisma.$encryption.rewrap({ rate: 10 })
    expect(performance.now() - begun).toBeGreaterThan(250)
  })
})

describe('shred', () => {
  it('destroys every key of the tenant at once, evicts them here, and gives a receipt that says so', async () => {
    const [tenant, other] = tenants as [string, string]
    const keys = await keysOf(tenant)
    const receipt = await clinic.prisma.$encryption.shred(tenant)
    expect(receipt.tenant).toBe(tenant)
    expect(receipt.keys.map(({ id, purpose, version }) => [id, purpose, version]).sort()).toEqual(
      keys.map(({ id, purpose, version }) => [id, purpose, version]).sort(),
    )
    expect(receipt.acknowledged).toEqual([expect.stringMatching(/:\d+:[0-9a-f]{6}$/)])
    expect(receipt.heldUntil.getTime()).toBeGreaterThan(receipt.destroyedAt.getTime())
    expect(receipt.requestedAt.getTime()).toBeLessThanOrEqual(receipt.destroyedAt.getTime())
    expect(await states(tenant)).toEqual(['encrypt 1 destroyed', 'index 1 destroyed'])
    expect((await keysOf(tenant)).map(({ wrapped: text, destroyedAt }) => [text, destroyedAt !== null])).toEqual([
      [null, true],
      [null, true],
    ])
    for (const client of [clinic.prisma, clinic.another()]) {
      expect(await refusalCode(() => read(client, tenant))).toBe('KEY_DESTROYED')
      expect(await refusalCode(() => write(client, tenant, 2))).toBe('KEY_DESTROYED')
      expect(await read(client, other)).toEqual([`${other} 1`])
    }
  })

  it('can be asked for again, and shows the same keys and times', async () => {
    const first = await clinic.prisma.$encryption.shred(tenants[0]!)
    const second = await clinic.another().$encryption.shred(tenants[0]!)
    expect(second.keys).toEqual(first.keys)
  })

  it('lets no key of a purpose be made later that the tenant had none for', async () => {
    const tenant = tenants[0]!
    await clinic.plain.encryptionKey.deleteMany({ where: { tenant, purpose: 'index' } })
    const { keys } = await clinic.prisma.$encryption.shred(tenant)
    expect(keys).toHaveLength(1)
    const index = clinic.another().$forTenant(tenant).$encryption.blindIndex('Patient.emailIndex', 'x')
    expect(await refusalCode(() => index)).toBe('KEY_DESTROYED')
  })

  it('refuses a tenant that has no keys, rather than destroying nothing', async () => {
    const error = await refusal(() => clinic.prisma.$encryption.shred('nobody'))
    expect(error).toMatchObject({ code: 'KEY_NOT_FOUND', message: expect.stringContaining('"nobody"') })
    expect(await refusalCode(() => clinic.prisma.$encryption.shred('*'))).toBe('TENANT_INVALID')
    expect(await clinic.plain.encryptionKey.count()).toBe(4)
  })

  it('lets the tenant begin anew when it is asked to, with what was destroyed still gone', async () => {
    const tenant = tenants[0]!
    await clinic.prisma.$encryption.shred(tenant)
    expect(await clinic.prisma.$encryption.reopen(tenant)).toEqual(['encrypt', 'index'])
    expect(await clinic.prisma.$encryption.reopen(tenant)).toEqual([])
    expect(await states(tenant)).toEqual([
      'encrypt 1 destroyed',
      'encrypt 2 active',
      'index 1 destroyed',
      'index 2 active',
    ])
    await clinic.plain.$executeRaw`UPDATE patients SET email_index = NULL WHERE clinic_id = ${tenant}`
    await write(clinic.another(), tenant, 2)
    expect(await refusalCode(() => read(clinic.prisma, tenant))).toBe('KEY_DESTROYED')
    const where = { clinicId_number: { clinicId: tenant, number: 2 } }
    expect(await clinic.prisma.$forTenant(tenant).patient.findUnique({ where })).toMatchObject({ name: `${tenant} 2` })
  })

  it.each([1, 2, 3, 4, 5])('against writers that rotate all the time leaves no key alive (%d)', async () => {
    const tenant = tenants[0]!
    const writers = Array.from({ length: 4 }, () => clinic.another({ keys: { maxMessages: 1 }, pool: 2 }))
    let stopped = false
    const work = writers.map(async (client, i) => {
      for (let number = 0; !stopped && number < 1_000; number += 1) {
        const outcome = await write(client, tenant, (i + 1) * 10_000 + number).catch((error: { code: string }) => error)
        if ('code' in outcome) return outcome.code
      }
      return 'stopped'
    })
    await eventually(async () => expect(await keysOf(tenant).then((keys) => keys.length)).toBeGreaterThan(10), {
      interval: 5,
    })
    await clinic.prisma.$encryption.shred(tenant)
    const left = clinic.plain.encryptionKey.count({ where: { tenant, state: { not: 'destroyed' } } })
    expect(await left).toBe(0)
    expect(await Promise.all(work)).toEqual(writers.map(() => 'KEY_DESTROYED'))
    stopped = true
    expect(await clinic.plain.encryptionKey.count({ where: { tenant, state: { not: 'destroyed' } } })).toBe(0)
  })

  it('is not undone by a read that was on its way when it came', async () => {
    const tenant = tenants[0]!
    const client = clinic.another()
    clinic.emulator.faults.add({ kind: 'hold', action: 'Decrypt' })
    const reading = read(client, tenant)
    await clinic.emulator.calls.until((calls) => calls.count('Decrypt') === 1)
    await client.$encryption.shred(tenant)
    clinic.emulator.faults.clear()
    expect(await reading).toEqual([`${tenant} 1`])
    expect(await refusalCode(() => read(client, tenant))).toBe('KEY_DESTROYED')
    expect(client.$encryption.stats().cachedDeks).toBe(0)
  })
})
