import { randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { withTenant } from 'fieldseal'
import { localKms } from 'fieldseal/local-kms'
import {
  acrossTenants,
  BlindIndex,
  Encrypted,
  EncryptionKeyColumns,
  EncryptionKeys,
  encryptionOf,
  fieldEncryption,
  forTenant,
  Tenant,
} from 'fieldseal/typeorm'
import {
  BeforeInsert,
  BeforeUpdate,
  Column,
  DataSource,
  type DataSourceOptions,
  Entity,
  IsNull,
  MoreThan,
  PrimaryColumn,
  type Repository,
} from 'typeorm'
import { AutoEncryptSubscriber, EncryptionTransformer, type ExtendedColumnOptions } from 'typeorm-encrypted'
import { EncryptedColumn, Subscriber } from 'typeorm-encrypted-column'
import { createDatabase } from '../support/database.js'
import { openPool } from '../support/pool.js'
import { EMPTY } from './openSource.js'

/*
 * The guide of docs/typeorm.md, “Coming from typeorm-encrypted”, step by step with the packages themselves.
 */

const OLD_KEY = { key: 'ab'.repeat(32), algorithm: 'aes-256-cbc', ivLength: 16 }
const COLUMN = { type: 'varchar', nullable: true } as const
const kms = localKms({ key: Buffer.alloc(32, 7).toString('base64') })

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>

interface Packaged {
  readonly name: string
  readonly column: () => PropertyDecorator
  readonly subscribers: NonNullable<PostgresOptions['subscribers']>
}

const PACKAGES: readonly Packaged[] = [
  {
    name: 'typeorm-encrypted, by its transformer',
    column: () => Column({ ...COLUMN, transformer: new EncryptionTransformer(OLD_KEY) }),
    subscribers: [],
  },
  {
    name: 'typeorm-encrypted, by its subscriber',
    column: () => Column({ ...COLUMN, encrypt: OLD_KEY } as ExtendedColumnOptions),
    subscribers: [AutoEncryptSubscriber],
  },
  {
    name: 'typeorm-encrypted-column',
    column: () => EncryptedColumn({ ...COLUMN, encrypt: OLD_KEY }) as PropertyDecorator,
    subscribers: [Subscriber],
  },
]

interface OldUser {
  id: string
  tenantId: string
  email?: string | null
}

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

/** What there was before. */
function oldUser(old: Packaged['column']): new () => OldUser {
  @Entity()
  class User {
    @PrimaryColumn('uuid') id: string = randomUUID()
    @Column('text') declare tenantId: string
    @old() declare email: string | null
  }
  return User
}

/** Steps 1 and 2: the new property beside the old one, and both written. */
function bothUser(old: Packaged['column']): new () => OldUser & { emailSealed: string | null } {
  @Entity()
  class User {
    @PrimaryColumn('uuid') id: string = randomUUID()
    @Tenant() @Column('text') declare tenantId: string
    @old() declare email: string | null
    @Encrypted({ as: 'User.email', nullable: true }) declare emailSealed: string | null
    @BlindIndex<User>('emailSealed', { normalize: ['trim', 'lowercase'] }) declare emailIndex?: string | null

    @BeforeInsert()
    @BeforeUpdate()
    seal(): void {
      this.emailSealed = this.email
    }
  }
  return User
}

/** Step 4: the new column alone, under the name of the property that was there. */
function newUser(): new () => OldUser {
  @Entity()
  class User {
    @PrimaryColumn('uuid') id: string = randomUUID()
    @Tenant() @Column('text') declare tenantId: string
    @Encrypted({ name: 'emailSealed', nullable: true }) declare email: string | null
    @BlindIndex<User>('email', { normalize: ['trim', 'lowercase'] }) declare emailIndex?: string | null
  }
  return User
}

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function openDatabase() {
  const database = await createDatabase({ schema: EMPTY })
  const pool = openPool(database.url)
  ends.push(database.drop, () => pool.end())
  const open = async (entities: (new () => object)[], subscribers: Packaged['subscribers'], encrypts = true) => {
    const plain = new DataSource({ type: 'postgres', url: database.url, entities, subscribers, synchronize: true })
    const source = await (encrypts ? fieldEncryption(plain, { kms }) : plain).initialize()
    ends.push(async () => source.isInitialized && source.destroy())
    return source
  }
  const dump = async () => JSON.stringify((await pool.query('SELECT * FROM "user"')).rows)
  return { open, dump, pool }
}

/** Step 3. */
async function copy(users: Repository<OldUser & { emailSealed: string | null }>, pageSize = 2): Promise<void> {
  let last = '00000000-0000-0000-0000-000000000000'
  for (;;) {
    const rows = await users.find({
      select: { id: true, tenantId: true, email: true },
      where: { id: MoreThan(last), emailSealed: IsNull() },
      order: { id: 'ASC' },
      take: pageSize,
    })
    for (const { id, tenantId, email } of rows) {
      if (typeof email === 'string') await users.update({ id, tenantId, emailSealed: IsNull() }, { emailSealed: email })
    }
    if (rows.length < pageSize) return
    last = rows.at(-1)!.id
  }
}

describe.each(PACKAGES)('moving from $name', ({ column, subscribers }) => {
  it('reads the same values, finds them, and leaves nothing of the old key', async () => {
    const { open, dump, pool } = await openDatabase()
    const Old = oldUser(column)
    const before = await open([Old], subscribers, false)
    const written = Array.from({ length: 7 }, (_, n) =>
      Object.assign(new Old(), {
        tenantId: n % 2 ? 'acme' : 'globex',
        email: n < 5 ? `Ada${n}@x.org` : n === 5 ? null : '',
      }),
    )
    const emails = new Map(written.map(({ id, email }) => [id, email ?? null]))
    await before.getRepository(Old).save(written)
    expect(await dump()).not.toMatch(/Ada\d@/)
    await before.destroy()

    const Both = bothUser(column)
    const both = await open([Both, EncryptionKey], subscribers)
    const added = Object.assign(new Both(), { tenantId: 'acme', email: 'New@x.org' })
    emails.set(added.id, 'New@x.org')
    await withTenant('acme', () => both.getRepository(Both).save(added))
    const across = acrossTenants(both).getRepository(Both)
    expect(await across.findOneByOrFail({ id: added.id })).toMatchObject({
      email: 'New@x.org',
      emailSealed: 'New@x.org',
    })
    const changed = [...emails.keys()][1]!
    const found = await across.findOneByOrFail({ id: changed })
    await forTenant(both, found.tenantId)
      .getRepository(Both)
      .save(Object.assign(found, { email: 'Changed@x.org' }))
    emails.set(changed, 'Changed@x.org')

    await copy(across)
    for (const { id, email, emailSealed } of await across.find()) {
      expect([email ?? null, emailSealed]).toEqual([emails.get(id), emails.get(id)])
    }
    await both.destroy()

    const New = newUser()
    const after = await open([New, EncryptionKey], [])
    const users = acrossTenants(after).getRepository(New)
    for (const { id, email } of await users.find()) expect(email).toBe(emails.get(id))
    const acmes = forTenant(after, 'acme').getRepository(New)
    expect(await acmes.findBy({ email: 'changed@x.org' })).toMatchObject([{ id: changed }])
    expect(await acmes.findBy({ email: ' NEW@x.org' })).toMatchObject([{ id: added.id }])
    expect(await acmes.countBy({ email: IsNull() })).toBe(1)
    const stored = await dump()
    expect(stored).not.toMatch(/Ada\d@|New@|Changed@|"email":/)
    expect(stored.match(/fs1\./g)).toHaveLength(7)
    const reports = await encryptionOf(after).maintain({ operation: 'verify', database: pool })
    expect(reports).toMatchObject([{ model: 'User', outcome: 'done', problems: [] }])
  })

  it('does not undo by the copy what is written meanwhile', async () => {
    const { open } = await openDatabase()
    const Old = oldUser(column)
    const before = await open([Old], subscribers, false)
    const user = Object.assign(new Old(), { tenantId: 'acme', email: 'old@x.org' })
    await before.getRepository(Old).save(user)
    await before.destroy()
    const Both = bothUser(column)
    const both = await open([Both, EncryptionKey], subscribers)
    const across = acrossTenants(both).getRepository(Both)
    const acmes = forTenant(both, 'acme').getRepository(Both)
    const read = await across.findOneByOrFail({ id: user.id })
    await acmes.save(Object.assign(await acmes.findOneByOrFail({ id: user.id }), { email: 'new@x.org' }))
    const { affected } = await across.update(
      { id: read.id, tenantId: 'acme', emailSealed: IsNull() },
      { emailSealed: read.email! },
    )
    expect(affected).toBe(0)
    expect(await acmes.findOneByOrFail({ id: user.id })).toMatchObject({ email: 'new@x.org', emailSealed: 'new@x.org' })
  })
})
