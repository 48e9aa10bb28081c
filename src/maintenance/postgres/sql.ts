import { docsAt } from '../../docs.js'
import { FieldsealError } from '../../errors.js'
import { printable } from '../../printable.js'

/** What is used of a `pg` Pool or Client, by structure. */
export interface PgConnection {
  query(config: PgQuery): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>
}

export interface PgQuery {
  readonly text: string
  readonly values: unknown[]
  readonly types: { getTypeParser(): (text: string) => unknown }
}

/** One statement and its parameters. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/** A row of a result: every column as PostgreSQL writes it, or NULL. */
export type TextRow<Column extends string = string> = { readonly [column in Column]: string | null }

/** As the user's pool may parse types in its own way, everything is asked for as text. */
const asText = { getTypeParser: () => (text: string) => text }

/**
 * Runs one statement; `Column` is what its result has.
 *
 * @throws FieldsealError `ROW_REFUSED` for a violated constraint, `ROW_BUSY` for a lock, `DATABASE_UNAVAILABLE` for anything else
 */
export async function runSql<Column extends string>(
  database: PgConnection,
  text: string,
  values: readonly unknown[] = [],
): Promise<TextRow<Column>[]> {
  try {
    const { rows } = await database.query({ text, values: [...values], types: asText })
    return rows as TextRow<Column>[]
  } catch (error) {
    throw translated(error)
  }
}

/**
 * Runs statements without parameters in one transaction, and answers the last one's rows.
 *
 * @throws FieldsealError as `runSql` does
 */
export async function runScript<Column extends string>(
  database: PgConnection,
  statements: readonly string[],
): Promise<TextRow<Column>[]> {
  try {
    // Sent as one text they are one transaction, which leaves a pool's connection as it was, also if one fails.
    const results = await database.query({ text: statements.join(';'), values: [], types: asText })
    return [results].flat().at(-1)!.rows as TextRow<Column>[]
  } catch (error) {
    throw translated(error)
  }
}

interface PgError {
  readonly code?: unknown
  readonly constraint?: unknown
  readonly column?: unknown
  readonly table?: unknown
  readonly message?: unknown
}

/** Its class is the first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function translated(error: unknown): FieldsealError {
  const { code, constraint, column, table, message } = (error ?? {}) as PgError
  const state = typeof code === 'string' ? code : ''
  if (state.startsWith('22') || state.startsWith('23') || state === '54000') {
    const which = constraint ?? column ?? table ?? 'the type of a column'
    // PostgreSQL's own message quotes the values, so it goes nowhere.
    return new FieldsealError(
      'ROW_REFUSED',
      `the database refuses the new values of a row (${state}, ${printable(which)})`,
    )
  }
  if (state === '40001' || state === '40P01' || state === '55P03') {
    return new FieldsealError(
      'ROW_BUSY',
      `a row is locked by another transaction (${state}): run the command again later`,
      { cause: error },
    )
  }
  const what = `the database could not be used${state && ` (${state})`}: ${printable(message ?? error)}`
  return new FieldsealError('DATABASE_UNAVAILABLE', `${what}. ${hint(state)}`, { cause: error })
}

/** Whether a statement ended by `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return FieldsealError.is(error, 'ROW_BUSY') && (error.cause as PgError | undefined)?.code === '55P03'
}

function hint(state: string): string {
  if (state === '42501') return `Its user lacks a right that maintenance needs: see ${docsAt('existing-data.md')}`
  if (state === '42P01' || state === '42703') return 'Apply your migrations, and deploy the code that was made for them'
  return 'Run the command again once it can: it goes on where it stopped'
}

const SPECIAL = /["\\]/g

/** An array of texts as PostgreSQL reads it: much cheaper than to leave it to `pg`. */
export function arrayLiteral(texts: readonly (string | null)[]): string {
  let elements = ''
  for (const text of texts) elements += text === null ? ',NULL' : `,"${text.replace(SPECIAL, '\\$&')}"`
  return `{${elements.slice(1)}}`
}

/** A text in SQL, whatever `standard_conforming_strings` says: for statements that take no parameters. */
export function quoteText(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

/** A name in SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A table's name in SQL; without a schema it is looked for on the search path. */
export function tableName({ schema, table }: { readonly schema?: string | undefined; readonly table: string }): string {
  return schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`
}
