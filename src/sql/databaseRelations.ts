import type { Catalog } from './catalog.js'
import { isEncrypted } from './catalog.js'

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

/** Tables of these names, those that inherit from them or are their partitions, those that these inherit from, and all views of any of them. */
const RELATIONS = `
  WITH RECURSIVE named AS (
    SELECT c.oid FROM unnest($1::text[], $2::text[]) AS d(space, name)
    JOIN pg_class c ON c.relname = d.name JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f') AND CASE WHEN d.space IS NULL
      THEN n.nspname NOT IN ('pg_catalog', 'information_schema') ELSE n.nspname = d.space END
  ), below(oid) AS (
    SELECT oid FROM named UNION SELECT i.inhrelid FROM below JOIN pg_inherits i ON i.inhparent = below.oid
  ), family(oid) AS (
    SELECT oid FROM below UNION SELECT i.inhparent FROM family JOIN pg_inherits i ON i.inhrelid = family.oid
  ), related(oid) AS (
    SELECT oid FROM family UNION
    SELECT r.ev_class FROM related
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = related.oid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_type = '1'
  )
  SELECT c.oid::text, n.nspname, c.relname, pg_table_is_visible(c.oid)::text,
    (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text,
    (SELECT json_agg(i.inhparent::text) FROM pg_inherits i WHERE i.inhrelid = c.oid)::text,
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
    (SELECT json_agg(DISTINCT d.refobjid::text) FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
     WHERE r.ev_class = c.oid AND r.ev_type = '1' AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid)::text
  FROM related JOIN pg_class c ON c.oid = related.oid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT pg_is_other_temp_schema(n.oid)
  ORDER BY n.nspname, c.relname`

/**
 * What PostgreSQL knows of the tables of a catalog that have encrypted columns, and of all that shares rows with them.
 *
 * @throws whatever `ask` does
 */
export async function readRelations(ask: Ask, { tables }: Catalog): Promise<DatabaseRelation[]> {
  const encrypted = tables.filter((table) => isEncrypted(table) && !table.isView)
  const names = [encrypted.map(({ schema }) => schema ?? null), encrypted.map(({ name }) => name)]
  return (await ask(RELATIONS, names)).map(relationOf)
}

function relationOf(row: readonly (string | null)[]): DatabaseRelation {
  const [oid, schema, name, isVisible, columns, parents, definition, reads] = row
  return {
    oid: oid!,
    schema: schema!,
    name: name!,
    isVisible: isVisible === 'true',
    columns: namesIn(columns),
    parents: namesIn(parents),
    view: definition == null ? undefined : { definition, reads: namesIn(reads) },
  }
}

function namesIn(json: string | null | undefined): string[] {
  return json == null ? [] : JSON.parse(json)
}
