import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { BlindIndex, Encrypted, EncryptedView, EncryptionKeyColumns, EncryptionKeys, Tenant } from 'fieldseal/typeorm'
import {
  Column,
  type DataSource,
  Entity,
  type MigrationInterface,
  PrimaryColumn,
  type QueryRunner,
  ViewColumn,
  ViewEntity,
} from 'typeorm'
import { refusal } from '../support/refusal.js'
import { openEntities, type SourceUnderTest } from './openSource.js'
import { CIPHERTEXT } from './people.js'
import { refusedBeforeSql } from './refusedBeforeSql.js'

@EncryptionKeys()
class EncryptionKey extends EncryptionKeyColumns {}

/** Its table is partitioned by region, and has a column that the entity does not declare. */
@Entity()
class Visit {
  @PrimaryColumn('text') declare id: string
  @PrimaryColumn('text') declare region: string
  @Tenant() @Column('text') declare clinic: string
  @Encrypted({ nullable: true }) declare email: string | null
  @BlindIndex('email') declare emailIndex?: string | null
  @Encrypted({ nullable: true, bind: 'id' }) declare note: string | null
}

/** Its table inherits from base, and old_member from it. */
@Entity()
class Member {
  @PrimaryColumn('int') declare id: number
  @Encrypted({ nullable: true, name: 'mail' }) declare email: string | null
  @BlindIndex('email', { name: 'mail_index' }) declare emailIndex?: string | null
}

/** Says nothing of what is encrypted in it. */
@ViewEntity({ name: 'plain_view', expression: 'SELECT id, mail FROM member' })
class PlainView {
  @ViewColumn() declare id: number
  @ViewColumn() declare mail: string
}

@ViewEntity({ name: 'marked_view', expression: 'SELECT id, mail, mail_index FROM member WHERE mail IS NOT NULL' })
class MarkedView {
  @ViewColumn() declare id: number
  @EncryptedView('Member.email') declare mail: string
  @EncryptedView('Member.emailIndex', { select: false }) declare mail_index?: string
}

const entities = [EncryptionKey, Visit, Member, PlainView, MarkedView]

/** What somebody has made before the application starts. */
const MADE = [
  'ALTER TABLE visit RENAME TO visit_model',
  'CREATE TABLE visit (LIKE visit_model, legacy text, PRIMARY KEY (id, region)) PARTITION BY LIST (region)',
  "CREATE TABLE visit_eu PARTITION OF visit FOR VALUES IN ('eu')",
  'CREATE SCHEMA archive',
  "CREATE TABLE archive.visit_us PARTITION OF visit FOR VALUES IN ('us') PARTITION BY LIST (region)",
  'CREATE TABLE archive.visit_us_all PARTITION OF archive.visit_us DEFAULT',
  'CREATE TABLE base (id int, mail text, town text)',
  'ALTER TABLE member ADD COLUMN town text',
  'ALTER TABLE member INHERIT base',
  'CREATE TABLE old_member (since int) INHERITS (member)',
  'CREATE VIEW mails AS SELECT id, mail AS address, mail_index AS key, town FROM member',
  'CREATE VIEW archive.mails_again AS SELECT m.address, m.town, b.town AS other FROM mails m JOIN base b USING (id)',
  'CREATE MATERIALIZED VIEW copied AS SELECT id, mail FROM old_member',
  'CREATE VIEW computed AS SELECT id, upper(mail) AS loud FROM member',
  'CREATE VIEW computed_again AS SELECT id FROM computed',
  'CREATE VIEW all_rows AS SELECT m.id, m AS whole FROM member m',
  'CREATE VIEW united AS SELECT id, mail FROM member UNION ALL SELECT id, town FROM base',
  'CREATE VIEW of_base AS SELECT id, mail FROM base',
  'CREATE VIEW towns AS SELECT town, count(mail) AS mails FROM member WHERE mail IS NOT NULL GROUP BY town',
  'CREATE VIEW legacies AS SELECT v.legacy, m.town FROM visit v, member m WHERE v.id = m.town',
]

let source: SourceUnderTest
let dataSource: DataSource
beforeAll(async () => {
  source = await openEntities(entities)
  for (const statement of MADE) await source.stored(statement)
  dataSource = await source.another()
})
beforeEach(async () => {
  await source.stored('TRUNCATE visit, base CASCADE')
  await dataSource.getRepository(Member).insert({ id: 1, email: 'ada@x.org' })
})
afterAll(() => source?.close())

const query = (text: string, values?: unknown[], by = dataSource) => by.query(text, values)

describe('a partition by its own name', () => {
  it.each(['visit_eu', 'archive.visit_us', 'archive.visit_us_all'])('is what its table is: %s', async (table) => {
    const region = table === 'visit_eu' ? 'eu' : 'us'
    const insert = `INSERT INTO ${table}(id, region, clinic, email, note, legacy) VALUES ($1, $2, 'acme', $3, $4, 'old')`
    await query(insert, ['1', region, 'Eve@x.org', 'n'])
    const [stored] = await source.stored('SELECT * FROM visit')
    expect([stored!.email, stored!.note]).toEqual([
      expect.stringMatching(CIPHERTEXT),
      expect.stringMatching(CIPHERTEXT),
    ])
    expect(await dataSource.getRepository(Visit).findBy({ email: 'Eve@x.org' })).toMatchObject([{ id: '1', note: 'n' }])
    const read = `SELECT v.email, note, v.legacy FROM ${table} v WHERE v.email = $1`
    expect(await query(read, ['Eve@x.org'])).toEqual([{ email: 'Eve@x.org', note: 'n', legacy: 'old' }])
    await query(`UPDATE ${table} SET email = $1 WHERE id = '1'`, ['New@x.org'])
    expect(await dataSource.getRepository(Visit).countBy({ email: 'New@x.org' })).toBe(1)
  })

  it('is refused what its table is refused', async () => {
    const refused = { names: 'Visit.email' }
    await refusedBeforeSql(
      source,
      () => query(`INSERT INTO visit_eu(id, region, clinic, email) VALUES ('1', 'eu', 'acme', 'x')`),
      refused,
    )
    await refusedBeforeSql(source, () => query('SELECT upper(email) FROM archive.visit_us_all'), refused)
    await refusedBeforeSql(source, () => query(`UPDATE visit_eu SET "emailIndex" = 'x'`), refused)
    await refusedBeforeSql(source, () => query('COPY visit_eu TO STDOUT'), refused)
  })
})

describe('a table that inherits from an encrypted one', () => {
  it('is what that is', async () => {
    await query('INSERT INTO old_member(id, mail, since) VALUES (2, $1, 1999)', ['old@x.org'])
    expect(await dataSource.getRepository(Member).findBy({ email: 'old@x.org' })).toMatchObject([{ id: 2 }])
    expect(await query('SELECT o.mail, o.since FROM old_member o')).toEqual([{ mail: 'old@x.org', since: 1999 }])
    await refusedBeforeSql(source, () => query(`UPDATE old_member SET mail = 'x'`), { names: 'Member.email' })
  })
})

describe('a table that an encrypted one inherits from', () => {
  it('does not give or take what is encrypted there, and says where to ask', async () => {
    const refused = { names: '"public"."base"."mail" has rows of "member" too, where Member.email is encrypted' }
    for (const text of [
      'SELECT mail FROM base',
      'SELECT * FROM base',
      "SELECT id FROM base b WHERE b.mail = 'ada@x.org'",
      'SELECT count(mail) FROM base',
      "UPDATE base SET mail = 'x'",
      "INSERT INTO base(id, mail) VALUES (1, 'x')",
      'DELETE FROM base RETURNING mail',
      'SELECT b.town FROM base b ORDER BY mail',
    ])
      await refusedBeforeSql(source, () => query(text), refused)
    await refusedBeforeSql(source, () => query('SELECT row_to_json(b) FROM base b'), { names: 'Member.email' })
    await refusedBeforeSql(source, () => query('TABLE base'), refused)
  })

  it('gives everything else', async () => {
    expect(await query('SELECT id, town, count(*) AS n FROM base GROUP BY 1, 2')).toEqual([
      { id: 1, town: null, n: '1' },
    ])
    await query('DELETE FROM base WHERE id = 1')
    expect(await source.stored('SELECT * FROM member')).toEqual([])
  })
})

describe('a view that no entity declares', () => {
  it('does not give or take what is encrypted in its table', async () => {
    const declare = `"public"."mails"."address" shows Member.email, which is encrypted, and no entity declares that: declare the view as an entity with @EncryptedView('Member.email') on that column, or query "member" instead`
    for (const text of [
      'SELECT address FROM mails',
      'SELECT m.* FROM mails m',
      "SELECT id FROM mails WHERE address = 'ada@x.org'",
      "INSERT INTO mails(id, address) VALUES (2, 'x')",
      'INSERT INTO mails(id) VALUES (2)',
      "UPDATE mails SET address = 'x'",
      "UPDATE mails SET town = 'x'",
      'DELETE FROM mails RETURNING address',
      'SELECT a FROM (SELECT address AS a FROM mails) x',
      'WITH w AS (SELECT * FROM public.mails) SELECT 1 FROM w',
    ])
      await refusedBeforeSql(source, () => query(text), { names: declare })
    await refusedBeforeSql(source, () => query('SELECT key FROM mails'), {
      names: `shows Member.emailIndex, which is encrypted, and no entity declares that: declare the view as an entity with @EncryptedView('Member.emailIndex', { select: false })`,
    })
    await refusedBeforeSql(source, () => query('CREATE TABLE z AS SELECT * FROM mails'), { names: 'Member.email' })
    await refusedBeforeSql(source, () => query('COPY mails TO STDOUT'), { names: 'Member.email' })
  })

  it('gives its other columns, and loses rows', async () => {
    expect(await query('SELECT id, town FROM mails WHERE id = 1')).toEqual([{ id: 1, town: null }])
    await query('DELETE FROM mails WHERE id = 1')
    expect(await source.stored('SELECT * FROM member')).toEqual([])
  })

  it('is known through views, partitions and schemas', async () => {
    await refusedBeforeSql(source, () => query('SELECT address FROM archive.mails_again'), { names: 'Member.email' })
    expect(await query('SELECT town, other FROM archive.mails_again')).toEqual([{ town: null, other: null }])
    await refusedBeforeSql(source, () => query('SELECT mail FROM copied'), { names: 'Member.email' })
    await refusedBeforeSql(source, () => query('SELECT mail FROM of_base'), { names: 'Member.email' })
  })

  it('is refused whole if it makes something of what is encrypted, with the reason', async () => {
    await refusedBeforeSql(source, () => query('SELECT id FROM computed'), {
      names:
        '"public"."computed" is a view that makes something of Member.email which has no right answer: Member.email is encrypted, so upper() has no right answer on it',
    })
    for (const view of ['computed_again', 'all_rows', 'united'])
      await refusedBeforeSql(source, () => query(`SELECT count(*), max(id) FROM ${view}`), { names: 'Member.email' })
  })

  it('works as ever if it shows nothing that is encrypted', async () => {
    expect(await query('SELECT * FROM towns')).toEqual([{ town: null, mails: '1' }])
    expect(await query('SELECT * FROM legacies')).toEqual([])
  })
})

describe('a view that an entity declares', () => {
  it('without a word of what is encrypted in it is refused for that alone', async () => {
    const views = dataSource.getRepository(PlainView)
    await refusedBeforeSql(source, () => views.find(), { names: '"public"."plain_view"."mail" shows Member.email' })
    expect(await views.find({ select: { id: true } })).toMatchObject([{ id: 1 }])
  })

  it('with its encrypted columns works as ever', async () => {
    expect(await dataSource.getRepository(MarkedView).findBy({ mail: 'ada@x.org' })).toMatchObject([
      { mail: 'ada@x.org' },
    ])
  })
})

describe('what is made while the application runs', () => {
  const refused = { names: 'Member.email' }

  it('by it is known at once', async () => {
    await query('CREATE VIEW fresh AS SELECT mail FROM member')
    await refusedBeforeSql(source, () => query(`UPDATE fresh SET mail = 'x'`), refused)
    await query('CREATE OR REPLACE VIEW fresh_again AS SELECT mail FROM fresh WHERE false').catch(() => undefined)
    await query(`/* why */ DO $$ BEGIN EXECUTE 'CREATE VIEW hidden AS SELECT mail FROM fresh'; END $$`)
    await refusedBeforeSql(source, () => query('SELECT mail FROM hidden'), refused)
    await query('CREATE TABLE fresh_member () INHERITS (member)')
    await query('INSERT INTO fresh_member(id, mail) VALUES (3, $1)', ['c@x.org'])
    expect(await query('SELECT mail FROM fresh_member')).toEqual([{ mail: 'c@x.org' }])
    await query('DROP VIEW hidden, fresh')
    await query('CREATE TABLE fresh (mail text)')
    await query(`INSERT INTO fresh(mail) VALUES ('plain')`)
    expect(await query('SELECT mail FROM fresh')).toEqual([{ mail: 'plain' }])
  })

  it('and is temporary is known under both its names, also when others change something', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.query('CREATE TEMPORARY VIEW passing AS SELECT mail FROM member')
    await query('CREATE TABLE unrelated (id int)')
    for (const name of ['passing', 'pg_temp.passing'])
      await refusedBeforeSql(source, () => runner.query(`UPDATE ${name} SET mail = 'x'`), refused)
    await runner.query('DROP VIEW passing')
    await runner.release()
  })

  it('by it in a transaction is known there, and by all when that is committed', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.query('CREATE VIEW traded AS SELECT mail FROM member')
    await runner.query('COMMENT ON VIEW traded IS NULL')
    await refusedBeforeSql(source, () => runner.query('SELECT mail FROM traded'), refused)
    await query('CREATE VIEW meanwhile AS SELECT id FROM member')
    await refusedBeforeSql(source, () => runner.query('SELECT mail FROM traded'), refused)
    await runner.commitTransaction()
    await runner.release()
    await refusedBeforeSql(source, () => query('SELECT mail FROM traded'), refused)
    await query('DROP VIEW traded, meanwhile')
  })

  it('and taken back with its transaction is forgotten', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.query('CREATE VIEW undone AS SELECT mail FROM member')
    await refusedBeforeSql(source, () => runner.query('SELECT mail FROM undone'), refused)
    await runner.rollbackTransaction()
    await runner.release()
    await query('CREATE TABLE undone (mail text)')
    expect(await query('SELECT mail FROM undone')).toEqual([])
  })

  it('in a transaction that SQL begins is known there too, and taken back with it', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.query('BEGIN')
    await runner.query('CREATE VIEW begun AS SELECT mail FROM member')
    await query('CREATE VIEW beside AS SELECT id FROM member')
    await refusedBeforeSql(source, () => runner.query('SELECT mail FROM begun'), refused)
    await runner.query('ROLLBACK')
    await runner.release()
    await query('CREATE TABLE begun (mail text)')
    expect(await query('SELECT mail FROM begun')).toEqual([])
  })

  it('in a transaction that has failed does not stand in the way of its end', async () => {
    const runner = dataSource.createQueryRunner()
    await runner.startTransaction()
    await runner.query('CREATE VIEW failed AS SELECT mail FROM member')
    await expect(runner.query('SELECT 1 / 0')).rejects.toThrow('division by zero')
    await runner.rollbackTransaction()
    await runner.release()
    expect(await query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })
})

describe('what initialize() itself makes', () => {
  class AddView implements MigrationInterface {
    name = 'AddView1700000000000'
    async up(runner: QueryRunner) {
      await runner.query('CREATE VIEW migrated AS SELECT mail FROM member')
    }
    async down(runner: QueryRunner) {
      await runner.query('DROP VIEW migrated')
    }
  }

  it('by migrations and by synchronize is known when it is over', async () => {
    const other = await openEntities(entities, { source: { migrations: [AddView] } })
    try {
      await refusedBeforeSql(other, () => other.dataSource.getRepository(PlainView).find(), { names: 'Member.email' })
      const migrated = await other.another({ source: { migrationsRun: true } })
      await refusedBeforeSql(other, () => migrated.query('SELECT mail FROM migrated'), { names: 'Member.email' })
      const dropped = await other.another({ source: { dropSchema: true, synchronize: true } })
      await refusedBeforeSql(other, () => dropped.getRepository(PlainView).find(), { names: 'Member.email' })
    } finally {
      await other.close()
    }
  })
})

describe('a database that does not tell', () => {
  it('lets initialize() fail, with the rights that lack', async () => {
    const url = new URL(source.url)
    const user = `app_${Date.now()}`
    Object.assign(url, { username: user, password: 'pw' })
    await source.stored(`CREATE ROLE ${user} LOGIN PASSWORD 'pw'`)
    await source.stored('REVOKE SELECT ON pg_rewrite FROM PUBLIC')
    try {
      const error = await refusal(() => source.another({ source: { url: url.href } }))
      expect(error.code).toBe('DATABASE_UNAVAILABLE')
      expect(error.message).toContain('could not be read from PostgreSQL’s catalogue'.replace('’', "'"))
      expect(error.message).toContain('its user must be able to read pg_class')
    } finally {
      await source.stored('GRANT SELECT ON pg_rewrite TO PUBLIC')
      await source.stored(`DROP ROLE ${user}`)
    }
  })
})
