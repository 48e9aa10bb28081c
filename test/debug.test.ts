import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { encryptionContext } from '../src/keys/encryptionContext.js'
import { formsIn } from './keys/secretForms.js'
import { startWorker } from './processes/startWorker.js'
import { type ClinicUnderTest, openClinic } from './support/clinic.js'

const SECRET = 'PLAINTEXT-52ad'

let clinic: ClinicUnderTest
/** What a process has printed, to standard output and standard error. */
let printed: string
/** What `$encryption.encrypt` gave. */
let encrypted: unknown
beforeAll(async () => {
  clinic = await openClinic()
  const worker = await startWorker(clinic, { NODE_DEBUG: 'fieldseal' })
  const write = (number: number) =>
    worker.ask({ kind: 'write', tenants: ['acme'], from: number, count: 1, name: SECRET })
  clinic.emulator.faults.add({ kind: 'error', code: 'InternalError', times: 1 })
  await write(1)
  await write(2)
  await worker.ask({ kind: 'read', tenants: ['acme'] })
  await expect(worker.ask({ kind: 'search', tenant: 'acme', name: SECRET })).rejects.toThrow('contains')
  await expect(write(2)).rejects.toThrow('Unique')
  encrypted = await worker.ask({ kind: 'encrypt', tenant: 'acme', name: SECRET })
  await worker.stop()
  printed = worker.output()
})
afterAll(() => clinic.close())

/** The steps of an operation, without the times. */
function route(number: number): string[] {
  const lines = printed.split('\n').filter((line) => line.includes(` #${number} `))
  return lines.map((line) => line.replace(/^FIELDSEAL \d+: #\d+ /, '').replace(/\+?[\d.]+ ms/g, 'ms'))
}

describe('NODE_DEBUG=fieldseal', () => {
  it('prints the route of a first write: the keys that are asked for, what the KMS does, and what is applied', () => {
    const steps = route(1)
    expect(steps.slice(0, 3)).toEqual([
      'Patient.create ms client: begins',
      'Patient.create ms cipher: 2 to encrypt, 1 to index',
      'Patient.create ms keys: 0 in memory, 2 asked for',
    ])
    expect(steps).toContain('Patient.create ms kms: generate by tencent, another attempt after KMS_UNAVAILABLE')
    expect(steps).toContain('Patient.create ms kms: generate by tencent, ms, done')
    expect(steps).toContain('Patient.create ms keys: version 1 made for encrypt')
    expect(steps).toContain('Patient.create ms keys: version 1 made for index')
    expect(steps).toContain('Patient.create ms cipher: 3 of 3 applied')
    expect(steps.at(-1)).toBe('Patient.create ms client: done')
  })

  it('prints the route of a write whose keys are in memory: to the database, and the row that came back', () => {
    expect(route(2)).toEqual([
      'Patient.create ms client: begins',
      'Patient.create ms cipher: 2 to encrypt, 1 to index',
      'Patient.create ms keys: 2 in memory, 0 asked for',
      'Patient.create ms cipher: 3 of 3 applied',
      'Patient.create ms database: answered',
      'Patient.create ms cipher: 2 to decrypt',
      'Patient.create ms keys: 1 in memory, 0 asked for',
      'Patient.create ms cipher: 2 of 2 applied',
      'Patient.create ms client: done',
    ])
  })

  it('prints how many rows a read has found, and how many values are decrypted in them', () => {
    expect(route(3)).toContain('Patient.findMany ms database: answered with 2 rows')
    expect(route(3)).toContain('Patient.findMany ms cipher: 4 to decrypt')
  })

  it('prints the code of a refusal, before anything has gone to the database', () => {
    expect(route(4)).toEqual([
      'Patient.findMany ms client: begins',
      'Patient.findMany ms client: refused, QUERY_UNSUPPORTED',
    ])
  })

  it('prints that an operation has failed by an error of others, and not which', () => {
    expect(route(5).at(-1)).toBe('Patient.create ms client: failed, with an error of others')
  })

  it('prints the route of a helper for raw SQL', () => {
    expect(route(6)).toEqual([
      '$encryption.encrypt ms client: begins',
      '$encryption.encrypt ms cipher: 1 to encrypt',
      '$encryption.encrypt ms keys: 1 in memory, 0 asked for',
      '$encryption.encrypt ms cipher: 1 of 1 applied',
      '$encryption.encrypt ms client: done',
    ])
  })

  it('prints no plaintext, no ciphertext, no key and no tenant', async () => {
    const rows = await clinic.plain.patient.findMany()
    expect(encrypted).toMatch(/^fs1\./)
    const stored = rows.flatMap(({ id, name, email, emailIndex }) => [id, name, email, emailIndex!])
    expect(stored.length).toBe(8)
    const keys = await clinic.plain.encryptionKey.findMany()
    expect(keys.map(({ purpose }) => purpose).toSorted()).toEqual(['encrypt', 'index'])
    const deks = keys.map(({ id, tenant, purpose, wrapped }) => {
      const context = encryptionContext({ key: id, tenant, purpose: purpose as 'encrypt' })
      return clinic.emulator.keys.open(wrapped!, context).plaintext
    })
    const texts = [
      ...stored,
      String(encrypted),
      ...keys.flatMap(({ id, wrapped, kekId }) => [id, wrapped!, kekId]),
      SECRET,
      'acme',
      'fs1.',
    ]
    for (const text of texts) expect(printed).not.toContain(text)
    for (const bytes of [...deks, Buffer.from(SECRET)]) expect(formsIn(printed, bytes)).toEqual([])
  })

  it('prints nothing unless it is asked to', async () => {
    const worker = await startWorker(clinic, { NODE_DEBUG: '' })
    await worker.ask({ kind: 'read', tenants: ['acme'] })
    await worker.stop()
    expect(worker.output()).toBe('')
  })
})
