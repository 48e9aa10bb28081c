import { type PgConnection, runScript } from './sql.js'

/** What is used of `EXPLAIN (FORMAT JSON)`. */
interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly Plans?: readonly PlanNode[]
}

/**
 * Only bitmap scans are made of nothing but indexes that a condition can use. Whatever else there is for a table of this
 * size, such as reading all of it, is left out of the choice.
 */
const BITMAPS_ONLY = ['seqscan', 'indexscan', 'indexonlyscan'].map((kind) => `SET LOCAL enable_${kind} = off`)

/**
 * Asks the planner by which indexes it can find rows, whatever the tables hold now.
 *
 * @param from the table in SQL
 * @param condition of SQL, on a value that need not exist
 * @returns their names; none where it would have to read rows that do not match
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export async function indexesFor(database: PgConnection, from: string, condition: string): Promise<string[]> {
  const explain = `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${from} WHERE ${condition}`
  const rows = await runScript<'QUERY PLAN'>(database, [...BITMAPS_ONLY, explain])
  const [{ Plan: plan }] = JSON.parse(String(rows[0]!['QUERY PLAN'])) as [{ Plan: PlanNode }]
  const scans = flat(plan).filter(({ 'Node Type': type }) => type.endsWith('Scan'))
  if (scans.some(({ 'Node Type': type }) => !type.startsWith('Bitmap'))) return []
  return scans.flatMap(({ 'Index Name': name }) => name ?? [])
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)]
}
