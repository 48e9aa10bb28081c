import { type Catalog, isEncrypted } from './catalog.js'

/** A table or view that shares rows with one that has encrypted columns, as PostgreSQL's catalogue has it. */
export interface DatabaseRelation {
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** Its name means it without a schema too. */
  readonly isVisible: boolean
  /** The names of all its columns. */
  readonly columns: readonly string[]
  /** The tables that it inherits from, or is a partition of. */
  readonly parents: readonly string[]
  /** Of a view. */
  readonly view: { readonly definition: string; readonly reads: readonly string[] } | undefined
}

/** Sends a statement whose results come as the texts that PostgreSQL writes. */
export type Ask = (text: string, values: readonly unknown[]) => Promise<readonly (readonly (string | null)[])[]>

type Edge = 'inherits' | 'reads'

/**
 * The tables of these names, what inherits from what, and which view reads what. It is not recursive: PostgreSQL takes such
 * a query for a long one, which it compiles for a second.
 */
const EDGES = `
  SELECT 'is' AS kind, c.oid::text AS "from", NULL AS "to"
  FROM unnest($1::text[], $2::text[]) AS d(space, name)
  JOIN pg_class c ON c.relname = d.name JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f') AND CASE WHEN d.space IS NULL
    THEN n.nspname NOT IN ('pg_catalog', 'information_schema') ELSE n.nspname = d.space END
  UNION ALL
  SELECT 'inherits', i.inhrelid::text, i.inhparent::text
  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f')
  UNION
  SELECT 'reads', r.ev_class::text, d.refobjid::text
  FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  WHERE r.ev_type = '1' AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class AND r.ev_class >= 16384`

/** Each session has a schema of its own for what is temporary, and calls it by this name. */
const TEMPORARY = /^pg_temp_\d+$/

const RELATIONS = `
  SELECT c.oid::text AS oid, n.nspname AS space, c.relname AS name, pg_table_is_visible(c.oid)::text AS visible,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text AS columns,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = ANY ($1::oid[])
  ORDER BY n.nspname, c.relname`

/**
 * What PostgreSQL knows of the tables of a catalog that have encrypted columns, and of all that shares rows with them:
 * tables that inherit from them or are their partitions, those that these inherit from, and all views of any of these.
 *
 * @returns nothing where they are alone
 * @throws whatever `ask` does
 */
export async function readRelations(ask: Ask, { tables }: Catalog): Promise<DatabaseRelation[]> {
  const encrypted = tables.filter((table) => isEncrypted(table) && !table.isView)
  if (encrypted.length === 0) return []
  const names = [encrypted.map(({ schema }) => schema ?? null), encrypted.map(({ name }) => name)]
  const edges = await ask(EDGES, names)
  const named = edges.flatMap(([kind, oid]) => (kind === 'is' ? oid! : []))
  const parents = edgesOf(edges, 'inherits')
  const reads = edgesOf(edges, 'reads')
  const below = closure(named, inverse(parents))
  const related = closure([...closure([...below], parents)], inverse(reads))
  if (related.size === new Set(named).size) return []
  return (await ask(RELATIONS, [[...related]])).map(([oid, schema, name, isVisible, columns, definition]) => ({
    oid: oid!,
    schema: schema!.replace(TEMPORARY, 'pg_temp'),
    name: name!,
    isVisible: isVisible === 'true',
    columns: columns == null ? [] : JSON.parse(columns),
    parents: parents.get(oid!) ?? [],
    view: definition == null ? undefined : { definition, reads: reads.get(oid!) ?? [] },
  }))
}

type Edges = ReadonlyMap<string, readonly string[]>

function edgesOf(rows: readonly (readonly (string | null)[])[], wanted: Edge): Edges {
  return collected(rows.flatMap(([kind, from, to]) => (kind === wanted ? [[from!, to!] as const] : [])))
}

function inverse(edges: Edges): Edges {
  return collected([...edges].flatMap(([from, targets]) => targets.map((to) => [to, from] as const)))
}

function collected(pairs: readonly (readonly [from: string, to: string])[]): Edges {
  const edges = new Map<string, string[]>()
  for (const [from, to] of pairs) {
    const known = edges.get(from)
    if (known) known.push(to)
    else edges.set(from, [to])
  }
  return edges
}

/** These, and all that they lead to. */
function closure(from: readonly string[], edges: Edges): Set<string> {
  const reached = new Set(from)
  // A set grows while it is walked.
  for (const each of reached) for (const next of edges.get(each) ?? []) reached.add(next)
  return reached
}
