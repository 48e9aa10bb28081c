import { fileURLToPath } from 'node:url'
import { localKms } from 'fieldseal/local-kms'
import { fieldEncryption, forTenant } from 'fieldseal/typeorm'
import type pg from 'pg'
import { DataSource, type EntityMetadata, type EntitySchema } from 'typeorm'
import { createDatabase } from '../../support/database.js'
import { openPool } from '../../support/pool.js'
import { entityClasses, type Twin } from './entityClasses.js'
import type { Schema } from './schema.js'

const EMPTY = fileURLToPath(new URL('../fixtures/empty.prisma', import.meta.url))
const KEK = Buffer.alloc(32, 7).toString('base64')
/** What an ORM says around the statements of a transaction. */
const BRACKETS = /^(START|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)/

/** A data source under test. */
export interface Side {
  readonly dataSource: DataSource
  metadata(entity: string): EntityMetadata
  /** The statements sent since the last call, those that begin and end transactions left out. */
  takeSql(): string[]
}

/** Both data sources of one schema. */
export interface Twins {
  readonly schema: Schema
  readonly plain: Side
  readonly encrypted: Side
  /** The tables of the encrypting one as they are. */
  readonly stored: pg.Pool
  /** The indexes that values have had, by column. */
  readonly known: Map<string, string>
  /** Empties all tables but the keys'. */
  empty(): Promise<void>
  close(): Promise<void>
}

export async function openTwins(schema: Schema): Promise<Twins> {
  const [plain, encrypted] = await Promise.all([open(schema, 'plain'), open(schema, 'encrypted')])
  const sides = [plain, encrypted]
  return {
    schema,
    plain,
    encrypted: { ...encrypted, dataSource: forTenant(encrypted.dataSource, 'acme') },
    stored: encrypted.pool,
    known: new Map(),
    async empty() {
      await Promise.all(sides.map(({ pool, deletes }) => pool.query(deletes)))
      for (const side of sides) side.takeSql()
    },
    async close() {
      await Promise.all(sides.map((side) => side.close()))
    },
  }
}

async function open(schema: Schema, twin: Twin) {
  const database = await createDatabase({ schema: EMPTY })
  const pool = openPool(database.url)
  const statements: string[] = []
  const entities = entityClasses(schema, twin)
  const own = new DataSource({
    type: 'postgres',
    url: database.url,
    entities: entities as (EntitySchema | (new () => object))[],
    logger: recorder(statements),
    synchronize: true,
    poolSize: 4,
  })
  const dataSource = twin === 'plain' ? own : fieldEncryption(own, { kms: localKms({ key: KEK }) })
  await dataSource.initialize()
  return {
    dataSource,
    pool,
    deletes: deleteAll(dataSource),
    metadata: (name: string) => dataSource.entityMetadatas.find((each) => each.name === name)!,
    takeSql: () => statements.splice(0).filter((statement) => !BRACKETS.test(statement)),
    async close() {
      await dataSource.destroy()
      await pool.end()
      await database.drop()
    },
  }
}

function recorder(statements: string[]) {
  const silent = () => {}
  return {
    logQuery: (statement: string) => void statements.push(statement),
    logQueryError: silent,
    logQuerySlow: silent,
    logSchemaBuild: silent,
    logMigration: silent,
    log: silent,
  }
}

/** In one statement, so that no foreign key stands in the way. */
function deleteAll({ entityMetadatas }: DataSource): string {
  const deletes = tablesOf(entityMetadatas).map(({ tableName }, n) => `d${n} AS (DELETE FROM "${tableName}")`)
  return `WITH ${deletes.join(', ')} SELECT 1`
}

/** Every table once, those between entities included, and not that of the keys. */
export function tablesOf(metadatas: readonly EntityMetadata[]): EntityMetadata[] {
  const tables = new Map(metadatas.filter(isRoot).map((metadata) => [metadata.tableName, metadata]))
  tables.delete('encryption_keys')
  return [...tables.values()]
}

function isRoot({ tableType }: EntityMetadata): boolean {
  return tableType !== 'entity-child'
}
