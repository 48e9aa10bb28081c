import { type PgConnection, runScript } from './sql.js'

/** What is used of `EXPLAIN (FORMAT JSON)`. */
interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly Filter?: string
  readonly Plans?: readonly PlanNode[]
}

/**
 * Asks the planner by which indexes it can find rows, whatever the tables hold now: of small ones it would read all.
 *
 * @param from the table in SQL
 * @param conditions of SQL, on values that need not exist
 * @param column the one that matters: conditions on it must not be left to a filter
 * @returns the names of the indexes, none if it would have to read rows that do not match
 * @throws FieldsealError `DATABASE_UNAVAILABLE`
 */
export async function indexesFor(
  database: PgConnection,
  from: string,
  conditions: readonly string[],
  column: string,
): Promise<string[]> {
  const rows = await runScript(database, [
    'SET LOCAL enable_seqscan = off',
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${from} WHERE ${conditions.join(' AND ')}`,
  ])
  const [{ Plan: plan }] = JSON.parse(String(rows[0]![0])) as [{ Plan: PlanNode }]
  const nodes = flat(plan)
  const reads = nodes.some(
    ({ 'Node Type': type, Filter: filter = '' }) => type === 'Seq Scan' || filter.includes(column),
  )
  return reads ? [] : nodes.flatMap(({ 'Index Name': name }) => name ?? [])
}

function flat(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)]
}
