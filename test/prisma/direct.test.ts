import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { localKms } from 'fieldseal/local-kms'
import type { EncryptionEvent, EncryptionSchema, ModelSchema } from 'fieldseal/prisma'
import { tencentKms } from 'fieldseal/tencent-kms'
import { startKmsEmulator } from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { emulatedKms } from '../support/clinic.js'
import { onTestFinished } from '../support/onTestFinished.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { type Delegate, type Fixture, type FixtureClient, openFixture, type Row } from './fixtureClient.js'

/** 4,096 bytes of the KMS, less 32 of the digest and 1 of the codec. */
const LONGEST = 4063
const HEAD = `fs1.Ag${'A'.repeat(22)}`

let fixture: Fixture
let acme: FixtureClient
let globex: FixtureClient
beforeAll(async () => {
  fixture = await openFixture('direct.prisma')
  acme = fixture.prisma.$forTenant('acme')
  globex = fixture.prisma.$forTenant('globex')
  await acme.credential!.create({ data: { tenantId: 'acme', label: 'warm', secret: 'x', note: 'y' } })
})
beforeEach(async () => {
  fixture.emulator.faults.clear()
  await fixture.plain.credential!.deleteMany()
  fixture.emulator.calls.reset()
})
afterAll(() => fixture?.close())

const create = (data: Row, client = acme, tenantId = 'acme') =>
  client.credential!.create({ data: { tenantId, label: 'a', ...data } })
const stored = (id: unknown) => fixture.plain.credential!.findUniqueOrThrow({ where: { id } })
const read = (id: unknown, client = acme) => client.credential!.findUniqueOrThrow({ where: { id } })
const plant = (id: unknown, data: Row) => fixture.plain.credential!.update({ where: { id }, data })
const calls = () => fixture.emulator.calls.byAction

/** A client for fields of which some have another mode. */
function withMode(field: string, mode: 'kms' | undefined): FixtureClient {
  const { Credential, ...models } = fixture.schema.models
  const { mode: _, ...spec } = Credential!.encrypted[field]!
  const changed = { ...spec, ...(mode && { mode }) }
  const model = { ...Credential!, encrypted: { ...Credential!.encrypted, [field]: changed } }
  const schema: EncryptionSchema = { ...fixture.schema, models: { ...models, Credential: model } }
  return fixture.another({ schema }).$forTenant('acme')
}

const EVERY = {
  secret: 'sk_live_Ünïcödé 🔑 秘密',
  certificate: new Uint8Array([0, 255, 128]),
  settings: { a: [1, null, 'ä'], b: { c: false } },
  expires: new Date('2027-01-02T03:04:05.678Z'),
  stage: 'live',
  pin: '1234',
  scopes: ['read', '', 'ü'],
  keys: [new Uint8Array([1]), new Uint8Array()],
  pinned: 'to its row',
}

describe('a field with mode: kms', () => {
  it('is encrypted and decrypted by the KMS itself, whatever its type, and read back as it was written', async () => {
    const made = await create(EVERY)
    expect(made).toMatchObject(EVERY)
    expect(await read(made.id)).toMatchObject(EVERY)
    const values = Object.keys(EVERY).length
    expect(calls()).toEqual({ Encrypt: values, Decrypt: 2 * values })
  })

  it('is stored as suite 2: a header without a DEK, and the text of the KMS', async () => {
    const { id } = await create(EVERY)
    const row = await stored(id)
    const texts = [row.secret, row.settings, row.stage, row.pinned, (row.scopes as string[])[0]]
    for (const text of texts) expect(String(text).slice(0, 28)).toBe(HEAD)
    expect(String(row.pin).slice(0, 28)).toBe(`fs1.AgE${'A'.repeat(21)}`)
    const blob = Buffer.from(String(row.secret).slice(28), 'base64url').toString()
    expect(blob).toMatch(/^[\x21-\x7e]+-k-[\x21-\x7e]+$/)
    expect(Buffer.from(row.certificate as Uint8Array).subarray(0, 22)).toEqual(
      Buffer.concat([Buffer.from('fs1.'), Buffer.of(2), Buffer.alloc(17)]),
    )
    expect((row.keys as unknown[]).length).toBe(1)
    expect(JSON.stringify(row)).not.toContain('sk_live')
  })

  it('shows the KMS the tenant and the field of each value, and neither bound values nor the value', async () => {
    const { id } = await create({ pinned: 'secret' })
    const contexts = fixture.emulator.calls.log.map(({ encryptionContext }) => JSON.parse(encryptionContext!))
    expect(contexts).toEqual([
      { aad: expect.stringMatching(/^[\w-]{43}$/), field: 'Credential.pinned', purpose: 'value', tenant: 'acme' },
      contexts[0],
    ])
    expect(JSON.stringify(fixture.emulator.calls.log)).not.toContain(String(id))
  })

  it('stores NULL and an empty list as they are, without a call', async () => {
    const { id } = await create({ secret: null })
    expect(await read(id)).toMatchObject({ secret: null, secretIndex: null, scopes: [], keys: [] })
    expect(calls()).toEqual({})
  })

  it('is searched through its blind index, which needs no call but for what is found', async () => {
    const { id } = await create({ secret: ' sk_1 ' })
    await create({ secret: 'sk_2' })
    fixture.emulator.calls.reset()
    const found = await acme.credential!.findMany({ where: { secret: 'sk_1' } })
    expect(found.map((row) => [row.id, row.secret])).toEqual([[id, ' sk_1 ']])
    expect(calls()).toEqual({ Decrypt: 1 })
    expect(await acme.credential!.count({ where: { secret: { in: ['sk_1', 'sk_2', 'sk_3'] } } })).toBe(2)
    expect(calls()).toEqual({ Decrypt: 1 })
  })

  it('refuses filters that have no right answer, before any SQL and any call', async () => {
    fixture.takeSql()
    expect(await refusalCode(() => acme.credential!.findMany({ where: { pin: '1234' } }))).toBe('QUERY_UNSUPPORTED')
    expect(await refusalCode(() => acme.credential!.findMany({ orderBy: { secret: 'asc' } }))).toBe('QUERY_UNSUPPORTED')
    expect(fixture.takeSql()).toEqual([])
    expect(calls()).toEqual({})
  })

  it('is decrypted only where it is selected', async () => {
    const { id } = await create({ secret: 'x', pin: '1', note: 'n' })
    fixture.emulator.calls.reset()
    const where = { id }
    expect(await acme.credential!.findUniqueOrThrow({ where, select: { label: true, note: true } })).toEqual({
      label: 'a',
      note: 'n',
    })
    expect(calls()).toEqual({})
    expect(await acme.credential!.findUniqueOrThrow({ where, select: { pin: true } })).toEqual({ pin: '1' })
    const omitting = await acme.credential!.findUniqueOrThrow({ where, omit: { secret: true, tenantId: true } })
    expect(omitting.pin).toBe('1')
    expect(Object.keys(omitting)).not.toContain('tenantId')
    expect(calls()).toEqual({ Decrypt: 2 })
  })

  it('is written and read through relations, and changed by update, upsert, updateMany and set', async () => {
    const owner = await fixture.prisma.$forTenant('acme').owner!.create({
      data: { name: 'o', credentials: { create: [{ tenantId: 'acme', label: 'n', secret: 's1', pinned: 'p1' }] } },
      include: { credentials: true },
    })
    const [nested] = owner.credentials as Row[]
    expect(nested).toMatchObject({ secret: 's1', pinned: 'p1' })
    const where = { id: nested!.id }
    await acme.credential!.update({ where, data: { secret: { set: 's2' }, scopes: { set: ['a'] } } })
    await acme.credential!.upsert({ where, create: { tenantId: 'acme', label: 'u' }, update: { pin: '9' } })
    await acme.credential!.updateMany({ where, data: { settings: [1] } })
    expect(await read(nested!.id)).toMatchObject({ secret: 's2', scopes: ['a'], pin: '9', settings: [1], pinned: 'p1' })
    const again = await acme.owner!.findMany({
      include: { credentials: { where: { secret: 's2' }, select: { secret: true } } },
    })
    expect(again[0]!.credentials).toEqual([{ secret: 's2' }])
  })

  it('works in array and interactive transactions, which roll back as ever', async () => {
    const { id } = await create({ secret: 'before' })
    const failed = acme.$transaction(async (tx) => {
      await tx.credential!.update({ where: { id }, data: { secret: 'after' } })
      expect((await tx.credential!.findUniqueOrThrow({ where: { id } })).secret).toBe('after')
      throw new Error('back')
    })
    await expect(failed).rejects.toThrow('back')
    expect((await read(id)).secret).toBe('before')
  })

  it('is given its time in an interactive transaction, where the wait for keys is limited', async () => {
    const client = fixture.another({ keys: { transactionWait: 50 } }).$forTenant('acme')
    const { id } = await create({ pin: 'before' }, client)
    fixture.emulator.faults.add({ kind: 'delay', ms: 200, times: 'always' })
    await client.$transaction(async (tx) => {
      await tx.credential!.update({ where: { id }, data: { pin: 'after' }, select: { id: true } })
      expect((await tx.credential!.findUniqueOrThrow({ where: { id }, select: { pin: true } })).pin).toBe('after')
    })
  })

  it('is told to whoever watches: each call with its field, and the values by field and mode', async () => {
    const events: EncryptionEvent[] = []
    const client = fixture.another({ onEvent: (event) => events.push(event) }).$forTenant('acme')
    await create({ pin: 'top secret' }, client)
    const call = { type: 'kms.call', kms: 'tencent', purpose: 'value', field: 'Credential.pin', tenant: 'acme' }
    const measured = { milliseconds: expect.any(Number), code: undefined }
    expect(events).toEqual([
      { ...call, action: 'encrypt', ...measured },
      { type: 'values', field: 'Credential.pin', mode: 'encrypt', count: 1 },
      { ...call, action: 'decrypt', ...measured },
      { type: 'values', field: 'Credential.pin', mode: 'decrypt', count: 1 },
    ])
    expect(JSON.stringify(events)).not.toContain('top secret')
  })

  it('keeps findUniques of one turn in one query', async () => {
    const [one, other] = [await create({ secret: '1' }), await create({ secret: '2' })]
    fixture.takeSql()
    const found = await Promise.all([one, other].map(({ id }) => acme.credential!.findUnique({ where: { id } })))
    expect(found.map(({ secret }) => secret)).toEqual(['1', '2'])
    expect(fixture.takeSql()).toHaveLength(1)
  })

  it('works in $encryption.encrypt and decryptRows, whose value raw SQL can write', async () => {
    const { id } = await create({})
    const value = await acme.$encryption.encrypt('Credential.pinned', 'raw', { id })
    await plant(id, { pinned: value as string })
    const rows = await fixture.plain.$queryRawUnsafe('SELECT * FROM "Credential" WHERE id = $1', id)
    expect(await acme.$encryption.decryptRows('Credential', rows)).toMatchObject([{ pinned: 'raw' }])
    expect(await refusalCode(() => acme.$encryption.encrypt('Credential.pinned', 'raw'))).toBe('BOUND_VALUE_MISSING')
  })

  it('asks once for a ciphertext that one result holds many times, and keeps no plaintext for the next', async () => {
    const { id: ownerId } = await fixture.plain.owner!.create({ data: { name: 'shared' } })
    const { id } = await create({ secret: 'once', settings: { a: 1 }, ownerId })
    await acme.credential!.createMany({ data: [1, 2, 3].map(() => ({ tenantId: 'acme', label: 'c', ownerId })) })
    const { secret, settings } = await stored(id)
    await fixture.plain.credential!.updateMany({
      where: { label: 'c' },
      data: { secret, settings: settings as object },
    })
    fixture.emulator.calls.reset()
    const rows = await acme.credential!.findMany({ where: { ownerId } })
    expect(rows.map((row) => row.secret)).toEqual(['once', 'once', 'once', 'once'])
    expect(rows[0]!.settings).not.toBe(rows[1]!.settings)
    expect(calls()).toEqual({ Decrypt: 2 })
    await acme.credential!.findMany({ where: { ownerId } })
    expect(calls()).toEqual({ Decrypt: 4 })
  })
})

describe('the length of a value for the KMS', () => {
  it.each([
    ['ASCII', 'a'.repeat(LONGEST), 'a'],
    ['three bytes a character', '秘'.repeat(LONGEST / 3) + 'a'.repeat(LONGEST % 3), 'a'],
    ['four bytes a character', `${'🔑'.repeat(1015)}abc`, 'd'],
  ])(
    'is 4,063 bytes of text at most, in %s, and one more is refused with the size before any call',
    async (_, longest, more) => {
      expect(Buffer.byteLength(longest)).toBe(LONGEST)
      const { id } = await create({ secret: longest })
      expect((await read(id)).secret).toBe(longest)
      fixture.emulator.calls.reset()
      fixture.takeSql()
      const error = await refusal(() => create({ secret: longest + more }))
      expect(error.code).toBe('VALUE_INVALID')
      expect(error.message).toContain('Credential.secret cannot be written: the value takes 4065 bytes')
      expect(error.message).toContain('4064')
      expect(error.message).not.toContain(more.repeat(2))
      expect(calls()).toEqual({})
      expect(fixture.takeSql()).toEqual([])
    },
  )

  it('is the same for bytes, and for padded values what padding leaves', async () => {
    const { id } = await create({ certificate: new Uint8Array(LONGEST).fill(7), pin: 'a'.repeat(4030) })
    expect(await read(id)).toMatchObject({ certificate: new Uint8Array(LONGEST).fill(7), pin: 'a'.repeat(4030) })
    expect(await refusalCode(() => create({ certificate: new Uint8Array(LONGEST + 1) }))).toBe('VALUE_INVALID')
    const padded = await refusal(() => create({ pin: 'a'.repeat(4031) }))
    expect(padded.message).toContain('4096 bytes, padded')
  })

  it('counts a list and JSON as a whole, and refuses one too long before the others are sent', async () => {
    const error = await refusal(() =>
      acme.credential!.createMany({
        data: [
          { tenantId: 'acme', label: 'fits', secret: 'x' },
          { tenantId: 'acme', label: 'too long', settings: { text: 'a'.repeat(4064) } },
        ],
      }),
    )
    expect([error.code, calls()]).toEqual(['VALUE_INVALID', {}])
    expect(await refusalCode(() => create({ scopes: ['a'.repeat(2030), 'b'.repeat(2030)] }))).toBe('VALUE_INVALID')
  })
})

describe('what belongs elsewhere is never plaintext', () => {
  it('another tenant gets TENANT_MISMATCH by the @tenant column, and DECRYPTION_FAILED without', async () => {
    const { id } = await create({ secret: 'acme only' })
    fixture.emulator.calls.reset()
    const where = { id }
    expect(await refusalCode(() => read(id, globex))).toBe('TENANT_MISMATCH')
    expect(await refusalCode(() => globex.credential!.findMany({ where, select: { secret: true } }))).toBe(
      'TENANT_MISMATCH',
    )
    expect(calls()).toEqual({})
    await plant(id, { tenantId: 'globex' })
    expect(await refusalCode(() => read(id, globex))).toBe('DECRYPTION_FAILED')
    const { secret } = await stored(id)
    expect(await refusalCode(() => globex.$encryption.decryptRows('Credential', [{ secret }]))).toBe(
      'DECRYPTION_FAILED',
    )
  })

  it('a ciphertext moved to another field or, with bind, to another row is DECRYPTION_FAILED', async () => {
    const one = await create({ secret: 'a', pinned: 'p', pin: '1' })
    const other = await create({})
    const { secret, pinned, pin } = await stored(one.id)
    for (const moved of [{ pinned }, { stage: secret }, { secret: pin }, { note: secret }]) {
      await plant(other.id, { secret: null, pinned: null, pin: null, note: null, stage: null, ...moved })
      const error = await refusal(() => read(other.id))
      expect([error.code, Object.keys(moved)]).toEqual(['DECRYPTION_FAILED', Object.keys(moved)])
      expect(error.message).toContain('could not be decrypted')
    }
    await plant(other.id, { secret: null, pinned: null, note: null, stage: null })
  })

  it('a DEK that was wrapped by the same KMS is not taken for a value', async () => {
    const key = await fixture.plain.encryptionKey!.findFirst({ where: { tenant: 'acme', purpose: 'encrypt' } })
    const { id } = await create({})
    await plant(id, { secret: HEAD + Buffer.from(String(key.wrapped)).toString('base64url') })
    expect(await refusalCode(() => read(id))).toBe('DECRYPTION_FAILED')
  })

  it('any changed part is a typed error: CIPHERTEXT_INVALID for the form, DECRYPTION_FAILED for what the KMS refuses', async () => {
    const { id } = await create({ secret: 'value', certificate: new Uint8Array([1, 2, 3]) })
    const { secret: text } = (await stored(id)) as { secret: string }
    const blob = Buffer.from(text.slice(28), 'base64url').toString()
    const sealed = (changed: string) => HEAD + Buffer.from(changed).toString('base64url')
    const bad: [string, string][] = [
      ['CIPHERTEXT_INVALID', HEAD],
      ['CIPHERTEXT_INVALID', `${text}=`],
      ['CIPHERTEXT_INVALID', `${text}!`],
      ['CIPHERTEXT_INVALID', HEAD + Buffer.from([0xff, 0xfe]).toString('base64url')],
      ['CIPHERTEXT_INVALID', text.replace('fs1.AgAA', 'fs1.AgAB')],
      ['CIPHERTEXT_INVALID', text.replace('fs1.Ag', 'fs1.Aw')],
      ['CIPHERTEXT_INVALID', text.replace('fs1.AgA', 'fs1.AgI')],
      ['DECRYPTION_FAILED', text.replace('fs1.AgA', 'fs1.AgE')],
      ['DECRYPTION_FAILED', sealed(`${blob}A`)],
      ['DECRYPTION_FAILED', sealed(blob.slice(0, -1))],
      ['DECRYPTION_FAILED', sealed('not a blob of any KMS')],
      ['DECRYPTION_FAILED', sealed(blob.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')))],
    ]
    for (const [code, changed] of bad) {
      await plant(id, { secret: changed })
      const error = await refusal(() => read(id))
      expect([error.code, changed]).toEqual([code, changed])
      expect(error.message).toContain('Credential.secret')
    }
    const { certificate: raw } = (await stored(id)) as { certificate: Uint8Array }
    await plant(id, { secret: null, certificate: raw.slice(0, 22) })
    expect(await refusalCode(() => read(id))).toBe('CIPHERTEXT_INVALID')
    await plant(id, { certificate: new Uint8Array([1, 2, 3]) })
    expect(await refusalCode(() => read(id))).toBe('CIPHERTEXT_INVALID')
  })

  it('a KMS that ignores encryption contexts gives no plaintext either: the value itself says where it belongs', async () => {
    const box = new Map<string, Buffer>()
    const careless = {
      ...emulatedKms(fixture.emulator),
      encrypt: async (plaintext: Buffer) => {
        const text = randomBytes(16).toString('hex')
        box.set(text, Buffer.from(plaintext))
        return text
      },
      decrypt: async (text: string) => Buffer.from(box.get(text) ?? ''),
    }
    const client = fixture.another({ kms: careless })
    const { id } = await create({ secret: 'mine', pinned: 'p' }, client.$forTenant('acme'))
    expect((await read(id, client.$forTenant('acme'))).secret).toBe('mine')
    const { secret, pinned } = await stored(id)
    const rows = [{ secret }]
    expect(await refusalCode(() => client.$forTenant('globex').$encryption.decryptRows('Credential', rows))).toBe(
      'DECRYPTION_FAILED',
    )
    await plant(id, { secret: pinned, pinned: null })
    expect(await refusalCode(() => read(id, client.$forTenant('acme')))).toBe('DECRYPTION_FAILED')
    const other = await create({ pinned: 'q' }, client.$forTenant('acme'))
    await plant(other.id, { pinned })
    expect(await refusalCode(() => read(other.id, client.$forTenant('acme')))).toBe('DECRYPTION_FAILED')
    await plant(other.id, { pinned: HEAD + Buffer.from('unknown to it').toString('base64url') })
    expect(await refusalCode(() => read(other.id, client.$forTenant('acme')))).toBe('DECRYPTION_FAILED')
  })

  it('a ciphertext, of the KMS or of a DEK, is not encrypted a second time', async () => {
    const { id } = await create({ secret: 'value', note: 'n' })
    const { secret, note } = await stored(id)
    for (const data of [{ secret }, { secret: note }, { note: secret }, { scopes: [secret] }]) {
      const [field] = Object.keys(data)
      expect([field, await refusalCode(() => create(data))]).toEqual([field, 'VALUE_INVALID'])
    }
  })
})

describe('$acrossTenants', () => {
  it('reads every tenant by the @tenant column, selected or not, and does not show it where it was not asked for', async () => {
    await create({ secret: 'of acme' })
    await create({ secret: 'of globex' }, globex, 'globex')
    const all = fixture.prisma.$acrossTenants()
    const orderBy = { tenantId: 'asc' }
    expect(await all.credential!.findMany({ orderBy, select: { secret: true } })).toEqual([
      { secret: 'of acme' },
      { secret: 'of globex' },
    ])
    const rows = await fixture.plain.$queryRawUnsafe('SELECT * FROM "Credential" ORDER BY "tenantId"')
    expect((await all.$encryption.decryptRows('Credential', rows)).map((row) => row.secret)).toEqual([
      'of acme',
      'of globex',
    ])
    const { tenantId: _, ...bare } = rows[0]!
    const error = await refusal(() => all.$encryption.decryptRows('Credential', [bare]))
    expect([error.code, error.message]).toEqual([
      'TENANT_MISSING',
      expect.stringContaining('select the column that holds the row'),
    ])
  })

  it('writes for the tenant in the data, and refuses models that do not say whose their rows are', async () => {
    const all = fixture.prisma.$acrossTenants()
    const { id } = await create({ secret: 'g' }, all, 'globex')
    expect((await read(id, globex)).secret).toBe('g')
    await acme.setting!.create({ data: { id: 1, value: 'v' } })
    expect(await refusalCode(() => all.setting!.findMany())).toBe('TENANT_MISSING')
    expect(await acme.setting!.findMany()).toEqual([{ id: 1, value: 'v' }])
    await fixture.plain.setting!.deleteMany()
  })
})

describe('a client with limited access', () => {
  it('gets masks, for which the KMS is asked unless they show nothing, and is refused the rest before any call', async () => {
    const { id } = await create({ secret: 'sk_1', pin: 'AB-12345678', pinned: 'p', note: 'n' })
    const limited = fixture.prisma.$forTenant('acme', { purpose: 'support', allow: ['Credential.note'] })
    fixture.emulator.calls.reset()
    fixture.takeSql()
    const where = { id }
    const select = { pin: true, pinned: true, note: true }
    expect(await limited.credential!.findUniqueOrThrow({ where, select })).toEqual({
      pin: '•••5678',
      pinned: '•••',
      note: 'n',
    })
    expect(calls()).toEqual({ Decrypt: 1 })
    fixture.takeSql()
    expect(await refusalCode(() => limited.credential!.findUnique({ where, select: { secret: true } }))).toBe(
      'ACCESS_DENIED',
    )
    expect(await refusalCode(() => limited.credential!.findMany({ where: { secret: 'sk_1' }, select }))).toBe(
      'ACCESS_DENIED',
    )
    expect([fixture.takeSql(), calls()]).toEqual([[], { Decrypt: 1 }])
  })
})

describe('a change of the mode', () => {
  it('from a DEK to the KMS and back reads what was written before, and writes in the new way', async () => {
    const dek = withMode('secret', undefined)
    const { id } = await create({ secret: 'under a DEK' }, dek)
    expect(String((await stored(id)).secret)).toMatch(/^fs1\.AQ/)
    expect((await read(id)).secret).toBe('under a DEK')
    expect(calls().Decrypt ?? 0).toBeLessThanOrEqual(2)
    await acme.credential!.update({ where: { id }, data: { secret: 'by the KMS' } })
    expect(String((await stored(id)).secret).slice(0, 28)).toBe(HEAD)
    expect((await read(id, dek)).secret).toBe('by the KMS')
  })
})

describe('a KMS that cannot encrypt values', () => {
  it('is refused when the client is made, with the fields that need it', () => {
    const { encrypt: _e, decrypt: _d, ...rest } = localKms({ key: randomBytes(32).toString('base64') })
    for (const kms of [rest, emulatedKms(fixture.emulator, { sealed: true }), () => rest]) {
      expect(() => fixture.another({ kms })).toThrow(
        expect.objectContaining({
          code: 'OPTIONS_INVALID',
          message: expect.stringMatching(/Credential\.secret.*Setting\.value.*mode: kms.*encrypt\(\) and decrypt\(\)/),
        }),
      )
    }
  })
})

describe('a value of the KMS in a field that has another mode by now', () => {
  it('is a typed error where the KMS decrypts no values, and read where it does', async () => {
    const { id } = await create({ secret: 'x' })
    const { Credential, Setting, ...models } = fixture.schema.models
    const bare = (model: ModelSchema): ModelSchema => ({
      ...model,
      encrypted: Object.fromEntries(
        Object.entries(model.encrypted).map(([field, { mode: _, ...spec }]) => [field, spec]),
      ),
    })
    const schema = { ...fixture.schema, models: { ...models, Credential: bare(Credential!), Setting: bare(Setting!) } }
    const kms = emulatedKms(fixture.emulator, { sealed: true })
    const error = await refusal(() => read(id, fixture.another({ schema, kms }).$forTenant('acme')))
    expect([error.code, error.message]).toEqual(['OPTIONS_INVALID', expect.stringContaining('mode: kms')])
    expect((await read(id, fixture.another({ schema }).$forTenant('acme'))).secret).toBe('x')
    expect((await read(id, fixture.another({ schema }).$acrossTenants())).secret).toBe('x')
  })
})

describe('many values', () => {
  const ROWS = 1000
  const data = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ tenantId: 'acme', label: String(i), secret: `secret ${i}`, pin: null }))
  const many = (client: FixtureClient): Delegate => client.$forTenant('acme').credential!

  it('are sent at once up to the limit of the KMS and no further, in writes and in reads', async () => {
    const client = fixture.another({ kms: emulatedKms(fixture.emulator, { concurrency: 8 }) })
    fixture.emulator.faults.add({ kind: 'delay', ms: 8, times: 'always' })
    await many(client).createMany({ data: data(ROWS) })
    expect(calls()).toEqual({ Encrypt: ROWS, Decrypt: 1 })
    expect(fixture.emulator.calls.maxInFlight).toBe(8)
    fixture.emulator.calls.reset()
    const rows = await many(client).findMany()
    expect(rows).toHaveLength(ROWS)
    for (const row of rows) expect(row.secret).toBe(`secret ${row.label}`)
    expect(calls()).toEqual({ Decrypt: ROWS })
    expect(fixture.emulator.calls.maxInFlight).toBe(8)
  })

  it('of two operations at once share the limit, and neither waits for the whole of the other', async () => {
    const client = fixture.another({ kms: emulatedKms(fixture.emulator, { concurrency: 5 }) })
    await many(client).createMany({ data: data(300) })
    fixture.emulator.calls.reset()
    fixture.emulator.faults.add({ kind: 'delay', ms: 10, times: 'always' })
    let ended = false
    const large = many(client)
      .findMany()
      .then(() => {
        ended = true
      })
    await fixture.emulator.calls.until(({ inFlight }) => inFlight === 5)
    expect((await many(client).findFirst({ where: { label: '7' } })).secret).toBe('secret 7')
    expect(ended).toBe(false)
    await large
    expect(fixture.emulator.calls.maxInFlight).toBe(5)
  })

  it('do not run out of time while they wait for their turn', async () => {
    const slow = emulatedKms(fixture.emulator, { concurrency: 2, timeout: 1_000, attemptTimeout: 1_000 })
    const client = fixture.another({ kms: slow })
    await many(client).createMany({ data: data(120) })
    fixture.emulator.faults.add({ kind: 'delay', ms: 40, times: 'always' })
    const start = performance.now()
    expect(await many(client).findMany()).toHaveLength(120)
    expect(performance.now() - start).toBeGreaterThan(1_500)
  })

  it('are read in spite of throttled calls, hang-ups, cut answers and half ones', async () => {
    await many(fixture.prisma).createMany({ data: data(60) })
    fixture.emulator.calls.reset()
    const patient = fixture.another({ kms: emulatedKms(fixture.emulator, { attemptTimeout: 2_000 }) })
    for (const fault of [
      { kind: 'error', code: 'RequestLimitExceeded' },
      { kind: 'hangUp', when: 'before' },
      { kind: 'hangUp', when: 'body' },
      { kind: 'truncate' },
      { kind: 'stall' },
      { kind: 'status', status: 502 },
    ] as const) {
      fixture.emulator.faults.add({ ...fault, action: 'Decrypt', times: 4 })
    }
    const rows = await many(patient).findMany()
    expect(rows.map(({ secret, label }) => secret === `secret ${label}`)).toEqual(rows.map(() => true))
    expect(fixture.emulator.calls.count('Decrypt')).toBe(60 + 24)
  })
})

describe('1,000 values within a quota of 300 requests a second', () => {
  it('are written and read, by retries that the listener is told of', async () => {
    const emulator = await startKmsEmulator({ limits: { Encrypt: 100, Decrypt: 100 } })
    onTestFinished(() => emulator.close())
    const retries: EncryptionEvent[] = []
    const onEvent = (event: EncryptionEvent) => event.type === 'kms.retry' && retries.push(event)
    const client = fixture.another({ kms: emulatedKms(emulator), onEvent }).$forTenant('quota')
    const data = Array.from({ length: 200 }, (_, i) => ({ tenantId: 'quota', label: String(i), pin: `pin ${i}` }))
    await client.credential!.createMany({ data })
    const rows = await client.credential!.findMany({ where: { tenantId: 'quota' }, select: { label: true, pin: true } })
    expect(rows).toHaveLength(200)
    for (const { label, pin } of rows) expect(pin).toBe(`pin ${label}`)
    expect(emulator.calls.maxInFlight).toBeLessThanOrEqual(20)
    expect(emulator.calls.count()).toBeGreaterThanOrEqual(400 + retries.length)
    expect(retries.length).toBeGreaterThan(0)
    expect(retries[0]).toEqual({
      type: 'kms.retry',
      action: 'encrypt',
      kms: 'tencent',
      purpose: 'value',
      field: 'Credential.pin',
      tenant: 'quota',
      attempt: 1,
      code: 'KMS_THROTTLED',
      reason: 'RequestLimitExceeded',
    })
    expect(JSON.stringify(retries)).not.toContain('pin 1')
  })
})

describe('a KMS that does not answer', () => {
  const quick = () => fixture.another({ kms: emulatedKms(fixture.emulator, { maxRetries: 0 }) }).$forTenant('acme')

  it.each([
    ['InternalError', 'KMS_UNAVAILABLE'],
    ['RequestLimitExceeded', 'KMS_THROTTLED'],
    ['UnauthorizedOperation', 'KMS_DENIED'],
    ['ResourceUnavailable.CmkDisabled', 'KMS_KEY_UNUSABLE'],
  ])('fails a write before any SQL and a read with %s as %s, with the field and no value', async (tencent, code) => {
    const { id } = await create({ secret: 'top secret' })
    const client = quick()
    await client.credential!.count()
    fixture.emulator.faults.add({ kind: 'error', code: tencent, times: 'always' })
    const [write, readError] = [
      await refusal(() => create({ secret: 'top secret' }, client)),
      await refusal(() => read(id, client)),
    ]
    for (const error of [write, readError]) {
      expect(error.code).toBe(code)
      expect(error.message).toContain('Credential.secret')
      expect(JSON.stringify([error, error.message, error.cause])).not.toContain('top secret')
    }
    fixture.emulator.faults.clear()
    expect(await fixture.plain.credential!.count()).toBe(1)
  })

  it('stops at the first failure instead of asking for the rest', async () => {
    await acme.credential!.createMany({
      data: Array.from({ length: 200 }, (_, i) => ({ tenantId: 'acme', label: 'x', secret: String(i) })),
    })
    fixture.emulator.calls.reset()
    fixture.emulator.faults.add({ kind: 'error', code: 'UnauthorizedOperation', times: 'always' })
    expect(await refusalCode(() => quick().credential!.findMany())).toBe('KMS_DENIED')
    expect(fixture.emulator.calls.count('Decrypt')).toBeLessThanOrEqual(20)
  })

  it('is asked no more after ten calls in a row, for reads and writes apart', async () => {
    const { id } = await create({ secret: 'x' })
    const client = quick()
    fixture.emulator.faults.add({ kind: 'hangUp', when: 'before', action: 'Decrypt', times: 'always' })
    for (let i = 0; i < 12; i++) expect(await refusalCode(() => read(id, client))).toBe('KMS_UNAVAILABLE')
    expect(fixture.emulator.calls.count('Decrypt')).toBeLessThanOrEqual(12)
    const select = { id: true }
    await client.credential!.create({ data: { tenantId: 'acme', label: 'w', pin: '1' }, select })
    expect(calls()).toMatchObject({ Encrypt: 2 })
  })
})

describe('keys of Tencent KMS', () => {
  it('that keyId no longer names are read when "formerKeyIds" has them, and refused otherwise', async () => {
    const old = await create({ secret: 'under the old key' })
    const { keyId } = fixture.emulator.keys.create({ alias: 'other' })
    const client = new sdk.v20190118.Client(fixture.emulator.clientConfig())
    const moved = (formerKeyIds: string[]) =>
      fixture.another({ kms: tencentKms({ client, keyId: () => keyId, formerKeyIds }) }).$forTenant('acme')
    const error = await refusal(() => read(old.id, moved([])))
    expect(error.code).toBe('DECRYPTION_FAILED')
    expect(String((error.cause as Error).message)).toContain('formerKeyIds')
    const both = moved([fixture.emulator.keyId])
    expect((await read(old.id, both)).secret).toBe('under the old key')
    await both.credential!.update({ where: { id: old.id }, data: { secret: 'new' } })
    expect((await read(old.id, moved([]))).secret).toBe('new')
  })
})
