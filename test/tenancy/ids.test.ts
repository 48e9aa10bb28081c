import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusal } from '../support/refusal.js'

let clinic: ClinicUnderTest
beforeAll(async () => {
  clinic = await openClinic()
})
afterAll(() => clinic.close())
beforeEach(() => {
  clinic.takeSql()
})

const UNUSABLE: { readonly [what: string]: unknown } = {
  'the empty string': '',
  'the reserved *': '*',
  undefined: undefined,
  null: null,
  'a number': 7,
  'an object': { tenant: 'acme' },
  'an array': ['acme'],
  'a String object': Object('acme'),
  'a promise': Promise.resolve('acme'),
  'text with NUL': 'ac\0me',
  'text with a lone high surrogate': 'acme\ud800',
  'text with a lone low surrogate': '\udc00acme',
}
const unusable = Object.entries(UNUSABLE)

/** The encryption context leaves 1,024 bytes less the rest of its JSON: 78 + 7 for `encrypt`. */
const REST = Buffer.byteLength('{"key":"00000000-0000-0000-0000-000000000000","purpose":"encrypt","tenant":""}')
const LONGEST = 1024 - REST

const TOO_LONG: { readonly [what: string]: string } = {
  'ASCII, one byte too long': 'a'.repeat(LONGEST + 1),
  'two-byte characters': 'é'.repeat(LONGEST / 2 + 1),
  'three-byte characters': '漢'.repeat(Math.floor(LONGEST / 3) + 1),
  'four-byte characters': '😀'.repeat(Math.floor(LONGEST / 4) + 1),
  'quotes, which JSON escapes': '"'.repeat(LONGEST / 2 + 1),
  'control characters, which JSON escapes': '\u0001'.repeat(Math.floor(LONGEST / 6) + 1),
  'a megabyte': 'a'.repeat(2 ** 20),
}

const USABLE: { readonly [what: string]: string } = {
  'a blank': ' ',
  'JSON-special characters': '"\\/{}[]:,\n\r\t\b\f\u2028',
  'an id that looks like an encryption context': '"},"purpose":"index',
  constructor: 'constructor',
  __proto__: '__proto__',
  toString: 'toString',
  'the word undefined': 'undefined',
  'composed é': 'caf\u00e9',
  'decomposed é': 'cafe\u0301',
  'right-to-left and astral text': 'שלום-😀-漢字',
  'an id that ends like another begins': 'acme ',
  'ASCII as long as can be': 'a'.repeat(LONGEST),
  'multi-byte text as long as can be': '漢'.repeat(Math.floor(LONGEST / 3)),
}

const room = (id: string) => ({ id, name: 'a clinic' })

describe('a tenant id', () => {
  it.each(unusable)('is refused by $forTenant: %s', async (_, id) => {
    expect(await refusal(() => clinic.prisma.$forTenant(id as string))).toMatchObject({ code: 'TENANT_INVALID' })
  })

  it.each(unusable)('is refused by withTenant, before its function runs: %s', async (_, id) => {
    let ran = false
    const run = () => {
      ran = true
    }
    expect(await refusal(() => withTenant(id as string, run))).toMatchObject({ code: 'TENANT_INVALID' })
    expect(ran).toBe(false)
  })

  it.each(unusable.filter(([, id]) => id !== undefined))('is refused as defaultTenant: %s', async (_, id) => {
    const open = () => clinic.another({ defaultTenant: id as string })
    expect(await refusal(open)).toMatchObject({ code: 'TENANT_INVALID' })
  })

  it.each(unusable.filter(([, id]) => id !== undefined && id !== null))(
    'is refused from the tenant option before any SQL: %s',
    async (_, id) => {
      const prisma = clinic.another({ tenant: () => id as string })
      expect(await refusal(() => prisma.patient.findMany())).toMatchObject({ code: 'TENANT_INVALID' })
    },
  )

  it.each(unusable.filter(([what]) => what !== 'undefined' && what !== 'a promise'))(
    'is refused in the data before any SQL: %s',
    async (_, id) => {
      const data = { clinicId: id as string, number: 1, name: 'Ada' }
      for (const client of [clinic.prisma, clinic.prisma.$acrossTenants()]) {
        expect(await refusal(() => client.patient.create({ data }))).toMatchObject({ code: 'TENANT_INVALID' })
      }
      expect(clinic.takeSql()).toEqual([])
    },
  )

  it.each(Object.entries(TOO_LONG))('is refused before any SQL when its context is too long: %s', async (_, id) => {
    const error = await refusal(() =>
      clinic.prisma.$forTenant(id).patient.create({ data: { clinicId: id, number: 1, name: 'Ada' } }),
    )
    expect(error).toMatchObject({ code: 'TENANT_INVALID', message: expect.stringMatching(/too long.*1024/) })
    expect(error.message.length).toBeLessThan(400)
    expect(error.message.isWellFormed()).toBe(true)
    expect(clinic.takeSql()).toEqual([])
    expect(clinic.emulator.calls.count()).toBe(0)
  })
})

describe('a tenant id in a message', () => {
  it('stays on one line, so that it cannot forge another in a log', async () => {
    const forged = 'acme\n2026-01-01 INFO all is well'
    const data = { clinicId: 'globex', number: 1, name: 'Ada' }
    const error = await refusal(() => clinic.prisma.$forTenant(forged).patient.create({ data }))
    expect(error).toMatchObject({ code: 'TENANT_MISMATCH', message: expect.stringContaining('"acme\\n2026') })
    expect(error.message).not.toContain('\n')
  })
})

describe('two tenants', () => {
  it('whose ids are close have keys of their own, and read only their own rows', async () => {
    const ids = Object.values(USABLE)
    await clinic.plain.clinic.createMany({ data: ids.map(room) })
    for (const id of ids) {
      await clinic.prisma.$forTenant(id).patient.create({ data: { clinicId: id, number: 1, name: `of ${id}` } })
    }
    const cold = clinic.another()
    for (const id of ids) {
      const rows = await cold.$forTenant(id).patient.findMany({ where: { clinicId: id } })
      expect(rows.map(({ name }) => name)).toEqual([`of ${id}`])
    }
    const keys = await clinic.plain.encryptionKey.findMany({ where: { purpose: 'encrypt' } })
    expect(keys.map(({ tenant }) => tenant).sort()).toEqual([...ids].sort())
    const rows = await cold.$acrossTenants().patient.findMany({ where: { clinicId: { in: ids } } })
    expect(rows.map(({ clinicId, name }) => name === `of ${clinicId}`)).toEqual(ids.map(() => true))
  })
})
