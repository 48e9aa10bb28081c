import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readReplicas } from '@prisma/extension-read-replicas'
import { withTenant } from 'fieldseal'
import { fieldEncryption } from 'fieldseal/prisma'
import { pagination } from 'prisma-extension-pagination'
import { encryptionSchema } from '../../../generated/encryption/index.js'
import { Prisma } from '../../../generated/prisma/client.js'
import { type ClinicUnderTest, emulatedKms, openClinic, plainClient } from '../../support/clinic.js'
import { refusalCode } from '../../support/refusal.js'

type Client = ClinicUnderTest['prisma']
type Patients = Client['patient']
type Named = readonly { readonly name: string }[]

/** What extensions of these tests add, on a client of any kind. */
interface Added {
  readonly Patient: Patients
  readonly $parent: Added
  readonly patient: Patients & { readonly $parent: Added }
  $primary(): Added
  $replica(): Added
  $self(): Added
  $later(): Promise<Added>
}

const query = { where: { clinicId: 'acme' }, select: { name: true } } satisfies Prisma.PatientFindManyArgs

/** Methods that find the patients by the client that their factory was given, when they are called or later. */
const byClosure = Prisma.defineExtension((given) => {
  const client = given as unknown as Client
  const find = () => client.patient.findMany(query)
  class Page {
    readonly #find = find
    read() {
      return this.#find()
    }
    get rest() {
      return { read: () => this.#find() }
    }
  }
  return given.$extends({
    client: {
      $self: () => client,
      $later: async () => client,
      $tools: { patients: { find } },
    },
    model: {
      patient: {
        now: find,
        lazy: () => find,
        object: () => ({ run: find }),
        deep: () => ({ pages: { first: { run: find } } }),
        frozen: () => Object.freeze({ run: find }),
        later: async () => ({ run: find }),
        page: () => new Page(),
        list: () => [find(), find()],
        async *stream() {
          yield* await find()
        },
        *chunks() {
          yield find()
        },
        iterable: () => ({
          async *[Symbol.asyncIterator]() {
            yield* await find()
          },
        }),
        thenable: () => {
          // biome-ignore lint/suspicious/noThenProperty: as Prisma's own lazy promises are
          return { then: (resolve: (rows: Named) => void, reject: () => void) => find().then(resolve, reject) }
        },
        Repository: class {
          read() {
            return find()
          }
        },
      },
    },
  })
})

interface ByClosure {
  now(): Promise<Named>
  lazy(): () => Promise<Named>
  object(): { run(): Promise<Named> }
  deep(): { pages: { first: { run(): Promise<Named> } } }
  frozen(): { run(): Promise<Named> }
  later(): Promise<{ run(): Promise<Named> }>
  page(): { read(): Promise<Named>; rest: { read(): Promise<Named> } }
  list(): Promise<Named>[]
  stream(): AsyncIterable<{ name: string }>
  chunks(): Iterable<Promise<Named>>
  iterable(): AsyncIterable<{ name: string }>
  thenable(): Promise<Named>
  readonly Repository: new () => { read(): Promise<Named> }
}

/** Methods that find the patients through `this`. */
const byThis = {
  model: {
    patient: {
      async *streamed(this: unknown) {
        yield* await (this as Patients).findMany(query)
      },
      lazily(this: unknown) {
        return { run: () => (this as Patients).findMany(query) }
      },
    },
  },
}

async function collected(rows: AsyncIterable<{ name: string }>): Promise<Named> {
  const all = []
  for await (const row of rows) all.push(row)
  return all
}

type Extend = (client: Client, others: Others) => unknown
interface Others {
  readonly replica: ReturnType<typeof plainClient>
  /** The whole client, as a module of an app would export it. */
  readonly app: () => Client
}
type Way = readonly [name: string, extend: Extend, read: (client: Added) => Promise<unknown>]

const asIs: Extend = (client) => client
const closure = (read: (patients: ByClosure) => Promise<unknown>) =>
  [(client: Client) => client.$extends(byClosure), (c: Added) => read(c.patient as unknown as ByClosure)] as const
const replicated: Extend = (client, { replica }) => client.$extends(readReplicas({ replicas: [replica] }))
const paginated: Extend = (client) => client.$extends(pagination())
const page = ({ patient }: Pick<Added, 'patient'>) => {
  const found = (patient as unknown as { paginate(args: object): Pages }).paginate(query)
  return found.withPages({ limit: 9 }).then(([rows]) => rows)
}
interface Pages {
  withPages(options: { limit: number }): Promise<[Named, unknown]>
}
const inside = (read: (tx: Added) => Promise<unknown>) => (client: Added) =>
  (client as unknown as { $transaction(work: typeof read): Promise<unknown> }).$transaction(read)

/** All ways that lead from a client to the names of acme's patients. */
const WAYS: readonly Way[] = [
  ['client.patient', asIs, (client) => client.patient.findMany(query)],
  ['client.Patient', asIs, (client) => client.Patient.findMany(query)],
  ['client.$parent', asIs, (client) => client.$parent.patient.findMany(query)],
  ['client.$parent of $parent', asIs, (client) => client.$parent.$parent.$parent.Patient.findMany(query)],
  ['a delegate’s $parent', asIs, (client) => client.patient.$parent.patient.findMany(query)],
  ['$parent of a later extension', paginated, (client) => client.$parent.$parent.patient.findMany(query)],
  ['tx.patient', asIs, inside((tx) => tx.patient.findMany(query))],
  ['tx.Patient', asIs, inside((tx) => tx.Patient.findMany(query))],
  ['tx.$parent', asIs, inside((tx) => tx.$parent.patient.findMany(query))],
  ['a transaction in a transaction', asIs, inside(inside((tx) => tx.Patient.findMany(query)))],
  [
    'a batch',
    asIs,
    async (client) => {
      const { $transaction } = client as unknown as { $transaction(all: unknown[]): Promise<Named[]> }
      return (await $transaction.call(client, [client.Patient.findMany(query), client.patient.findMany(query)])).flat(1)
    },
  ],
  ['pagination', paginated, page],
  ['pagination in a transaction', paginated, inside(page)],
  ['$primary() of read replicas', replicated, (client) => client.$primary().patient.findMany(query)],
  ['$replica() of read replicas', replicated, (client) => client.$replica().Patient.findMany(query)],
  ['a read that goes to a replica', replicated, (client) => client.patient.findMany(query)],
  ['$primary() in a transaction', replicated, inside((tx) => tx.$primary().patient.findMany(query))],
  ['a generator through this', (client) => client.$extends(byThis), (client) => collected(streamed(client))],
  ['an object through this', (client) => client.$extends(byThis), (client) => lazily(client).run()],
  ['a method by closure', ...closure((patients) => patients.now())],
  ['a function by closure', ...closure((patients) => patients.lazy()())],
  ['an object by closure', ...closure((patients) => patients.object().run())],
  ['an object in an object by closure', ...closure((patients) => patients.deep().pages.first.run())],
  ['a frozen object by closure', ...closure((patients) => patients.frozen().run())],
  ['an object that comes later by closure', ...closure(async (patients) => (await patients.later()).run())],
  ['an instance by closure', ...closure((patients) => patients.page().read())],
  ['a getter of an instance by closure', ...closure((patients) => patients.page().rest.read())],
  ['a list of promises by closure', ...closure(async (patients) => (await Promise.all(patients.list())).flat())],
  ['a generator by closure', ...closure((patients) => collected(patients.stream()))],
  [
    'a synchronous generator by closure',
    ...closure(async (patients) => (await Promise.all([...patients.chunks()])).flat()),
  ],
  ['an iterable by closure', ...closure((patients) => collected(patients.iterable()))],
  ['a thenable by closure', ...closure(async (patients) => await patients.thenable())],
  ['a class by closure', ...closure((patients) => new patients.Repository().read())],
  [
    'an object of the client by closure',
    (client) => client.$extends(byClosure),
    (client) => (client as unknown as { $tools: { patients: { find(): Promise<Named> } } }).$tools.patients.find(),
  ],
  [
    'a client that a method returns',
    (client) => client.$extends(byClosure),
    (client) => client.$self().Patient.findMany(query),
  ],
  [
    'a client that a method promises',
    (client) => client.$extends(byClosure),
    async (client) => (await client.$later()).patient.findMany(query),
  ],
  [
    'a hook that asks by closure',
    (client) =>
      client.$extends({ query: { patient: { findMany: async ({ args, query: run }) => run(args) } } }).$extends(
        Prisma.defineExtension((given) =>
          given.$extends({
            query: { room: { count: () => (given as unknown as Client).patient.findMany(query) as never } },
          }),
        ),
      ),
    (client) => (client as unknown as Client).room.count() as unknown as Promise<Named>,
  ],
  [
    'a hook of a raw query that asks by closure',
    (client, { app }) =>
      client.$extends({
        query: { $queryRaw: async () => JSON.stringify(await app().patient.findMany(query)) as never },
      }),
    async (client) => JSON.parse((await (client as unknown as Client).$queryRaw`SELECT 1`) as string),
  ],
  [
    'a computed function that asks by closure',
    (client, { app }) =>
      client.$extends({
        result: { room: { patients: { needs: {}, compute: () => () => app().patient.findMany(query) } } },
      }),
    async (client) => {
      const room = await (client as unknown as Client).room.findFirstOrThrow()
      return (room as unknown as { patients(): Promise<Named> }).patients()
    },
  ],
]

const streamed = (client: Added) =>
  (client.patient as unknown as { streamed(): AsyncIterable<{ name: string }> }).streamed()
const lazily = (client: Added) => (client.patient as unknown as { lazily(): { run(): Promise<Named> } }).lazily()

let clinic: ClinicUnderTest
const open: ReturnType<typeof plainClient>[] = []
beforeAll(async () => {
  clinic = await openClinic()
  await clinic.prisma.room.create({ data: { name: 'r', floor: 1 } })
  const data = { clinicId: 'acme', number: 1, name: 'Ada' }
  await clinic.prisma.$forTenant('acme').patient.create({ data })
})
afterAll(async () => {
  await Promise.all(open.map((client) => client.$disconnect()))
  await clinic.close()
})

const opened = () => {
  const client = plainClient(clinic.database.url)
  open.push(client)
  return client
}
const encryption = (defaultTenant?: string) =>
  fieldEncryption({
    schema: encryptionSchema,
    kms: emulatedKms(clinic.emulator),
    ...(defaultTenant && { defaultTenant }),
  })

/** A client that is extended so, before or after it is bound. */
function clients(extend: Extend, defaultTenant?: string) {
  const others: Others = { replica: opened(), app: () => whole as Client }
  const encrypted: Client = opened().$extends(encryption(defaultTenant))
  const whole: unknown = extend(encrypted, others)
  type Access = Parameters<Client['$forTenant']>[1]
  return {
    bound: (tenant: string, access?: Access) => (whole as Client).$forTenant(tenant, access) as unknown as Added,
    later: (tenant: string, access?: Access) => extend(encrypted.$forTenant(tenant, access), others) as Added,
    across: () => (whole as Client).$acrossTenants() as unknown as Added,
  }
}

describe.each(WAYS)('%s of a bound client', (_, extend, read) => {
  const ada = expect.arrayContaining([{ name: 'Ada' }])

  it('reads for its tenant, where nothing else says for whom', async () => {
    const { bound, across } = clients(extend)
    expect(await read(bound('acme'))).toEqual(ada)
    expect(await read(across())).toEqual(ada)
  })

  it('reads nothing of another tenant that is the default, or is named around it', async () => {
    const { bound } = clients(extend, 'acme')
    expect(await refusalCode(() => read(bound('globex')))).toBe('TENANT_MISMATCH')
    expect(await withTenant('globex', async () => read(bound('globex')).catch(({ code }) => code))).toBe(
      'TENANT_MISMATCH',
    )
    const { bound: without } = clients(extend)
    expect(await withTenant('acme', () => refusalCode(() => read(without('globex'))))).toBe('TENANT_MISMATCH')
  })

  it('keeps its limits', async () => {
    const { bound } = clients(extend, 'acme')
    expect(await refusalCode(() => read(bound('acme', { allow: [] })))).toBe('ACCESS_DENIED')
    expect(await withTenant('acme', () => refusalCode(() => read(bound('acme', { allow: [] }))))).toBe('ACCESS_DENIED')
  })

  it('does the same where it is extended after it was bound, or bound again', async () => {
    const { bound, later } = clients(extend, 'acme')
    expect(await read(later('acme'))).toEqual(ada)
    expect(await refusalCode(() => read(later('globex')))).toBe('TENANT_MISMATCH')
    const again = (bound('globex') as unknown as Client).$forTenant('acme') as unknown as Added
    expect(await read(again)).toEqual(ada)
    const limited = (bound('globex', { allow: [] }) as unknown as Client).$forTenant('acme') as unknown as Added
    expect(await refusalCode(() => read(limited))).toBe('ACCESS_DENIED')
  })
})

describe('a bound client', () => {
  it('writes for its tenant by either name of a model, also in transactions', async () => {
    const { bound } = clients(asIs, 'acme')
    const globex = bound('globex')
    const write = (patients: Patients, number: number) =>
      patients.create({ data: { clinicId: 'globex', number, name: 'Grace' } })
    await write(globex.Patient, 1)
    await write(globex.$parent.patient, 2)
    await inside((tx) => write(tx.Patient, 3))(globex)
    const rows = await clinic.prisma.$forTenant('globex').patient.findMany({ where: { clinicId: 'globex' } })
    expect(rows.map(({ name }) => name)).toEqual(['Grace', 'Grace', 'Grace'])
  })

  it('is no other client: clients of other models come out of extensions as they are', async () => {
    const { bound } = clients((client) => client.$extends({ client: { $other: () => foreign } }))
    const foreign = Object.create({ _originalClient: {}, _extensions: {}, _runtimeDataModel: {} })
    expect((bound('acme') as unknown as { $other(): unknown }).$other()).toBe(foreign)
  })

  it('leaves data that extensions return as they are', async () => {
    const values = [
      new Date(),
      new Map([[1, 2]]),
      Buffer.from('a'),
      [{ a: 1 }],
      { a: { b: [1] } },
      new Prisma.Decimal(1),
    ]
    const { bound } = clients((client) =>
      client.$extends({ client: { $values: () => values, $value: (i: number) => values[i] } }),
    )
    const client = bound('acme') as unknown as { $values(): unknown; $value(i: number): unknown }
    expect(client.$values()).toBe(values)
    for (const [i, value] of values.entries()) expect(client.$value(i)).toBe(value)
  })

  it('reaches a client that another fieldEncryption() encrypts, for its tenant too', async () => {
    const other = opened().$extends(encryption('acme'))
    const { bound } = clients((client) => client.$extends({ client: { $other: () => other } }))
    const through = (tenant: string, access?: { allow: [] }) =>
      (bound(tenant, access) as unknown as { $other(): Client }).$other().patient.findMany(query)
    expect(await through('acme')).toEqual([{ name: 'Ada' }])
    expect(await refusalCode(() => through('globex'))).toBe('TENANT_MISMATCH')
    expect(await refusalCode(() => through('acme', { allow: [] }))).toBe('ACCESS_DENIED')
  })

  it('tells two tenants apart whose lookups Prisma sends as one', async () => {
    const { id } = await clinic.plain.patient.findFirstOrThrow({ where: { clinicId: 'acme' } })
    const find = (tenant: string) => clinic.prisma.$forTenant(tenant).patient.findUnique({ where: { id } })
    const both = await Promise.allSettled([find('acme'), find('globex'), find('acme')])
    expect(both).toMatchObject([
      { value: { name: 'Ada' } },
      { reason: { code: 'TENANT_MISMATCH' } },
      { value: { name: 'Ada' } },
    ])
  })

  it('says so when $forTenant is called without its client', async () => {
    const { $forTenant } = clinic.prisma
    expect(await refusalCode(() => $forTenant.call(undefined as never, 'acme'))).toBe('OPTIONS_INVALID')
  })
})
