import { docsAt } from '../../docs.js'
import { FieldsealError } from '../../errors.js'
import { type PgConnection, runSql } from './sql.js'

/** A schema in which commands keep tables of their own, and what the database's user may do with it. */
export interface OwnSchema {
  readonly name: string
  /** In SQL. */
  readonly user: string
  readonly exists: boolean
  /** Whether it may make what is missing: the schema, or tables in it. */
  readonly creates: boolean
  /** Whether all of the tables are there, and whether it may read and write them. */
  readonly complete: boolean
  readonly usable: boolean
}

/** On tables. */
export const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
const HAS_RIGHTS = RIGHTS.map((right) => `has_table_privilege(c.oid, '${right}')`).join(' AND ')

/** By the catalogue alone: asking for a table by its name fails where the schema may not be used. */
export async function lookAtSchema(
  database: PgConnection,
  name: string,
  tables: readonly string[],
): Promise<OwnSchema> {
  const [row] = await runSql<'user' | 'exists' | 'creates' | 'complete' | 'usable'>(
    database,
    `SELECT quote_ident(current_user) AS "user", count(n.oid) > 0 AS "exists",
       CASE WHEN count(n.oid) = 0 THEN has_database_privilege(current_database(), 'CREATE')
         ELSE bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')) END AS creates,
       count(c.oid) = cardinality($2::text[]) AS complete,
       count(c.oid) FILTER (WHERE has_schema_privilege(n.oid, 'USAGE') AND ${HAS_RIGHTS}) = cardinality($2::text[]) AS usable
     FROM (SELECT) one LEFT JOIN pg_namespace n ON n.nspname = $1
     LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname = ANY ($2::text[])`,
    [name, tables],
  )
  const { user, exists, creates, complete, usable } = row!
  const yes = (answer: string | null | undefined) => answer === 't'
  return { name, user: user!, exists: yes(exists), creates: yes(creates), complete: yes(complete), usable: yes(usable) }
}

/**
 * The user may not do what is needed with a schema.
 *
 * @param what is kept there
 * @param sql what gives it the right
 */
export function lacksRight({ user }: Pick<OwnSchema, 'user'>, what: string, sql: string): FieldsealError {
  const message =
    `the database's user ${user} may not make or use the tables for ${what}, so no row was touched. Have an ` +
    `administrator run this once, in this database: ${sql}; all rights that are needed: ${docsAt('existing-data.md')}`
  return new FieldsealError('DATABASE_UNAVAILABLE', message)
}

/** SQL that makes the schema, as the user's own. */
export function makeSchema({ name, user }: Pick<OwnSchema, 'name' | 'user'>): string {
  return `CREATE SCHEMA ${name} AUTHORIZATION ${user}`
}

/** The schema of all tables of our own but those of the queue. */
export const OWN_SCHEMA = 'fieldseal'

/**
 * Makes tables in it, and the schema unless it is there; whoever makes any other of them at once waits. CREATE SCHEMA IF NOT
 * EXISTS asks for a right on the database in any case, and what another process has made while this one waited is only
 * seen in the catalogue itself.
 *
 * @param statements CREATE TABLE IF NOT EXISTS
 * @throws FieldsealError as `runSql` does
 */
export async function createInOwnSchema(database: PgConnection, statements: string): Promise<void> {
  const isThere = `EXISTS (SELECT FROM pg_namespace WHERE nspname = '${OWN_SCHEMA}')`
  const schema = `IF NOT ${isThere} THEN CREATE SCHEMA ${OWN_SCHEMA}; END IF`
  await runSql(database, alone('fieldseal.progress', `${schema}; ${statements}`))
}

/**
 * Statements as one, which waits for another process at the same: two that create something at once disturb each other,
 * though both say IF NOT EXISTS.
 */
export function alone(lock: string, statements: string): string {
  const wait = `set_config('lock_timeout', '0', true)`
  return `DO $$ BEGIN PERFORM ${wait}; PERFORM pg_advisory_xact_lock(hashtext('${lock}')); ${statements}; END $$`
}
