import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { assertEncrypted, fieldEncryption } from 'fieldseal/prisma'
import { encryptionSchema } from '../../generated/encryption/index.js'
import { Prisma } from '../../generated/prisma/client.js'
import { type ClinicUnderTest, emulatedKms, openClinic, plainClient } from '../support/clinic.js'
import { refusal } from '../support/refusal.js'

let clinic: ClinicUnderTest
let encryption: ReturnType<typeof fieldEncryption>
beforeAll(async () => {
  clinic = await openClinic()
  encryption = fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(clinic.emulator), defaultTenant: 'acme' })
})
afterAll(() => clinic.close())

const id = randomUUID()
const where = { id }
beforeEach(async () => {
  await clinic.plain.patient.deleteMany()
  await clinic.prisma.$forTenant('acme').patient.create({
    data: {
      id,
      clinic: { connect: { id: 'acme' } },
      number: 1,
      name: 'Ada',
      email: 'ada@example.com',
      phone: '1',
      contacts: { create: { id: 'ben', relationship: 'son', name: 'Ben', phone: '2' } },
    },
  })
})

/** A client on the clinic's database, extended as `extend` says, and closed after `use`. */
async function withClient<T>(use: (base: ReturnType<typeof plainClient>) => Promise<T>): Promise<T> {
  const base = plainClient(clinic.database.url)
  try {
    return await use(base)
  } finally {
    await base.$disconnect()
  }
}

describe('applying the extension', () => {
  it('twice is refused, also with others in between', async () => {
    await withClient(async (base) => {
      const once = base.$extends(encryption)
      expect(() => once.$extends(encryption)).toThrow(expect.objectContaining({ code: 'ALREADY_EXTENDED' }))
      const later = once.$extends({ name: 'other' }).$forTenant('acme')
      expect(() => later.$extends(encryption)).toThrow(expect.objectContaining({ code: 'ALREADY_EXTENDED' }))
    })
  })

  it('to two clients is fine', async () => {
    await withClient(async (first) =>
      withClient(async (second) => {
        expect(await first.$extends(encryption).patient.findFirst()).toMatchObject({ name: 'Ada' })
        expect(await second.$extends(encryption).patient.findFirst()).toMatchObject({ name: 'Ada' })
      }),
    )
  })

  it('can be checked at start, also on bound, later extended and transaction clients', async () => {
    await withClient(async (base) => {
      expect(() => assertEncrypted(base)).toThrow(expect.objectContaining({ code: 'NOT_EXTENDED' }))
      const extended = base.$extends(encryption)
      assertEncrypted(extended)
      assertEncrypted(extended.$forTenant('acme'))
      assertEncrypted(extended.$extends({ name: 'other' }))
      await extended.$transaction(async (tx) => assertEncrypted(tx))
    })
  })
})

const initials = Prisma.defineExtension({
  result: {
    patient: {
      initial: { needs: { name: true }, compute: ({ name }) => name.charAt(0) },
      line: { needs: { id: true, phone: true }, compute: (row) => `${row.id}/${row.phone}` },
      call: { needs: { phone: true }, compute: ({ phone }) => `tel:${phone}` },
    },
    contact: {
      card: { needs: { id: true, phone: true, name: true }, compute: (row) => `${row.id} ${row.name} ${row.phone}` },
    },
  },
})

const orders = [
  ['before', (base: ReturnType<typeof plainClient>) => base.$extends(initials).$extends(encryption)],
  ['after', (base: ReturnType<typeof plainClient>) => base.$extends(encryption).$extends(initials)],
] as const

describe.each(orders)('computed fields that need encrypted fields, added %s the encryption', (_, extend) => {
  const find = (args: object) =>
    withClient((base) => extend(base).patient.findUniqueOrThrow({ where, ...args }) as Promise<object>)
  /** What a spread, a loop or JSON sees. */
  const visible = async (args: object) => Object.fromEntries(Object.entries(await find(args)))

  it('see plaintext when all columns are read', async () => {
    expect(await find({})).toMatchObject({ initial: 'A', line: `${id}/1`, call: 'tel:1' })
  })

  it('see plaintext when they alone are selected', async () => {
    expect(await visible({ select: { initial: true } })).toEqual({ initial: 'A' })
    expect(await visible({ select: { call: true } })).toEqual({ call: 'tel:1' })
  })

  it('see the id that is needed to decrypt and by themselves', async () => {
    expect(await visible({ select: { line: true } })).toEqual({ line: `${id}/1` })
    expect(await visible({ select: { line: true, phone: true } })).toEqual({ line: `${id}/1`, phone: '1' })
  })

  it('see what is omitted from the result', async () => {
    const row = await find({ omit: { id: true, phone: true } })
    expect(row).toMatchObject({ initial: 'A', line: `${id}/1`, call: 'tel:1', name: 'Ada' })
    expect(Object.keys(row)).not.toContain('id')
    expect(Object.keys(row)).not.toContain('phone')
  })

  it('see plaintext in nested rows', async () => {
    const selected = await find({ select: { contacts: { select: { card: true } } } })
    expect(JSON.parse(JSON.stringify(selected))).toEqual({ contacts: [{ card: 'ben Ben 2' }] })
    const included = await find({ include: { contacts: { omit: { id: true } } } })
    expect(included).toMatchObject({ contacts: [{ card: 'ben Ben 2', phone: '2' }] })
  })
})

describe('query extensions', () => {
  const recording = (seen: unknown[]) =>
    Prisma.defineExtension({
      query: {
        patient: {
          async $allOperations({ args, query }) {
            const result = await query(args)
            seen.push(structuredClone({ args, name: (result as { name?: unknown }).name }))
            return result
          },
        },
      },
    })

  it('chained before see plaintext, chained after see ciphertext', async () => {
    await withClient(async (base) => {
      const before: unknown[] = []
      const after: unknown[] = []
      const prisma = base.$extends(recording(before)).$extends(encryption).$extends(recording(after))
      await prisma.patient.update({ where, data: { name: 'Eve' } })
      expect(before).toEqual([{ args: { where, data: { name: 'Eve' } }, name: 'Eve' }])
      const sealed = expect.stringMatching(/^fs1\./)
      expect(after).toEqual([{ args: { where, data: { name: sealed } }, name: sealed }])
    })
  })

  it('that soft-delete through the client keep values right', async () => {
    await withClient(async (base) => {
      const softDelete = Prisma.defineExtension((client) =>
        client.$extends({
          query: {
            patient: {
              delete: ({ args }) => client.patient.update({ ...args, data: { city: 'deleted' } }) as never,
              async findMany({ args, query }) {
                return query({ ...args, where: { AND: [args.where ?? {}, { NOT: { city: 'deleted' } }] } })
              },
            },
          },
        }),
      )
      const after = base.$extends(encryption).$extends(softDelete)
      expect(await after.patient.delete({ where })).toMatchObject({ name: 'Ada', phone: '1', city: 'deleted' })
      const before = base.$extends(softDelete).$extends(encryption)
      expect(await before.patient.findMany()).toEqual([])
      expect(await clinic.plain.patient.count()).toBe(1)
    })
  })

  const touched = (change: (args: { where?: object }, model: string) => unknown) =>
    Prisma.defineExtension({
      query: {
        $allModels: {
          $allOperations: ({ args, model, query }) => query(change((args ?? {}) as object, model) as never),
        },
      },
    })

  it.each([
    [
      'asks for what the keys table does not have',
      touched((args) => ({ ...args, where: { ...args.where, city: null } })),
      /an extension that was applied before fieldEncryption changes its queries: Unknown argument `city`.*Apply that extension after fieldEncryption, or have it leave EncryptionKey as it is/,
    ],
    [
      'fails',
      touched((args, model) => {
        if (model !== 'EncryptionKey') return args
        throw new TypeError('no \u001b request')
      }),
      /may its user read and write this table\? no \\u001b request/,
    ],
  ])('applied before that %s are told of in the message', async (_, before, message) => {
    await withClient(async (base) => {
      const prisma = base.$extends(before).$extends(encryption)
      const error = await refusal(() => prisma.$encryption.checkKey('acme'))
      expect(error.code).toBe('KEY_STORE_UNAVAILABLE')
      expect(error.message).toMatch(message)
      const first = await refusal(() => prisma.$forTenant('globex').patient.updateMany({ data: { name: 'x' } }))
      expect([first.code, first.message]).toEqual(['KEY_STORE_UNAVAILABLE', expect.stringMatching(message)])
    })
  })

  it('chained after that write through the encrypted client are refused, not encrypted twice', async () => {
    await withClient(async (base) => {
      const redirected = Prisma.defineExtension((client) =>
        client.$extends({
          query: { patient: { update: ({ args }) => client.patient.update(args as never) as never } },
        }),
      )
      const prisma = base.$extends(encryption).$extends(redirected)
      for (const data of [{ name: 'Eve' }, { history: { a: 1 } }, { photo: new Uint8Array([1]) }]) {
        await expect(prisma.patient.update({ where, data })).rejects.toMatchObject({ code: 'VALUE_INVALID' })
      }
      expect(await prisma.patient.findUnique({ where })).toMatchObject({ name: 'Ada', history: null, photo: null })
    })
  })

  it('chained after that read more than was asked for never bring ciphertext out', async () => {
    await withClient(async (base) => {
      const greedy = base.$extends(encryption).$extends({
        query: {
          patient: {
            findMany: ({ args, query }) => query({ ...args, include: { contacts: true } } as never),
            findFirst: ({ args, query }) => query({ ...args, select: { id: true, name: true } } as never),
          },
        },
      })
      const [row] = (await greedy.patient.findMany()) as { name: string; contacts?: object[] }[]
      expect(row).toMatchObject({ name: 'Ada', contacts: [{ name: 'Ben', phone: '2' }] })
      expect(await greedy.patient.findFirst({ select: { id: true } })).toMatchObject({ name: 'Ada' })
    })
  })
})

describe('model and client extensions', () => {
  it('use the encrypted client and the bound tenant', async () => {
    await withClient(async (base) => {
      const prisma = base.$extends(encryption).$extends({
        model: {
          patient: {
            async names() {
              const rows = await Prisma.getExtensionContext(this).findMany({ select: { name: true } })
              return rows.map(({ name }) => name)
            },
          },
        },
        client: {
          async $firstName() {
            const client = Prisma.getExtensionContext(this) as unknown as ClinicUnderTest['prisma']
            return (await client.patient.findFirst())?.name
          },
        },
      })
      const bound = prisma.$forTenant('acme')
      expect(await bound.patient.names()).toEqual(['Ada'])
      expect(await bound.$firstName()).toBe('Ada')
      const foreign = prisma.$forTenant('globex')
      await expect(foreign.patient.names()).rejects.toMatchObject({ code: 'TENANT_MISMATCH' })
    })
  })

  it('are kept by $forTenant, and may be added to what it returns', async () => {
    await withClient(async (base) => {
      const hello = { client: { $hello: () => 'hello' } }
      expect(base.$extends(encryption).$extends(hello).$forTenant('acme').$hello()).toBe('hello')
      const later = base.$extends(encryption).$forTenant('globex').$extends(hello)
      expect(later.$hello()).toBe('hello')
      await expect(later.patient.findMany()).rejects.toMatchObject({ code: 'TENANT_MISMATCH' })
    })
  })
})

describe('read replicas', () => {
  /** As @prisma/extension-read-replicas works: reads outside transactions go to another client. */
  const replicas = (replica: object) =>
    Prisma.defineExtension((client) =>
      client.$extends({
        client: { $primary: () => client },
        query: {
          $allModels: {
            $allOperations({ model, operation, args, query, ...rest }) {
              const { transaction } = (rest as { __internalParams?: { transaction?: object } }).__internalParams ?? {}
              if (transaction || !operation.startsWith('find')) return query(args)
              const delegate = model.charAt(0).toLowerCase() + model.slice(1)
              reads.push(operation)
              const models = replica as {
                [model: string]: { [operation: string]: (args: unknown) => Promise<unknown> }
              }
              return models[delegate]![operation]!(args) as never
            },
          },
        },
      }),
    )
  const reads: string[] = []

  it('answer plaintext when the encryption is applied before them, and the keys come from the primary', async () => {
    await withClient(async (base) =>
      withClient(async (replica) => {
        reads.length = 0
        const prisma = base.$extends(encryption).$extends(replicas(replica)).$forTenant('acme')
        expect(await prisma.patient.findMany({ include: { contacts: true } })).toMatchObject([
          { name: 'Ada', phone: '1', contacts: [{ phone: '2' }] },
        ])
        expect(await prisma.patient.update({ where, data: { phone: '3' } })).toMatchObject({ phone: '3' })
        expect(await prisma.$transaction((tx) => tx.patient.findUnique({ where }))).toMatchObject({ phone: '3' })
        expect(reads).toEqual(['findMany'])
      }),
    )
  })

  it('under the encryption get no queries for keys', async () => {
    await withClient(async (base) =>
      withClient(async (replica) => {
        reads.length = 0
        const encryptedReplica = replica.$extends(encryption)
        const prisma = base
          .$extends(replicas(encryptedReplica))
          .$extends(
            fieldEncryption({ schema: encryptionSchema, kms: emulatedKms(clinic.emulator), defaultTenant: 'acme' }),
          )
        await prisma.patient.update({ where, data: { name: 'Eve' } })
        expect(reads).toEqual([])
      }),
    )
  })
})
