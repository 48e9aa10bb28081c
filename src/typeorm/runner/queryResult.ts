type Rows = readonly object[]

/** TypeORM's result of a statement as `query` gives it when it is asked to: rows, and of UPDATE and DELETE their count. */
interface StructuredResult {
  readonly records: Rows
  readonly raw: unknown
  /** How many rows PostgreSQL gave, or changed. */
  readonly affected?: unknown
}

/** The rows in what a runner's `query` gave, in whatever form. */
export function rowsIn(result: unknown): Rows | undefined {
  if (isRows(result)) return result
  if (isCounted(result)) return result[0]
  return isStructured(result) ? result.records : undefined
}

/**
 * The result with other rows, in the same form. What was given stays as it is: subscribers and loggers may hold it.
 *
 * @param read gives the rows that stand for those
 * @returns the result, or a promise of it
 */
export function readResult(result: unknown, read: (rows: Rows) => Rows | Promise<Rows>): unknown {
  const rows = rowsIn(result)
  if (rows === undefined || rows.length === 0) return result
  const made = read(rows)
  // Where nothing was encrypted they are the same.
  if (made === rows) return result
  const finish = (all: Rows) => (rows === result ? all : withRows(result, all))
  return made instanceof Promise ? made.then(finish) : finish(made)
}

/** @param result in which rows stand somewhere, or are it */
function withRows(result: unknown, rows: Rows): unknown {
  if (isCounted(result)) return [rows, result[1]]
  if (isRows(result)) return rows
  const structured = result as StructuredResult
  const raw = rawWith(structured, rows)
  const made = Object.assign(Object.create(Object.getPrototypeOf(structured)), structured, { records: rows, raw })
  // Those that an index found by mistake are none.
  const mistakes = structured.records.length - rows.length
  return mistakes > 0 && typeof made.affected === 'number' ? counting(made, made.affected - mistakes) : made
}

function rawWith({ raw, records }: StructuredResult, rows: Rows): unknown {
  if (raw === records) return rows
  return isRows(raw) || isCounted(raw) ? withRows(raw, rows) : raw
}

function counting(result: { affected: unknown }, affected: number): unknown {
  result.affected = affected
  return result
}

function isRows(value: unknown): value is Rows {
  return Array.isArray(value) && value.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row))
}

/** `[rows, affected]`. */
function isCounted(value: unknown): value is [rows: Rows, affected: unknown] {
  return Array.isArray(value) && value.length === 2 && isRows(value[0]) && !isRows(value)
}

function isStructured(value: unknown): value is StructuredResult {
  return typeof value === 'object' && value !== null && 'records' in value && isRows(value.records)
}
