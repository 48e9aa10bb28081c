import type pg from 'pg'
import { alone, lacksRight, lookAtSchema, makeSchema, type OwnSchema } from '../../maintenance/postgres/ownSchema.js'
import { runSql } from '../../maintenance/postgres/sql.js'

/** The schema of graphile-worker's tables. Prisma does not see it, and an app's own queue is another. */
export const QUEUE_SCHEMA = 'fieldseal_queue'

/** As Graphile Worker makes it. */
const MIGRATIONS = `${QUEUE_SCHEMA}.migrations (id int PRIMARY KEY, ts timestamptz NOT NULL DEFAULT now(), breaking boolean NOT NULL DEFAULT false)`

/**
 * Graphile Worker makes its schema, and needs a right on the database for that even where the schema is there. Where its
 * table of migrations is there too, it makes only the rest.
 */
export async function prepareSchema(pool: pg.Pool): Promise<void> {
  const found = await lookAtSchema(pool, QUEUE_SCHEMA, ['migrations'])
  if (found.usable) return
  if (found.complete || !found.creates) throw lacksRight(found, 'the queue of workers', rightTo(found))
  if (found.exists) await runSql(pool, alone(QUEUE_SCHEMA, `CREATE TABLE IF NOT EXISTS ${MIGRATIONS}`))
}

function rightTo(found: OwnSchema): string {
  return found.exists ? rightToRemake(found.user) : makeSchema(found)
}

/** A queue without a command holds nothing that would be missed. */
export function rightToRemake(user: string): string {
  const anew = makeSchema({ name: QUEUE_SCHEMA, user })
  return `DROP SCHEMA ${QUEUE_SCHEMA} CASCADE; ${anew} (while no command runs with --workers)`
}
