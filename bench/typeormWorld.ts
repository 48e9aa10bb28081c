import { randomBytes } from 'node:crypto'
import { localKms } from 'fieldseal/local-kms'
import pg from 'pg'
import {
  DataSource,
  EntitySchema,
  type EntitySchemaColumnOptions,
  type ObjectLiteral,
  type QueryRunner,
  type Repository,
} from 'typeorm'
import { EncryptionTransformer } from 'typeorm-encrypted'
import { startEmbeddedPostgres } from '../scripts/lib/embeddedPostgres.js'
import { FIELDS } from './rows.js'

type Library = typeof import('fieldseal/typeorm')
type Columns = Record<string, EntitySchemaColumnOptions>

/** The built library. */
const { blindIndex, encrypted, encryptionKeys, fieldEncryption, forTenant, tenant } = (await import(
  `${'../dist/typeorm/index'}.js`
)) as Library

const text: EntitySchemaColumnOptions = { type: 'text' }
const other: EntitySchemaColumnOptions = {
  ...text,
  transformer: new EncryptionTransformer({
    key: randomBytes(32).toString('hex'),
    algorithm: 'aes-256-gcm',
    ivLength: 12,
  }),
}

/** Six columns, or one with what it is found by, made each in the contender's way. */
function entities(prefix: string, column: () => EntitySchemaColumnOptions, owner = text, index?: Columns) {
  const own = { id: { type: 'int', primary: true }, tenant: owner } as const
  const of = (name: string, columns: Columns) =>
    new EntitySchema<ObjectLiteral>({ name: prefix + name, columns: { ...own, ...columns } })
  return {
    note: of('Note', Object.fromEntries(FIELDS.Note.map((field) => [field, column()]))),
    contact: of('Contact', { email: index ? column() : { ...column(), unique: true }, ...index }),
    small: of('Small', { a: column(), b: column(), c: column() }),
  }
}

const ENTITIES = {
  plain: entities('Plain', () => text),
  fieldseal: entities('', () => encrypted(), tenant(text), { emailIndex: blindIndex('email', { unique: true }) }),
  other: entities('Other', () => other),
}

export type Name = keyof typeof ENTITIES
/** The tables of a contender. */
export type Side = { readonly [table in keyof (typeof ENTITIES)['plain']]: Repository<ObjectLiteral> }

/** PostgreSQL, and two data sources on it: one that encrypts, and one that knows nothing of that. */
export async function openTypeormWorld() {
  const server = process.env.TEST_DATABASE_URL ? undefined : await startEmbeddedPostgres()
  const url = process.env.TEST_DATABASE_URL ?? server!.url
  const source = (of: readonly (typeof ENTITIES)['plain'][], more: readonly EntitySchema[] = []) =>
    new DataSource({
      type: 'postgres',
      url,
      poolSize: 4,
      entities: [...of.flatMap((all): EntitySchema[] => Object.values(all)), ...more],
    })
  const plain = await source([ENTITIES.plain, ENTITIES.other]).initialize()
  const base = source([ENTITIES.plain, ENTITIES.fieldseal], [encryptionKeys()])
  const sent = watchStatements(base)
  const encrypting = await fieldEncryption(base, { kms: localKms({ key: 'ab'.repeat(32) }) }).initialize()
  await plain.synchronize(true)
  // What the other one has made is none of its entities, so it leaves that alone.
  await encrypting.synchronize()
  const acme = forTenant(encrypting, 'acme')
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const sideOf = (dataSource: DataSource, { note, contact, small }: (typeof ENTITIES)['plain']): Side => ({
    note: dataSource.getRepository(note),
    contact: dataSource.getRepository(contact),
    small: dataSource.getRepository(small),
  })
  return {
    url,
    acme,
    pool,
    sent,
    sides: {
      plain: sideOf(plain, ENTITIES.plain),
      fieldseal: sideOf(acme, ENTITIES.fieldseal),
      other: sideOf(plain, ENTITIES.other),
    } satisfies { readonly [name in Name]: Side },
    /** Entities without encrypted columns, in the data source that encrypts others. */
    unmarked: sideOf(acme, ENTITIES.plain),
    async close() {
      await Promise.all([plain.destroy(), encrypting.destroy(), pool.end()])
      await server?.stop()
    },
  }
}

export type TypeormWorld = Awaited<ReturnType<typeof openTypeormWorld>>

/** Stands between the encryption and the database, for who wants to know when a statement is ready, and not send it. */
function watchStatements(dataSource: DataSource) {
  const watched: { instead: (() => unknown) | undefined } = { instead: undefined }
  const { createQueryRunner } = dataSource
  dataSource.createQueryRunner = function create(this: DataSource, mode) {
    const runner: QueryRunner = createQueryRunner.call(this, mode)
    // Runners are left as they are but for who asks, so that nothing is added to what others time.
    return watched.instead ? Object.assign(runner, { query: async () => watched.instead?.() }) : runner
  }
  return watched
}
