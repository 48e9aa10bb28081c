import { AsyncResource } from 'node:async_hooks'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { refusalCode } from '../support/refusal.js'

let clinic: ClinicUnderTest
const ids: { [tenant: string]: string } = {}
beforeAll(async () => {
  clinic = await openClinic()
  for (const clinicId of ['acme', 'globex']) {
    const contacts = { create: { relationship: 'son', name: `son of ${clinicId}` } }
    const data = { clinicId, number: 1, name: `of ${clinicId}`, contacts }
    ids[clinicId] = (await clinic.prisma.patient.create({ data, select: { id: true } })).id
  }
})
afterAll(() => clinic.close())

const find = (tenant: string) => clinic.prisma.patient.findUnique({ where: { id: ids[tenant]! } })
const add = (tenant: string, number: number) =>
  clinic.prisma.patient.create({ data: { clinicId: tenant, number, name: `${tenant} ${number}` } })

describe('withTenant', () => {
  it('does not reach a query that is made inside, kept, and awaited outside', async () => {
    let query: ReturnType<typeof find> | undefined
    withTenant('acme', () => {
      query = find('acme')
    })
    expect(await refusalCode(() => query)).toBe('TENANT_MISSING')
  })

  it('ends with its function', async () => {
    await withTenant('acme', async () => find('acme'))
    expect(await refusalCode(() => find('acme'))).toBe('TENANT_MISSING')
  })

  it('passes on what its function throws', async () => {
    const error = new Error('mine')
    const throwing = () => {
      throw error
    }
    expect(() => withTenant('acme', throwing)).toThrow(error)
    await expect(withTenant('acme', () => Promise.reject(error))).rejects.toBe(error)
    expect(await refusalCode(() => find('acme'))).toBe('TENANT_MISSING')
  })

  it('returns what its function returns', () => {
    const value = { any: 'thing' }
    expect(withTenant('acme', () => value)).toBe(value)
    expect(withTenant('acme', () => undefined)).toBeUndefined()
  })

  it('keeps its tenant in a query that its function returns without awaiting it', async () => {
    const query = withTenant('acme', () => find('acme'))
    expect(await withTenant('globex', async () => query)).toMatchObject({ name: 'of acme' })
    expect(await withTenant('acme', () => find('acme')).contacts()).toMatchObject([{ name: 'son of acme' }])
    const found: unknown[] = []
    await withTenant('acme', () => find('acme')).then((row) => found.push(row?.name))
    await withTenant('acme', () => find('acme')).finally(() => found.push('finally'))
    expect(found).toEqual(['of acme', 'finally'])
    expect(
      await refusalCode(() => withTenant('acme', () => find('globex')).catch((error) => Promise.reject(error))),
    ).toBe('TENANT_MISMATCH')
  })

  it('keeps the tenant of each query of a batch transaction, in order', async () => {
    const rows = await clinic.prisma.$transaction([
      withTenant('acme', () => add('acme', 10)),
      withTenant('globex', () => add('globex', 10)),
      withTenant('acme', () => find('acme')),
      clinic.prisma.room.create({ data: { name: 'r1', floor: 1 } }),
    ])
    expect(rows).toMatchObject([{ name: 'acme 10' }, { name: 'globex 10' }, { name: 'of acme' }, { name: 'r1' }])
    const whole = await withTenant('acme', () => clinic.prisma.$transaction([find('acme'), add('acme', 11)]))
    expect(whole).toMatchObject([{ name: 'of acme' }, { name: 'acme 11' }])
  })

  it('holds in an interactive transaction', async () => {
    const names = await withTenant('acme', () =>
      clinic.prisma.$transaction(async (tx) => {
        await tx.patient.create({ data: { clinicId: 'acme', number: 20, name: 'acme 20' } })
        return tx.patient.findMany({ where: { number: 20 } })
      }),
    )
    expect(names).toMatchObject([{ name: 'acme 20' }])
  })

  it('gives the innermost tenant, and the outer one again after it', async () => {
    await withTenant('acme', async () => {
      expect(await find('acme')).toMatchObject({ name: 'of acme' })
      await withTenant('globex', async () => {
        expect(await find('globex')).toMatchObject({ name: 'of globex' })
        expect(await refusalCode(() => find('acme'))).toBe('TENANT_MISMATCH')
      })
      expect(await find('acme')).toMatchObject({ name: 'of acme' })
    })
  })

  it('shares its tenant with another copy of the library in the process', async () => {
    jest.resetModules()
    const copy = await import('fieldseal')
    expect(copy.withTenant).not.toBe(withTenant)
    expect(await copy.withTenant('acme', async () => find('acme'))).toMatchObject({ name: 'of acme' })
  })
})

describe('a bound client', () => {
  it('carries its tenant wherever its lazy queries are awaited', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const query = acme.patient.findUnique({ where: { id: ids.acme! } })
    const elsewhere = new AsyncResource('elsewhere')
    expect(await elsewhere.runInAsyncScope(() => query.then((row) => row?.name))).toBe('of acme')
    expect(await acme.patient.findUnique({ where: { id: ids.acme! } }).contacts()).toMatchObject([
      { name: 'son of acme' },
    ])
    const contact = await acme.contact.findFirstOrThrow({ where: { patientId: ids.acme! } })
    const deep = acme.contact
      .findUnique({ where: { id: contact.id } })
      .patient()
      .contacts()
    expect(await deep).toMatchObject([{ name: 'son of acme' }])
  })

  it("has Prisma's errors say where it was called, as any client", async () => {
    const acme = clinic.prisma.$forTenant('acme')
    for (const client of [clinic.plain, acme]) {
      const where = { nothing: 1 } as never
      const failed = await client.patient.findFirst({ where }).catch((error: Error) => error.message)
      expect(failed).toMatch(/patient\.findFirst\(\)` invocation in\n.*context\.test\.ts:\d+/)
    }
  })

  it('keeps what is extended before and after it', async () => {
    const seen: string[] = []
    const acme = clinic.prisma
      .$forTenant('acme')
      .$extends({ model: { patient: { byNumber: (number: number) => acme.patient.findFirst({ where: { number } }) } } })
      .$extends({
        result: { patient: { shout: { needs: { name: true }, compute: ({ name }) => name.toUpperCase() } } },
      })
      .$extends({
        query: {
          patient: {
            findMany: ({ args, query }) => {
              seen.push('findMany')
              return query(args)
            },
          },
        },
      })
    expect(await acme.patient.byNumber(1)).toBeDefined()
    const [row] = await acme.patient.findMany({ where: { id: ids.acme! }, select: { shout: true } })
    expect(row?.shout).toBe('OF ACME')
    expect(seen).toEqual(['findMany'])
    const globex = acme.$forTenant('globex')
    const [other] = await globex.patient.findMany({ where: { id: ids.globex! }, select: { shout: true } })
    expect(other?.shout).toBe('OF GLOBEX')
  })

  it('reaches extension methods that query through their own context', async () => {
    const extended = clinic.prisma.$extends({
      model: {
        patient: {
          async named(id: string) {
            const context = this as unknown as ClinicUnderTest['prisma']['patient']
            await new Promise((resolve) => setImmediate(resolve))
            return (await context.findUnique({ where: { id } }))?.name
          },
        },
      },
    })
    expect(await extended.$forTenant('acme').patient.named(ids.acme!)).toBe('of acme')
    expect(await refusalCode(() => extended.$forTenant('globex').patient.named(ids.acme!))).toBe('TENANT_MISMATCH')
  })

  it('keeps its tenant in both kinds of transaction', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const globex = clinic.prisma.$forTenant('globex')
    const both = [
      acme.patient.create({ data: { clinicId: 'acme', number: 30, name: 'acme 30' } }),
      globex.patient.create({ data: { clinicId: 'globex', number: 30, name: 'globex 30' } }),
    ]
    expect(await clinic.prisma.$transaction(both)).toMatchObject([{ name: 'acme 30' }, { name: 'globex 30' }])
    const found = await acme.$transaction(async (tx) => {
      await tx.patient.create({ data: { clinicId: 'acme', number: 31, name: 'acme 31' } })
      return tx.patient.findMany({ where: { clinicId: 'acme', number: { gte: 30 } }, orderBy: { number: 'asc' } })
    })
    expect(found).toMatchObject([{ name: 'acme 30' }, { name: 'acme 31' }])
    const crossed = acme.$transaction((tx) => tx.patient.findUnique({ where: { id: ids.globex! } }))
    expect(await refusalCode(() => crossed)).toBe('TENANT_MISMATCH')
  })

  it('binds the transaction client too, outside of every asynchronous context', async () => {
    const outside = new AsyncResource('outside')
    const name = await clinic.prisma.$forTenant('acme').$transaction(
      (tx) =>
        new Promise((resolve, reject) => {
          outside.runInAsyncScope(() => {
            tx.patient.findUnique({ where: { id: ids.acme! } }).then((row) => resolve(row?.name), reject)
          })
        }),
    )
    expect(name).toBe('of acme')
  })

  it('can be made from the client of a transaction', async () => {
    const rows = await clinic.prisma.$transaction(async (tx) => {
      const acme = tx.$forTenant('acme')
      await acme.patient.create({ data: { clinicId: 'acme', number: 40, name: 'acme 40' } })
      const counted = await clinic.plain.patient.count({ where: { number: 40 } })
      return [counted, await acme.patient.findFirst({ where: { number: 40 } })]
    })
    expect(rows).toMatchObject([0, { name: 'acme 40' }])
  })

  it('binds a transaction inside a transaction, and rolls back that one alone', async () => {
    const failure = new Error('the inner one fails')
    const write = (number: number) => ({ data: { clinicId: 'acme', number, name: `acme ${number}` } })
    await clinic.prisma.$forTenant('acme').$transaction(async (outer) => {
      await outer.patient.create(write(50))
      const inner = outer.$transaction(async (tx) => {
        await tx.patient.create(write(51))
        throw failure
      })
      await expect(inner).rejects.toBe(failure)
      await outer.$transaction((tx) => tx.patient.create(write(52)))
    })
    const rows = await clinic.prisma.$forTenant('acme').patient.findMany({
      where: { number: { gte: 50, lt: 60 } },
      orderBy: { number: 'asc' },
    })
    expect(rows.map(({ name }) => name)).toEqual(['acme 50', 'acme 52'])
  })

  it('binds the helpers for raw SQL', async () => {
    const acme = clinic.prisma.$forTenant('acme')
    const rows = await acme.$queryRaw<
      { name: string }[]
    >`SELECT * FROM patients WHERE clinic_id = 'acme' AND number = 1`
    expect(await acme.$encryption.decryptRows('Patient', rows)).toMatchObject([{ name: 'of acme' }])
    const globex = clinic.prisma.$forTenant('globex')
    expect(await refusalCode(() => globex.$encryption.decryptRows('Patient', rows))).toBe('TENANT_MISMATCH')
  })

  it('leaves the client it was made from unbound', async () => {
    clinic.prisma.$forTenant('acme')
    expect(await refusalCode(() => find('acme'))).toBe('TENANT_MISSING')
  })
})
