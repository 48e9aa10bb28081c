import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusal } from '../support/refusal.js'

const PLAINTEXT = { name: 'Ada-PLAINTEXT!', email: 'ada@plaintext.example', phone: '555-PLAINTEXT' }
const HEADER_TEXT = 28

let clinic: ClinicUnderTest
let row: { id: string; name: string; email: string; phone: string; history: unknown; photo: Uint8Array }
let sibling: typeof row
let foreign: typeof row
beforeAll(async () => {
  clinic = await openClinic()
  row = await register('acme', 1)
  sibling = await register('acme', 2)
  foreign = await register('globex', 1)
})
afterAll(() => clinic.close())

/** The row as it was stored before each test. */
beforeEach(async () => {
  await clinic.plain.patient.update({ where: { id: row.id }, data: row as never })
})

async function register(clinicId: string, number: number) {
  const { id } = await clinic.prisma.$forTenant(clinicId).patient.create({
    data: {
      clinicId,
      number,
      ...PLAINTEXT,
      email: `${number}${PLAINTEXT.email}`,
      history: { note: 'history-PLAINTEXT' },
      photo: Buffer.from('photo-PLAINTEXT'),
    },
  })
  return (await clinic.plain.patient.findUniqueOrThrow({ where: { id } })) as typeof row
}

type Field = 'name' | 'email' | 'phone' | 'history' | 'photo'

const TYPES = { name: 'text', email: 'text', phone: 'text', history: 'jsonb', photo: 'bytea' } as const

/** Writes what is not a ciphertext of ours, past the library and past Prisma. */
async function store(field: Field, value: unknown): Promise<void> {
  const stored = TYPES[field] === 'jsonb' ? JSON.stringify(value) : value
  const sql = `UPDATE patients SET ${field} = $1::${TYPES[field]} WHERE id = $2::uuid`
  await clinic.plain.$executeRawUnsafe(sql, stored, row.id)
}

/** Every way to read the row gives the same error, and nothing of the row. */
async function expectRefused(field: Field, codes: string | RegExp): Promise<void> {
  const { prisma } = clinic
  const other = clinic.another()
  const [warm, cold] = [prisma.$forTenant('acme'), other.$forTenant('acme')]
  const where = { id: row.id }
  const reads = [
    () => warm.patient.findUnique({ where }),
    () => warm.patient.findMany({ where, select: { [field]: true, number: true } }),
    () => warm.clinic.findMany({ where: { id: 'acme' }, include: { patients: true } }),
    () => warm.patient.update({ where, data: { city: 'Turin' } }),
    () => cold.patient.findFirst({ where }),
    () => prisma.$acrossTenants().patient.findUnique({ where }),
    async () =>
      warm.$encryption.decryptRows(
        'Patient',
        await warm.$queryRaw<object[]>`SELECT * FROM patients WHERE id = ${row.id}::uuid`,
      ),
  ]
  for (const read of reads) {
    const error = await refusal(read)
    expect(error.code).toMatch(codes)
    expect(error.message).toMatch(new RegExp(`^Patient\\.${field}\\b`))
    expect(error.message).not.toMatch(/PLAINTEXT|plaintext\.example|fs1\.\S|555-P|Turin/)
  }
  expect(await warm.patient.findUnique({ where, select: { number: true, city: true } })).toMatchObject({ number: 1 })
  await other.$disconnect()
}

const flip = (bytes: Uint8Array, at: number) => {
  const changed = Uint8Array.from(bytes)
  changed[at]! ^= 1
  return changed
}
const body = (text: string) => Buffer.from(text.slice(4), 'base64url')
const text = (bytes: Uint8Array) => `fs1.${Buffer.from(bytes).toString('base64url')}`
/** The other text that lenient decoders take for the same bytes. */
const sloppy = (ciphertext: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return ciphertext.slice(0, -1) + alphabet[alphabet.indexOf(ciphertext.at(-1)!) + 1]!
}

describe('a text column that holds something else than its ciphertext', () => {
  const notOurs: { readonly [what: string]: () => string } = {
    plaintext: () => 'Ada-PLAINTEXT',
    'the empty string': () => '',
    'the prefix alone': () => 'fs1.',
    'another prefix': () => row.name.replace('fs1.', 'fs2.'),
    'the prefix in capitals': () => row.name.replace('fs1.', 'FS1.'),
    'a blank before it': () => ` ${row.name}`,
    'a quoted ciphertext': () => JSON.stringify(row.name),
    'an unknown suite': () => text(Buffer.concat([Buffer.of(2), body(row.name).subarray(1)])),
    'suite 0': () => text(Buffer.concat([Buffer.of(0), body(row.name).subarray(1)])),
    'an unknown flag': () => text(Buffer.concat([Buffer.of(1, 2), body(row.name).subarray(2)])),
    'half a header': () => row.name.slice(0, 16),
    'a header alone': () => row.name.slice(0, HEADER_TEXT),
    'a header and half a nonce': () => row.name.slice(0, HEADER_TEXT + 8),
    'a header and a nonce': () => row.name.slice(0, HEADER_TEXT + 16),
    'no room for a value': () => text(body(row.name).subarray(0, 18 + 12 + 16)),
    'base64 with padding': () => `${row.name}==`,
    'base64 of the other alphabet': () => `fs1.${body(row.name).toString('base64')}+/`,
    'a line break inside': () => `${row.name.slice(0, 40)}\n${row.name.slice(40)}`,
    'base64url that is not canonical': () => sloppy(row.name),
  }

  it.each(Object.entries(notOurs))('is refused as CIPHERTEXT_INVALID: %s', async (_, value) => {
    await store('name', value())
    await expectRefused('name', /^CIPHERTEXT_INVALID$/)
  })

  const changed: { readonly [what: string]: () => string } = {
    'the padding flag set': () => text(flip(body(row.name), 1)),
    'a bit of the nonce flipped': () => text(flip(body(row.name), 18)),
    'a bit of the ciphertext flipped': () => text(flip(body(row.name), 18 + 12)),
    'the last bit of the tag flipped': () => text(flip(body(row.name), body(row.name).length - 1)),
    'the tag cut by a byte': () => text(body(row.name).subarray(0, -1)),
    'a byte more': () => text(Buffer.concat([body(row.name), Buffer.of(0)])),
    'the ciphertext of another column': () => row.email,
    'the ciphertext of another tenant under the own header': () =>
      row.name.slice(0, HEADER_TEXT) + foreign.name.slice(HEADER_TEXT),
    noise: () => row.name.slice(0, HEADER_TEXT) + randomBytes(60).toString('base64url'),
  }

  it.each(Object.entries(changed))('is refused as DECRYPTION_FAILED: %s', async (_, value) => {
    await store('name', value())
    await expectRefused('name', /^DECRYPTION_FAILED$/)
  })

  it('is refused as KEY_NOT_FOUND when its header names a DEK that is not there', async () => {
    await store('name', text(flip(body(row.name), 9)))
    await expectRefused('name', /^KEY_NOT_FOUND$/)
  })

  it('is refused when its header names no DEK', async () => {
    await store('name', text(Buffer.concat([Buffer.of(1, 0), Buffer.alloc(16), body(row.name).subarray(18)])))
    await expectRefused('name', /^KEY_NOT_FOUND$/)
  })

  it('is refused when its header names an index DEK', async () => {
    const { id } = await clinic.plain.encryptionKey.findFirstOrThrow({ where: { tenant: 'acme', purpose: 'index' } })
    const header = Buffer.concat([Buffer.of(1, 0), Buffer.from(id.replaceAll('-', ''), 'hex')])
    await store('name', text(Buffer.concat([header, body(row.name).subarray(18)])))
    await expectRefused('name', /^KEY_INVALID$/)
  })

  it('is refused when it is another tenant’s ciphertext', async () => {
    await store('name', foreign.name)
    for (const client of [clinic.prisma, clinic.another()]) {
      const read = () => client.$forTenant('acme').patient.findUnique({ where: { id: row.id } })
      const error = await refusal(read)
      expect(error).toMatchObject({ code: 'TENANT_MISMATCH', message: expect.stringContaining('Patient.name') })
      expect(error.message).not.toMatch(/PLAINTEXT|fs1\.\S|globex/)
    }
  })
})

describe('a bound column', () => {
  it('refuses the ciphertext of another row of the same tenant', async () => {
    await store('phone', sibling.phone)
    await expectRefused('phone', /^DECRYPTION_FAILED$/)
  })

  it('refuses the ciphertext of an unbound column, and that column refuses its own', async () => {
    await store('phone', row.name)
    await expectRefused('phone', /^DECRYPTION_FAILED$/)
    await clinic.plain.patient.update({ where: { id: row.id }, data: row as never })
    await store('name', row.phone)
    await expectRefused('name', /^DECRYPTION_FAILED$/)
  })

  it('leaves an unbound column of another row readable, as documented', async () => {
    await store('name', sibling.name)
    const read = clinic.prisma.$forTenant('acme').patient.findUnique({ where: { id: row.id } })
    expect(await read).toMatchObject({ name: PLAINTEXT.name })
  })
})

describe('a Json column that holds something else than its ciphertext', () => {
  const values: { readonly [what: string]: () => unknown } = {
    'a plain object': () => ({ note: 'history-PLAINTEXT' }),
    'a plain string': () => 'history-PLAINTEXT',
    'a number': () => 7,
    true: () => true,
    'an array that holds the ciphertext': () => [row.history],
    'an object that holds the ciphertext': () => ({ history: row.history }),
    'the prefix alone': () => 'fs1.',
    'the empty string': () => '',
    'a torn ciphertext': () => String(row.history).slice(0, 50),
  }

  it.each(Object.entries(values))('is refused: %s', async (_, value) => {
    await store('history', value())
    await expectRefused('history', /^CIPHERTEXT_INVALID$/)
  })

  it('is null where it holds JSON null, which Prisma gives as it gives NULL', async () => {
    await store('history', null)
    const read = clinic.prisma.$forTenant('acme').patient.findUnique({ where: { id: row.id } })
    expect(await read).toMatchObject({ history: null })
  })

  it('is refused: the ciphertext of a text column', async () => {
    await store('history', row.name)
    await expectRefused('history', /^DECRYPTION_FAILED$/)
  })
})

describe('a Bytes column that holds something else than its ciphertext', () => {
  const values: { readonly [what: string]: () => Uint8Array } = {
    'plain bytes': () => Buffer.from('photo-PLAINTEXT'),
    'no bytes': () => Buffer.alloc(0),
    'the prefix alone': () => Buffer.from('fs1.'),
    'a header alone': () => row.photo.subarray(0, 22),
    'no room for a value': () => row.photo.subarray(0, 4 + 18 + 12 + 16),
    'the text form of its ciphertext': () => Buffer.from(text(row.photo.subarray(4))),
    'an unknown flag': () => {
      const changed = Uint8Array.from(row.photo)
      changed[5] = 128
      return changed
    },
  }

  it.each(Object.entries(values))('is refused as CIPHERTEXT_INVALID: %s', async (_, value) => {
    await store('photo', value())
    await expectRefused('photo', /^CIPHERTEXT_INVALID$/)
  })

  it('is refused whatever bit of it is flipped', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    for (let at = 0; at < row.photo.length; at += 1) {
      await store('photo', flip(row.photo, at))
      const error = await refusal(() => acme.patient.findUnique({ where: { id: row.id } }))
      expect(error.message).toContain('Patient.photo')
      expect(error.code).toBe(at < 5 ? 'CIPHERTEXT_INVALID' : at > 5 && at < 22 ? 'KEY_NOT_FOUND' : 'DECRYPTION_FAILED')
    }
  })

  it('is refused: the ciphertext of a text column', async () => {
    await store('photo', Buffer.concat([Buffer.from('fs1.'), body(row.name)]))
    await expectRefused('photo', /^DECRYPTION_FAILED$/)
  })
})

describe('a ciphertext of another type under the same context', () => {
  const { Patient, ...others } = encryptionSchema.models
  const as = (context: string) => ({
    ...encryptionSchema,
    models: {
      ...others,
      Patient: { ...Patient, encrypted: { ...Patient.encrypted, history: { ...Patient.encrypted.history, context } } },
    },
  })

  it('is refused and not shown', async () => {
    await store('history', row.name)
    const client = clinic.another({ schema: as('Patient.name') }).$forTenant('acme')
    const error = await refusal(() => client.patient.findUnique({ where: { id: row.id } }))
    expect(error).toMatchObject({
      code: 'CIPHERTEXT_INVALID',
      message: expect.stringMatching(/^Patient\.history .*type.*Json/),
    })
    expect(error.message).not.toContain('PLAINTEXT')
  })
})

describe('a value that cannot be stored', () => {
  const name = (value: unknown) => ({ clinicId: 'acme', number: 99, name: value as string })
  const history = (value: unknown) => ({ ...name('Eve'), history: value as never })
  const circle: { self?: unknown } = {}
  circle.self = circle
  const wrong: { readonly [what: string]: () => object } = {
    'a number in a String field': () => name(42),
    'a date in a String field': () => name(new Date()),
    'an array in a String field': () => name(['PLAINTEXT']),
    'an object in a String field': () => name({ set: 'PLAINTEXT' }),
    'a lone surrogate': () => name('PLAINTEXT\ud800'),
    'a string in a Bytes field': () => ({ ...name('Eve'), photo: 'PLAINTEXT' }),
    'a bigint in a Json field': () => history({ secret: 1n }),
    'a function in a Json field': () => history({ secret: () => 'PLAINTEXT' }),
    'NaN in a Json field': () => history([Number.NaN]),
    'a lone surrogate in a Json key': () => history({ 'PLAINTEXT\udc00': 1 }),
  }

  it.each(Object.entries(wrong))('is refused before any SQL: %s', async (_, data) => {
    clinic.takeSql()
    const error = await refusal(() => clinic.prisma.$forTenant('acme').patient.create({ data: data() as never }))
    expect(error).toMatchObject({
      code: 'VALUE_INVALID',
      message: expect.stringMatching(/^Patient\.(name|history|photo) /),
    })
    expect(error.message).not.toMatch(/PLAINTEXT|42/)
    expect(clinic.takeSql()).toEqual([])
  })
})
