import { condition, expression, type Place } from './randomExpression.js'
import { randomSelect } from './randomSelect.js'
import { BOLD_EXPRESSIONS } from './randomUses.js'
import { quoted, TABLES, type Table, type TableColumn } from './tables.js'
import type { Source, Writing } from './writing.js'

const WRITABLE = TABLES.filter(({ isView }) => !isView)

export function randomWrite(w: Writing): string {
  const table = w.dice.weighted(WRITABLE.map((each) => [each.name === 'person' ? 4 : 2, () => each] as const))
  return w.dice.weighted([
    [4, () => insert(w, table)],
    [5, () => update(w, table)],
    [2, () => remove(w, table)],
    [w.isBold() ? 3 : 0, () => strange(w, table)],
  ])
}

const nameOf = ({ schema, name }: Table) => `${schema}.${quoted(name)}`

function placeOf(sources: readonly Source[]): Place {
  const select = (writing: Writing, around: readonly Source[], kind?: string) =>
    kind === undefined
      ? randomSelect(writing, { around, named: [], depth: 0 }).text
      : `SELECT ${kind === 'int' ? 'n' : 'name'} FROM city`
  return { sources, around: [], depth: 1, select }
}

/** What is written to a column. */
function written(w: Writing, column: TableColumn, place: Place): string {
  if (column.secret === undefined)
    return column.kind === 'json' ? 'NULL' : expression(w, place, column.kind === 'int' ? 'int' : 'text')
  if (w.isBold()) return boldValue(w, column, place)
  return w.dice.weighted([
    [6, () => w.param(w.valueOf(column.kind), column.kind)],
    [1, () => 'NULL'],
    [1, () => 'DEFAULT'],
    [1, () => w.param(null, column.kind)],
  ])
}

function boldValue(w: Writing, column: TableColumn, { sources }: Place): string {
  w.note('a bold value')
  const all = sources.flatMap(({ alias, columns }) => columns.map(({ name }) => `${w.spell(alias)}.${w.spell(name)}`))
  const other = all.length > 0 ? w.dice.of(all) : w.literal(column.kind)
  return w.dice.of([
    w.literal(column.kind),
    other,
    `(SELECT ${other})`,
    `coalesce(${w.param(w.valueOf(column.kind), column.kind)}, NULL)`,
    `${w.param(w.valueOf(column.kind), column.kind)}::${column.kind === 'int' ? 'int' : 'text'}`,
    `(${w.param(w.valueOf(column.kind), column.kind)})`,
    w.dice.of(BOLD_EXPRESSIONS)(other, w, column.kind),
  ])
}

function insert(w: Writing, table: Table): string {
  w.note('INSERT')
  const columns = [table.columns[0]!, ...w.dice.shuffled(w.dice.some(table.columns.slice(1), 0.6))]
  const place = placeOf([])
  const row = (n: number) => {
    const id = w.dice.chance(0.2) ? w.dice.int(1, 9) : 100 + n
    return `(${columns.map((column) => (column.name === 'id' ? id : written(w, column, place))).join(', ')})`
  }
  const alias = w.dice.chance(0.2) ? ' AS target' : ''
  const names = `(${columns.map(({ name }) => quoted(name)).join(', ')})`
  const rows = w.isBold()
    ? `SELECT ${columns.map(({ name }) => (name === 'id' ? 'id + 200' : `t.${quoted(name)}`)).join(', ')} FROM ${nameOf(table)} t`
    : `VALUES ${w.dice.list(1, 3, row).join(', ')}`
  const target = { alias: alias ? 'target' : table.name, columns: table.columns }
  return `INSERT INTO ${nameOf(table)}${alias} ${names} ${rows}${conflict(w, table, columns, target)}${returning(w, target)}`
}

function conflict(w: Writing, table: Table, columns: readonly TableColumn[], target: Source): string {
  if (w.dice.chance(0.5)) return ''
  if (w.dice.chance(0.3)) return ' ON CONFLICT DO NOTHING'
  w.note('ON CONFLICT')
  const others = columns.filter(({ name }) => name !== 'id')
  const chosen = w.dice.some(others.length > 0 ? others : table.columns.slice(1, 2), 0.6)
  const sets = (chosen.length > 0 ? chosen : [table.columns[1]!]).map((column) => {
    const name = quoted(column.name)
    if (w.isBold()) return `${name} = EXCLUDED.${quoted(w.dice.of(table.columns).name)}`
    return w.dice.of([
      `${name} = EXCLUDED.${name}`,
      column.secret === undefined ? `${name} = ${w.spell(target.alias)}.${name}` : `${name} = excluded.${name}`,
      `${name} = ${column.kind === 'json' && column.secret === undefined ? 'NULL' : w.param(w.valueOf(column.kind), column.kind)}`,
    ])
  })
  if (chosen.length > 1 && !w.isBold() && w.dice.chance(0.15)) {
    const names = chosen.map(({ name }) => quoted(name))
    return ` ON CONFLICT (id) DO UPDATE SET (${names.join(', ')}) = (${names.map((name) => `EXCLUDED.${name}`).join(', ')})`
  }
  const excluded = { alias: 'excluded', columns: table.columns }
  const where = w.dice.chance(0.3) ? ` WHERE ${condition(w, { ...placeOf([target, excluded]), depth: 0 }, 1)}` : ''
  return ` ON CONFLICT (id) DO UPDATE SET ${sets.join(', ')}${where}`
}

function update(w: Writing, table: Table): string {
  w.note('UPDATE')
  const [alias, as] = w.dice.chance(0.4) ? ['t', ' AS t'] : [table.name, '']
  const own = { alias, columns: table.columns }
  const other = w.dice.chance(0.25) ? w.dice.of(TABLES.filter((each) => each !== table)) : undefined
  const sources = other ? [own, { alias: 'o', columns: other.columns }] : [own]
  const chosen = w.dice.some(table.columns.slice(1), 0.35)
  const place = placeOf(sources)
  const setting = (column: TableColumn) => {
    const value = other ? fromOne(w, column) : written(w, column, place)
    return `${w.spell(column.name)} = ${value}`
  }
  const several = chosen.length > 1 && w.dice.chance(0.1)
  const sets = several
    ? `(${chosen.map(({ name }) => quoted(name)).join(', ')}) = (${chosen.map((c) => written(w, c, place)).join(', ')})`
    : (chosen.length > 0 ? chosen : [table.columns[1]!]).map(setting).join(', ')
  const from = other ? ` FROM ${nameOf(other)} AS o` : ''
  const where = w.dice.chance(0.85) ? ` WHERE ${condition(w, place)}` : ''
  return `UPDATE ${nameOf(table)}${as} SET ${sets}${from}${where}${other ? '' : returning(w, own)}`
}

/** Of several rows that are joined to one, any may win: what is written must be the same from all. */
function fromOne(w: Writing, column: TableColumn): string {
  if (column.kind === 'json' && column.secret === undefined) return 'NULL'
  return w.isBold() ? `o.id` : w.param(w.valueOf(column.kind), column.kind)
}

function remove(w: Writing, table: Table): string {
  w.note('DELETE')
  const own = { alias: 't', columns: table.columns }
  const other = w.dice.chance(0.3) ? w.dice.of(TABLES.filter((each) => each !== table)) : undefined
  const sources = other ? [own, { alias: 'o', columns: other.columns }] : [own]
  const using = other ? ` USING ${nameOf(other)} AS o` : ''
  return `DELETE FROM ${nameOf(table)} AS t${using} WHERE ${condition(w, placeOf(sources))}${other ? '' : returning(w, own)}`
}

function returning(w: Writing, target: Source): string {
  if (w.dice.chance(0.5)) return ''
  w.note('RETURNING')
  const columns = w.dice.some(target.columns, 0.4)
  if (columns.length === 0) return ' RETURNING *'
  const shown = columns.map(({ name }, n) => {
    const text = `${w.spell(target.alias)}.${w.spell(name)}`
    if (w.isBold()) return `upper(${text}::text) AS r${n}`
    return w.dice.chance(0.5) ? text : `${text} AS r${n}`
  })
  return ` RETURNING ${shown.join(', ')}`
}

/** What has encrypted columns in it and is seldom sent. */
function strange(w: Writing, table: Table): string {
  w.note('a strange statement')
  const name = nameOf(table)
  return w.dice.of([
    `MERGE INTO ${name} AS t USING public.city AS c ON t.id = c.id WHEN MATCHED THEN UPDATE SET n = 7`,
    `MERGE INTO public.city AS c USING ${name} AS t ON t.email = c.email WHEN MATCHED THEN DELETE`,
    `TABLE ${name}`,
    `VALUES ((SELECT email FROM ${name} ORDER BY id LIMIT 1))`,
    `INSERT INTO ${name} SELECT * FROM ${name} WHERE false`,
    `INSERT INTO ${name} VALUES (300)`,
    `INSERT INTO ${name} DEFAULT VALUES`,
    `WITH d AS (DELETE FROM ${name} RETURNING *) SELECT count(*) FROM d`,
    `WITH d AS (DELETE FROM ${name} RETURNING id, email) SELECT email FROM d`,
    `WITH d AS (UPDATE ${name} SET n = 1 RETURNING *) SELECT * FROM d`,
    `WITH d AS (UPDATE ${name} SET n = 1 WHERE id = 1 RETURNING email) INSERT INTO public.city (id, email) SELECT 500, email FROM d`,
    `CREATE TEMP TABLE kept AS SELECT * FROM ${name}`,
    `SELECT email INTO TEMP kept FROM ${name}`,
    `CREATE TEMP VIEW shown AS SELECT email FROM ${name}`,
    `EXPLAIN SELECT email FROM ${name}`,
    `SELECT email FROM ${name} UNION SELECT email FROM public.city`,
    `SELECT name FROM public.city UNION ALL SELECT email FROM ${name} ORDER BY 1`,
    `UPDATE public.city SET email = (SELECT email FROM ${name} WHERE id = 1)`,
    `UPDATE ${name} SET email = email`,
    `UPDATE ${name} SET n = length(email)`,
    `WITH RECURSIVE r AS (SELECT id, email FROM ${name} UNION ALL SELECT id + 100, email FROM r WHERE id < 100) SELECT * FROM r`,
    `WITH email AS (SELECT 1 AS id, 'x' AS email) SELECT email.email FROM email`,
    `WITH ${quoted(table.name)} AS (SELECT 1 AS id, 'x'::text AS email) SELECT email FROM ${quoted(table.name)} WHERE email = 'x'`,
    `SELECT 1; SELECT email FROM ${name}`,
    `SELECT p.email FROM (${name} AS p JOIN public.city AS c ON c.id = p.id) ORDER BY p.id`,
    `SELECT j.name FROM (public.city AS p JOIN ${name} AS c USING (id)) AS j ORDER BY 1`,
    `SELECT id FROM ${name} ORDER BY email USING <`,
    `SELECT id FROM ${name} GROUP BY id HAVING max(email) > 'a'`,
    `SELECT x FROM ${name}, unnest(ARRAY[email]) AS x`,
    `SELECT x FROM ${name}, LATERAL (SELECT email) AS l(x) ORDER BY id`,
    `SELECT f.* FROM ${name} AS t, LATERAL ROWS FROM (upper(t.email)) AS f`,
    `SELECT email FROM ${name} TABLESAMPLE SYSTEM (100) ORDER BY id`,
    `SELECT email FROM ${name} ORDER BY id FOR UPDATE`,
    `SELECT id FROM ${name} WINDOW w AS (ORDER BY email)`,
    `SELECT id, rank() OVER w FROM ${name} WINDOW w AS (ORDER BY email)`,
    `SELECT DISTINCT ON (email) email FROM ${name}`,
    `SELECT count(*) FROM ${name} GROUP BY GROUPING SETS ((email), ())`,
    `SELECT email FROM ${name} GROUP BY ROLLUP (email)`,
    `SELECT U&"em\\0061il" FROM ${name} ORDER BY id`,
    `SELECT EMAIL FROM ${name.toUpperCase()} ORDER BY ID`,
    `SELECT ${name}.email FROM ${name} ORDER BY id`,
    `SELECT upper(${name}.email) FROM ${name}`,
    `SELECT * FROM ${name} AS t(a, b, c, d) ORDER BY a`,
    `SELECT (t).email FROM ${name} AS t`,
    `SELECT (SELECT t.email) FROM ${name} AS t`,
    `SELECT t.* IS NULL FROM ${name} AS t`,
    `DECLARE later CURSOR FOR SELECT email FROM ${name}`,
    `COPY (SELECT email FROM ${name}) TO STDOUT`,
    `LOCK TABLE ${name}`,
    `TRUNCATE ${name}`,
    `DO $$ BEGIN PERFORM email FROM ${name}; END $$`,
    `SELECT query_to_xml('SELECT 1', true, true, '')::text FROM ${name} LIMIT 0`,
  ])
}
