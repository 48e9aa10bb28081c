import type { Progress, ProgressRecord } from '../jobs/progressStore.js'
import {
  createInOwnSchema,
  lacksRight,
  lookAtSchema,
  makeSchema,
  OWN_SCHEMA,
  type OwnSchema,
  RIGHTS,
} from './ownSchema.js'
import { type PgConnection, runSql, type TextRow } from './sql.js'

const COUNTED = `
    cursor text[],
    scanned bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    conflicts bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    problems jsonb NOT NULL DEFAULT '[]',
    updated_at timestamptz NOT NULL DEFAULT now(),
    mac text NOT NULL`

/**
 * Runs of maintenance and how far they are, and the ranges of runs that several workers share. In a schema of its own,
 * Prisma does not see them and reports no drift. `mac` authenticates a row by the key of its run, which the app's KMS
 * wraps: SECURITY.md says what each column can do that somebody else has written.
 */
const CREATE = `
  CREATE TABLE IF NOT EXISTS fieldseal.progress (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operation text NOT NULL,
    model text NOT NULL,
    fields text[] NOT NULL,
    tenant text,
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'dropped')),
    started_at timestamptz NOT NULL DEFAULT now(),
    run_key jsonb NOT NULL,
    work_order text,${COUNTED}
  );
  CREATE TABLE IF NOT EXISTS fieldseal.ranges (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES fieldseal.progress ON DELETE CASCADE,
    number int NOT NULL,
    begins_after text[],
    ends_with text[],
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'stopped', 'failed')),
    failures int NOT NULL DEFAULT 0,
    failure jsonb,${COUNTED},
    UNIQUE (run, number)
  )`

const TABLES = ['progress', 'ranges']

/**
 * Makes the tables unless they are there.
 *
 * @throws FieldsealError `DATABASE_UNAVAILABLE` where the user may not, with the SQL that lets it
 */
export async function createTables(database: PgConnection): Promise<void> {
  const found = await lookAtSchema(database, OWN_SCHEMA, TABLES)
  if (found.usable) return
  if (found.complete || !found.creates) throw lacksRight(found, 'the progress of runs', rightTo(found))
  await createInOwnSchema(database, CREATE)
}

function rightTo(found: OwnSchema): string {
  const { exists, complete, user } = found
  if (!exists) return makeSchema(found)
  if (!complete) return `GRANT USAGE, CREATE ON SCHEMA ${OWN_SCHEMA} TO ${user}`
  const tables = `GRANT ${RIGHTS.join(', ')} ON ALL TABLES IN SCHEMA ${OWN_SCHEMA} TO ${user}`
  return `GRANT USAGE ON SCHEMA ${OWN_SCHEMA} TO ${user}; ${tables}`
}

const COUNTS = ['scanned', 'changed', 'conflicts', 'skipped', 'problems'] as const

/** What progress is of: a result may have both. */
type Counted = 'run' | 'range'
export type ProgressColumn<Of extends Counted = Counted> = `${Of}_${'cursor' | (typeof COUNTS)[number]}`

/** The columns that `progressOf` reads, of the row `alias`. */
export function progressOn(alias: string, of: Counted): string {
  const counts = COUNTS.map((name) => `${alias}.${name} AS ${of}_${name}`)
  return [`array_to_json(${alias}.cursor) AS ${of}_cursor`, ...counts].join(', ')
}

export function progressOf(row: Partial<TextRow<ProgressColumn>>, of: Counted): Progress {
  const cursor = row[`${of}_cursor`]
  return {
    cursor: cursor == null ? null : JSON.parse(cursor),
    scanned: Number(row[`${of}_scanned`]),
    changed: Number(row[`${of}_changed`]),
    conflicts: Number(row[`${of}_conflicts`]),
    skipped: Number(row[`${of}_skipped`]),
    problems: JSON.parse(row[`${of}_problems`] ?? '[]'),
  }
}

/** Before the first row. */
export const NOTHING_YET: Progress = { cursor: null, scanned: 0, changed: 0, conflicts: 0, skipped: 0, problems: [] }

interface ProgressRow {
  readonly database: PgConnection
  readonly table: 'fieldseal.progress' | 'fieldseal.ranges'
  readonly id: string
  /** The state of what is not done. */
  readonly unfinished: string
  readonly macOf: (progress: Progress, done: boolean) => string
}

export function progressRecord(row: ProgressRow, saved: Progress | null): ProgressRecord {
  const { database, table, id, unfinished, macOf } = row
  const write = async (done: boolean, progress: Progress): Promise<void> => {
    const { cursor, scanned, changed, conflicts, skipped, problems } = progress
    await runSql(
      database,
      `UPDATE ${table} SET state = $2, cursor = $3, scanned = $4, changed = $5, conflicts = $6, skipped = $7,
       problems = $8, mac = $9, updated_at = now() WHERE id = $1 AND ($10::boolean OR state <> 'done')`,
      [
        ...[id, done ? 'done' : unfinished, cursor, scanned, changed, conflicts, skipped],
        ...[JSON.stringify(problems), macOf(progress, done), done],
      ],
    )
  }
  return { saved, save: (progress) => write(false, progress), finish: (progress) => write(true, progress) }
}
