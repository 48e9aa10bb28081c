import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  fieldEncryption,
  forTenant,
  Tenant,
} from 'fieldseal/typeorm'
import type pg from 'pg'
import {
  Column,
  DataSource,
  Entity,
  In,
  JoinColumn,
  ManyToOne,
  OneToMany,
  PrimaryColumn,
  PrimaryGeneratedColumn,
  type Relation,
} from 'typeorm'
import { type Fixture, openFixture } from '../prisma/fixtureClient.js'
import { emulatedKms } from '../support/clinic.js'
import { openPool } from '../support/pool.js'
import { refusalCode } from '../support/refusal.js'

/** The model of test/prisma/fixtures/bothOrms.prisma. */
@Entity('Member')
class Member {
  @PrimaryColumn('uuid') declare id: string
  @Tenant() @Column({ type: 'text', name: 'tenant_id' }) declare tenantId: string
  @Column('int') declare number: number
  @Encrypted() declare email: string
  @BlindIndex('email', { normalize: ['trim', 'lowercase'], unique: true, name: 'email_index' })
  declare emailIndex?: string
  @Encrypted({ bind: 'id', pad: 32, nullable: true }) declare phone: string | null
  @Encrypted({ as: 'Insurance.number', nullable: true }) declare policy: string | null
  @BlindIndex('policy', { column: 'bytea' }) declare policyIs?: Buffer
  @Encrypted({ type: 'Json', column: 'jsonb', nullable: true }) declare notes: unknown
  @Encrypted({ type: 'Bytes', column: 'bytea', nullable: true }) declare scan: Uint8Array | null
  @Encrypted({ type: 'DateTime', nullable: true }) declare born: Date | null
  @Encrypted({ type: 'Decimal', nullable: true }) declare amount: string | null
  @Encrypted({ type: 'Int', nullable: true }) declare visits: number | null
  @Encrypted({ type: 'BigInt', nullable: true }) declare big: bigint | null
  @Encrypted({ type: 'Float', column: 'bytea', nullable: true }) declare weight: number | null
  @Encrypted({ type: 'Boolean', nullable: true }) declare flag: boolean | null
  @Encrypted({ enum: ['red', 'green'], nullable: true }) declare color: string | null
  @Encrypted({ array: true }) declare tags: string[]
  @Encrypted({ type: 'Int', column: 'bytea', array: true }) declare numbers: number[]
  @BlindIndex(['born', 'policy']) declare bornPolicy?: string
  @OneToMany(
    () => Letter,
    (letter) => letter.member,
    { cascade: true },
  )
  declare letters: Letter[]
}

@Entity('Letter')
class Letter {
  @PrimaryGeneratedColumn() declare id: number
  @Encrypted() declare text: string
  @ManyToOne(
    () => Member,
    (member) => member.letters,
  )
  @JoinColumn({ name: 'member_id' })
  declare member: Relation<Member>
}

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

/** What an app of either ORM can do with members. */
interface App {
  write(member: NewMember): Promise<void>
  read(where: { readonly [field: string]: unknown }): Promise<unknown[]>
  update(id: string, change: object): Promise<void>
  readonly encryption: Pick<ReturnType<typeof encryptionOf>, 'rotate' | 'maintain' | 'shred'>
}

interface NewMember {
  readonly id: string
  readonly number: number
  readonly email: string
  readonly letters: readonly { readonly text: string }[]
  readonly [field: string]: unknown
}

let fixture: Fixture
let dataSource: DataSource
let pool: pg.Pool
beforeAll(async () => {
  fixture = await openFixture('bothOrms.prisma', { defaultTenant: undefined as never })
  pool = openPool(fixture.url)
  dataSource = fieldEncryption(
    new DataSource({ type: 'postgres', url: fixture.url, entities: [Member, Letter, EncryptionKey] }),
    { kms: emulatedKms(fixture.emulator) },
  )
  await dataSource.initialize()
})
afterAll(async () => {
  await dataSource?.destroy()
  await pool?.end()
  await fixture?.close()
})

const prismaApp = (tenant: string): App => {
  const { member } = fixture.prisma.$forTenant(tenant)
  return {
    write: async ({ letters, ...data }) =>
      void (await member!.create({ data: { ...data, tenantId: tenant, letters: { create: letters } } })),
    read: async (where) => (await member!.findMany({ where, include: { letters: true } })).map(comparable),
    update: async (id, data) => void (await member!.update({ where: { id }, data })),
    encryption: fixture.prisma.$encryption,
  }
}

const typeormApp = (tenant: string): App => {
  const members = forTenant(dataSource, tenant).getRepository(Member)
  const where = (given: object) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name, value?.in ? In(value.in) : value]))
  return {
    write: async (member) => void (await members.save(members.create({ ...member, tenantId: tenant } as object))),
    read: async (given) =>
      (await members.find({ where: where(given), relations: { letters: true } })).map((member) =>
        comparable({ ...member }),
      ),
    update: async (id, change) => void (await members.update({ id }, change)),
    encryption: encryptionOf(dataSource),
  }
}

const APPS = [
  { writer: 'Prisma', reader: 'TypeORM', write: prismaApp, read: typeormApp },
  { writer: 'TypeORM', reader: 'Prisma', write: typeormApp, read: prismaApp },
]

/** Values as both ORMs mean them: Prisma gives decimals as objects, and `pg` gives Buffers. */
function comparable({ letters, emailIndex, policyIs, bornPolicy, ...member }: Record<string, unknown>): object {
  const texts = (letters as { text: string }[]).map(({ text }) => text)
  const { scan, amount } = member
  return {
    ...member,
    scan: scan && Buffer.from(scan as Uint8Array).toString('hex'),
    amount: amount && String(amount),
    letters: texts.toSorted(),
  }
}

let count = 0
function newMember(more: object = {}): NewMember {
  count += 1
  return {
    id: randomUUID(),
    number: count,
    email: `Member${count}@Example.com`,
    phone: '+49 30 1',
    policy: `P-${count}`,
    notes: { vip: true, nested: [1, null, 'ä'] },
    scan: new Uint8Array([0, 255, 7]),
    born: new Date('1970-01-02T03:04:05.678Z'),
    amount: '1234567890.12345',
    visits: -7,
    big: 2n ** 62n,
    weight: 1.5e-7,
    flag: false,
    color: 'green',
    tags: ['x', '', 'y "z" {,}'],
    numbers: [1, -2],
    letters: [{ text: 'hello' }, { text: 'wörld' }],
    ...more,
  }
}

const NOTHING = Object.fromEntries(
  ['phone', 'policy', 'scan', 'born', 'amount', 'visits', 'big', 'weight', 'flag', 'color'].map((name) => [name, null]),
)
const expected = (member: NewMember, tenantId: string) =>
  comparable({ ...member, tenantId, letters: [...member.letters] })

/** The DEKs that ciphertexts of any form name, in hexadecimal digits. */
async function namedDeks(): Promise<string[]> {
  const { rows } = await pool.query('SELECT * FROM "Member"')
  const { rows: letters } = await pool.query('SELECT text FROM "Letter"')
  const cells: unknown[] = [...rows, ...letters].flatMap((row) => Object.values(row).flat())
  const bodies = cells.flatMap((cell) => {
    if (Buffer.isBuffer(cell))
      return cell.toString('latin1', 0, PREFIX.length) === PREFIX ? [cell.subarray(PREFIX.length)] : []
    return typeof cell === 'string' && cell.startsWith(PREFIX)
      ? [Buffer.from(cell.slice(PREFIX.length), 'base64url')]
      : []
  })
  return bodies.map((body) => body.toString('hex', 2, 18))
}

const PREFIX = 'fs1.'

describe.each(APPS)('a row that $writer writes', ({ write, read }) => {
  it('is read by the $reader app, every type and list of it', async () => {
    const member = newMember()
    const empty = newMember({ ...NOTHING, tags: [], numbers: [], letters: [] })
    for (const each of [member, empty]) await write('acme').write(each)
    const found = await read('acme').read({ id: { in: [member.id, empty.id] } })
    expect(found).toHaveLength(2)
    expect(found).toEqual(expect.arrayContaining([expected(member, 'acme'), expected(empty, 'acme')]))
  })

  it('is found by its blind indexes, of text and of bytes, by one value and by several', async () => {
    const member = newMember()
    await write('acme').write(member)
    const one = [expected(member, 'acme')]
    const app = read('acme')
    const email = ` member${member.number}@EXAMPLE.com`
    expect(await app.read({ email })).toEqual(one)
    expect(await app.read({ email: { in: ['nobody@example.com', email] } })).toEqual(one)
    expect(await app.read({ policy: `P-${member.number}` })).toEqual(one)
    expect(await app.read({ born: new Date('1970-01-02T03:04:05.678Z'), policy: `P-${member.number}` })).toEqual(one)
    expect(await app.read({ email: 'nobody@example.com' })).toEqual([])
  })

  it('keeps its value unique, whoever writes the other one', async () => {
    const { email, number } = newMember()
    await write('acme').write(newMember({ email }))
    const twice = () => read('acme').write(newMember({ email: `MEMBER${number}@example.com` }))
    await expect(twice()).rejects.toThrow(/unique/i)
    await read('globex').write(newMember({ email }))
  })

  it('is changed by the other app, and read by its own again', async () => {
    const member = newMember()
    await write('acme').write(member)
    const change = {
      email: `Changed${member.number}@example.com`,
      phone: '+1',
      notes: ['other'],
      scan: null,
      amount: '-0.5',
      tags: ['new'],
    }
    await read('acme').update(member.id, change)
    const changed = [expected({ ...member, ...change }, 'acme')]
    expect(await write('acme').read({ email: change.email.toLowerCase() })).toEqual(changed)
    expect(await write('acme').read({ email: member.email })).toEqual([])
  })

  it('is not another tenant’s', async () => {
    const member = newMember()
    await write('acme').write(member)
    expect(await refusalCode(() => read('globex').read({ id: member.id }))).toBe('TENANT_MISMATCH')
    expect(await read('globex').read({ email: member.email })).toEqual([])
  })
})

describe.each(APPS)('keys that the $writer app rotates', ({ write, read }) => {
  it('are used by the other, which re-encrypts; and both find everything in order', async () => {
    const member = newMember()
    await read('initech').write(member)
    await write('initech').encryption.rotate({ tenants: ['initech', 'acme', 'globex'] })
    const maintain = (app: App, operation: 're-encrypt' | 'reindex' | 'verify') =>
      app.encryption.maintain({ operation, database: pool, restart: true })
    const reports = await maintain(read('initech'), 're-encrypt')
    expect(reports.map(({ model, outcome, skipped }) => [model, outcome, skipped])).toEqual([
      ['Letter', 'done', 0],
      ['Member', 'done', 0],
    ])
    expect(reports.every(({ changed }) => changed > 0)).toBe(true)
    const active = await pool.query(`SELECT id FROM encryption_keys WHERE purpose = 'encrypt' AND state = 'active'`)
    const ids = new Set(active.rows.map(({ id }) => id.replaceAll('-', '')))
    const named = await namedDeks()
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((id) => !ids.has(id))).toEqual([])

    for (const app of [write('initech'), read('initech')]) {
      for (const operation of ['re-encrypt', 'reindex', 'verify'] as const) {
        const again = await maintain(app, operation)
        expect(again.map(({ changed, problems }) => [changed, problems])).toEqual([
          [0, []],
          [0, []],
        ])
      }
      expect(await app.read({ email: member.email })).toEqual([expected(member, 'initech')])
    }
  })

  it('are gone for the other when they are shredded', async () => {
    const tenant = `gone${count}`
    const member = newMember()
    await read(tenant).write(member)
    await write(tenant).encryption.shred(tenant)
    const fresh = await anotherSource()
    const reading = () => forTenant(fresh, tenant).getRepository(Member).findBy({ id: member.id })
    expect(await refusalCode(reading)).toBe('KEY_DESTROYED')
    await fresh.destroy()
    await pool.query('DELETE FROM "Letter" WHERE member_id = $1', [member.id])
    await pool.query('DELETE FROM "Member" WHERE id = $1', [member.id])
  })
})

/** As another process would have it. */
async function anotherSource(): Promise<DataSource> {
  const entities = [Member, Letter, EncryptionKey]
  const other = new DataSource({ type: 'postgres', url: fixture.url, entities })
  return fieldEncryption(other, { kms: emulatedKms(fixture.emulator) }).initialize()
}
