import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { ErrorCode } from 'fieldseal'
import type { Fault } from 'fieldseal/testing'
import { type ClinicUnderTest, emulatedKms, openClinic } from '../support/clinic.js'
import { refusal, refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
let cold: ClinicUnderTest['prisma']
let grace: string
beforeAll(async () => {
  clinic = await openClinic({ pool: 2 })
  const data = { clinicId: 'globex', number: 1, name: 'Grace', city: 'Paris' }
  grace = (await clinic.prisma.patient.create({ data })).id
})
afterAll(() => clinic.close())

/** No key of `acme` yet, nor any in memory. */
beforeEach(async () => {
  await clinic.plain.patient.deleteMany({ where: { clinicId: 'acme' } })
  await clinic.plain.encryptionKey.deleteMany({ where: { tenant: 'acme' } })
  cold = impatient()
})
afterEach(async () => {
  clinic.emulator.faults.clear()
  const { keys, keyId } = clinic.emulator
  if (keys.find(keyId).state === 'PendingDelete') keys.change(keyId, 'cancelDeletion')
  if (keys.find(keyId).state === 'Disabled') keys.change(keyId, 'enable')
  await cold.$disconnect()
})

function impatient(options: Parameters<typeof emulatedKms>[1] = {}) {
  return clinic.another({ kms: emulatedKms(clinic.emulator, { timeout: 1_000, maxRetries: 0, ...options }), pool: 2 })
}

const always = (fault: object) => () => {
  clinic.emulator.faults.add({ ...fault, times: 'always' } as Fault)
}
const cmk =
  (...transitions: readonly ('disable' | 'scheduleDeletion')[]) =>
  () => {
    for (const transition of transitions) clinic.emulator.keys.change(clinic.emulator.keyId, transition)
  }

const FAULTS: readonly (readonly [what: string, code: ErrorCode, begin: () => void])[] = [
  ['hangs up', 'KMS_UNAVAILABLE', always({ kind: 'hangUp', when: 'before' })],
  ['hangs up in the middle of its answer', 'KMS_UNAVAILABLE', always({ kind: 'hangUp', when: 'body' })],
  ['cuts its answer', 'KMS_UNAVAILABLE', always({ kind: 'truncate' })],
  ['answers another JSON', 'KMS_UNAVAILABLE', always({ kind: 'body', body: '{}' })],
  ['answers a page of a proxy', 'KMS_UNAVAILABLE', always({ kind: 'body', body: '<html>' })],
  ['answers HTTP 502', 'KMS_UNAVAILABLE', always({ kind: 'status', status: 502 })],
  ['has an internal error', 'KMS_UNAVAILABLE', always({ kind: 'error', code: 'InternalError' })],
  ['throttles without end', 'KMS_THROTTLED', always({ kind: 'error', code: 'RequestLimitExceeded' })],
  ['denies', 'KMS_DENIED', always({ kind: 'error', code: 'UnauthorizedOperation' })],
  ['has the CMK disabled', 'KMS_KEY_UNUSABLE', cmk('disable')],
  ['has the CMK pending deletion', 'KMS_KEY_UNUSABLE', cmk('disable', 'scheduleDeletion')],
]

const data = { clinicId: 'acme', number: 1, name: 'Ada' }
const visit = { at: new Date(), reason: 'cough' }
const room = { name: 'a room', floor: 1 }

type Client = ClinicUnderTest['prisma']

/** Operations that need a new key. */
const WRITES: { readonly [write: string]: (client: Client) => PromiseLike<unknown> } = {
  create: (client) => client.patient.create({ data }),
  createMany: (client) => client.patient.createMany({ data: [data, { ...data, number: 2 }] }),
  'a nested create': (client) => client.patient.create({ data: { ...data, visits: { create: visit } } }),
  'a create nested in a plain update': (client) =>
    client.clinic.update({
      where: { id: 'acme' },
      data: { name: 'changed', patients: { create: { number: 1, name: 'Ada' } } },
    }),
  upsert: (client) =>
    client.patient.upsert({ where: { clinicId_number: { clinicId: 'acme', number: 1 } }, create: data, update: data }),
  'a batch transaction': (client) =>
    client.$transaction([client.room.create({ data: room }), client.patient.create({ data })]),
  'an interactive transaction': (client) =>
    client.$transaction(async (tx) => {
      await tx.room.create({ data: room })
      await tx.patient.create({ data })
    }),
}

const counts = async () => ({
  patients: await clinic.plain.patient.count(),
  visits: await clinic.plain.visit.count(),
  rooms: await clinic.plain.room.count(),
  keys: await clinic.plain.encryptionKey.count({ where: { tenant: 'acme' } }),
  changed: await clinic.plain.clinic.count({ where: { name: 'changed' } }),
})
const NOTHING = { patients: 1, visits: 0, rooms: 0, keys: 0, changed: 0 }

describe.each(FAULTS)('a KMS that %s', (_, code, begin) => {
  it('lets nothing be written by a first use, which works as soon as it has recovered', async () => {
    begin()
    for (const [write, run] of Object.entries(WRITES)) {
      expect([write, await refusalCode(() => run(cold))]).toEqual([write, code])
    }
    expect(await counts()).toEqual(NOTHING)
    await recover()
    expect(await cold.patient.create({ data })).toMatchObject({ name: 'Ada' })
  })

  it('makes a first read fail and give nothing, until it has recovered', async () => {
    begin()
    const globex = cold.$forTenant('globex')
    const error = await refusal(() => globex.patient.findMany({ where: { clinicId: 'globex' } }))
    expect(error).toMatchObject({ code, message: expect.stringMatching(/^Patient\.name: Tencent KMS, Decrypt/) })
    expect(error.message).not.toMatch(/fs1\.\w|Grace/)
    await recover()
    expect(await globex.patient.findUnique({ where: { id: grace } })).toMatchObject({ name: 'Grace' })
  })

  it('does not trouble reads and writes whose keys are in memory', async () => {
    const globex = clinic.prisma.$forTenant('globex')
    await globex.patient.findUnique({ where: { id: grace } })
    begin()
    clinic.emulator.calls.reset()
    expect(await globex.patient.update({ where: { id: grace }, data: { name: 'Grace' } })).toMatchObject({
      name: 'Grace',
    })
    expect(await globex.patient.findMany({ where: { clinicId: 'globex' } })).toMatchObject([{ name: 'Grace' }])
    expect(clinic.emulator.calls.count()).toBe(0)
  })

  it('lets no plain column be changed by an operation that could not decrypt its result', async () => {
    begin()
    const where = { id: grace }
    const globex = cold.$forTenant('globex')
    const writes: { readonly [write: string]: () => PromiseLike<unknown> } = {
      update: () => globex.patient.update({ where, data: { city: 'Rome' } }),
      updateManyAndReturn: () => globex.patient.updateManyAndReturn({ where, data: { city: 'Rome' } }),
      upsert: () => globex.patient.upsert({ where, create: { ...data, clinicId: 'globex' }, update: { city: 'Rome' } }),
      delete: () => globex.patient.delete({ where }),
      'a batch that reads': () =>
        cold.$transaction([cold.room.create({ data: room }), globex.patient.findUnique({ where })]),
    }
    for (const [write, run] of Object.entries(writes)) expect([write, await refusalCode(run)]).toEqual([write, code])
    expect(await clinic.plain.patient.findUnique({ where })).toMatchObject({ city: 'Paris' })
    expect(await counts()).toEqual(NOTHING)
  })
})

async function recover(): Promise<void> {
  clinic.emulator.faults.clear()
  const { keys, keyId } = clinic.emulator
  if (keys.find(keyId).state === 'PendingDelete') keys.change(keyId, 'cancelDeletion')
  if (keys.find(keyId).state === 'Disabled') keys.change(keyId, 'enable')
}

describe('a KMS that cannot be reached', () => {
  it('lets nothing be written', async () => {
    const { clientConfig } = clinic.emulator
    const nowhere = { ...clinic.emulator, clientConfig: () => unreachable(clientConfig()) }
    const client = clinic.another({ kms: emulatedKms(nowhere, { maxRetries: 0 }) })
    const error = await refusal(() => client.patient.create({ data }))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('ECONNREFUSED') })
    expect(await counts()).toEqual(NOTHING)
  })
})

function unreachable(config: ReturnType<ClinicUnderTest['emulator']['clientConfig']>): typeof config {
  const httpProfile = { ...config.profile.httpProfile, endpoint: '127.0.0.1:1' }
  return { ...config, profile: { httpProfile } }
}

describe('wrong credentials', () => {
  it.each([
    ['an unknown SecretId', { secretId: 'AKIDnobody', secretKey: 'x' }],
    ['a wrong SecretKey', { secretId: 'AKIDemulator', secretKey: 'wrong' }],
  ])('are said to be so, at once, and nothing is written: %s', async (_, credential) => {
    const client = impatient({ credential, maxRetries: 5 })
    clinic.emulator.calls.reset()
    const error = await refusal(() => client.patient.create({ data }))
    expect(error).toMatchObject({ code: 'KMS_DENIED', message: expect.stringContaining('credentials') })
    expect(JSON.stringify(error) + error.message).not.toContain(credential.secretKey.repeat(2))
    expect(clinic.emulator.calls.count('GenerateDataKey')).toBeLessThanOrEqual(2)
    expect(await counts()).toEqual(NOTHING)
  })
})

describe('a slow KMS', () => {
  it('is given up at its deadline, and nothing is written even when it answers after all', async () => {
    const client = impatient({ timeout: 600, attemptTimeout: 600 })
    clinic.emulator.faults.add({ kind: 'hold', times: 'always' })
    const error = await refusal(() => client.patient.create({ data }))
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringContaining('600 ms') })
    clinic.emulator.faults.clear()
    await clinic.emulator.calls.until(({ inFlight }) => inFlight === 0)
    expect(await counts()).toEqual(NOTHING)
    expect(await client.patient.create({ data })).toMatchObject({ name: 'Ada' })
  })

  it('that is slow once is asked again within the deadline', async () => {
    const client = impatient({ attemptTimeout: 150, maxRetries: 5, timeout: 10_000 })
    clinic.emulator.faults.add({ kind: 'hold', action: 'GenerateDataKey' })
    expect(await client.doctor.create({ data: { clinicId: 'acme', name: 'Who', mobile: '1' } })).toMatchObject({
      mobile: '1',
    })
    await clinic.plain.doctor.deleteMany()
  })
})

describe('a KMS that throttles for a moment', () => {
  it('is asked again, and the operation works', async () => {
    const client = impatient({ maxRetries: 5, timeout: 10_000 })
    clinic.emulator.calls.reset()
    clinic.emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'GenerateDataKey', times: 2 })
    const doctor = await client.doctor.create({ data: { clinicId: 'acme', name: 'Who', mobile: '1' } })
    expect(doctor).toMatchObject({ mobile: '1' })
    expect(clinic.emulator.calls.count('GenerateDataKey')).toBe(3)
    await clinic.plain.doctor.deleteMany()
  })

  it('serves 100 waiting operations of one tenant by the one retried call', async () => {
    clinic.emulator.calls.reset()
    clinic.emulator.faults.add({ kind: 'error', code: 'RequestLimitExceeded', action: 'Decrypt' })
    const globex = impatient({ maxRetries: 5 }).$forTenant('globex')
    const reads = Array.from({ length: 100 }, () => globex.patient.findFirst({ where: { id: grace } }))
    expect(new Set((await Promise.all(reads)).map((row) => row?.name))).toEqual(new Set(['Grace']))
    expect(clinic.emulator.calls.byAction).toEqual({ Decrypt: 2 })
  })
})
