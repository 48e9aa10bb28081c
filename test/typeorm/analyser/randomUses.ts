import type { TableColumn } from './tables.js'
import type { Writing } from './writing.js'

type Use = (column: string, writing: Writing, kind: TableColumn['kind']) => string

const value: Use = (_, writing, kind) => writing.param(writing.valueOf(kind), kind)

/** A cast that changes no text. */
const asText = (kind: TableColumn['kind'], list = '') => (kind === 'text' ? `::text${list}` : '')

/** Conditions of an encrypted column with an index that have a right answer. */
export const SEARCHES: readonly Use[] = [
  (c, w, kind) => `${c} = ${value(c, w, kind)}`,
  (c, w, kind) => `${value(c, w, kind)} = ${c}`,
  (c, w, kind) => `(${c}) = (${value(c, w, kind)})`,
  (c, w, kind) => `${c} ${w.dice.of(['<>', '!='])} ${value(c, w, kind)}`,
  (c, w, kind) => `${c} IN (${w.dice.list(1, 3, () => value(c, w, kind)).join(', ')})`,
  (c, w, kind) => `${c} NOT IN (${w.dice.list(1, 3, () => value(c, w, kind)).join(', ')})`,
  (c, w, kind) =>
    `${c} = ANY(${w.param(
      w.dice.list(0, 3, () => w.valueOf(kind)),
      kind,
    )})`,
  (c, w, kind) =>
    `${c} <> ALL(${w.param(
      w.dice.list(0, 3, () => w.valueOf(kind)),
      kind,
    )})`,
  (c, w, kind) => `${c} = ${w.param(null, kind)}`,
  (c, w, kind) => `${c} IN (${value(c, w, kind)}, ${w.param(null, kind)})`,
  (c, w, kind) => `${c} NOT IN (${value(c, w, kind)}, ${w.param(null, kind)})`,
  (c, w, kind) => `${c} = ANY(${w.param([w.valueOf(kind), null], kind)})`,
  (c, w, kind) => `${c} = ${value(c, w, kind)}${asText(kind)}`,
  (c, w, kind) => `${c} = ANY(${w.param([w.valueOf(kind), w.valueOf(kind)], kind)}${asText(kind, '[]')})`,
  (c, w, kind) =>
    `${c} <> ALL(${w.param([w.valueOf(kind), w.dice.of([w.valueOf(kind), null])], kind)}${asText(kind, '[]')})`,
]

const COMPARISONS = ['<', '<=', '>', '>='] as const

/** Conditions that the tokens of ranges answer. */
export const RANGES: readonly Use[] = [
  (c, w, kind) => `${c} ${w.dice.of(COMPARISONS)} ${value(c, w, kind)}`,
  (c, w, kind) => `${value(c, w, kind)} ${w.dice.of(COMPARISONS)} ${c}`,
  (c, w, kind) => `(${c}) ${w.dice.of(COMPARISONS)} (${value(c, w, kind)})`,
  (c, w, kind) => `NOT ${c} ${w.dice.of(COMPARISONS)} ${value(c, w, kind)}`,
  (c, w, kind) => `${c} ${w.dice.of(COMPARISONS)} ${w.param(null, kind)}`,
  (c, w, kind) => `${c} ${w.dice.of(['BETWEEN', 'NOT BETWEEN'])} ${value(c, w, kind)} AND ${value(c, w, kind)}`,
  (c, w, kind) => `${c} ${w.dice.of(['BETWEEN', 'NOT BETWEEN'])} ${value(c, w, kind)} AND ${w.param(null, kind)}`,
  (c, w, kind) => `${c} ${w.dice.of(['BETWEEN', 'NOT BETWEEN'])} ${w.param(null, kind)} AND ${value(c, w, kind)}`,
]

/** A pattern of a text that may be there; sometimes none that has an answer. */
const pattern = (w: Writing) => {
  const points = Array.from(String(w.valueOf('text')))
  const [from, to] = [w.dice.int(0, 2), w.dice.int(1, 4)]
  return w.dice.weighted([
    [4, () => `${points.slice(0, to).join('')}%`],
    [3, () => `%${points.slice(from).join('')}`],
    [2, () => `%${points.slice(from, from + to).join('')}%`],
    [1, () => `\\${points.slice(0, to).join('')}%`],
    [1, () => points.join('')],
    [1, () => `${points[0] ?? ''}_%`],
  ])
}

const LIKES = ['LIKE', 'LIKE', 'LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE'] as const

/** Conditions that the tokens of texts answer, as far as the index has what they ask for. */
export const PATTERNS: readonly Use[] = [
  (c, w) => `${c} ${w.dice.of(LIKES)} ${w.param(pattern(w), 'text')}`,
  (c, w) => `${c} ${w.dice.of(LIKES)} ${w.param(pattern(w), 'text')}`,
  (c, w) => `NOT ${c} ${w.dice.of(LIKES)} ${w.param(pattern(w), 'text')}::text`,
  (c, w) => `(${c}) ${w.dice.of(LIKES)} (${w.param(pattern(w), 'text')})`,
  (c, w) => `${c} ${w.dice.of(LIKES)} ${w.param(null, 'text')}`,
]

/** Conditions of any encrypted column that have a right answer. */
export const NULL_TESTS: readonly Use[] = [
  (c) => `${c} IS NULL`,
  (c) => `${c} IS NOT NULL`,
  (c) => `${c} ISNULL`,
  (c) => `${c} NOTNULL`,
]

/** Conditions that have none, or that nobody needs to understand. */
export const BOLD_CONDITIONS: readonly Use[] = [
  (c, w, kind) => `${c} = ${w.literal(kind)}`,
  (c, w, kind) => `${w.literal(kind)} = ${c}`,
  (c, w, kind) => `${c} > ${value(c, w, kind)}`,
  (c, w, kind) => `${c} BETWEEN ${value(c, w, kind)} AND ${value(c, w, kind)}`,
  (c, w, kind) => `${c} BETWEEN SYMMETRIC ${value(c, w, kind)} AND ${value(c, w, kind)}`,
  (c, w, kind) => `${c} IS DISTINCT FROM ${value(c, w, kind)}`,
  (c, w, kind) => `${c} IS NOT DISTINCT FROM ${value(c, w, kind)}`,
  (c, w) => `${c}::text LIKE ${w.param('a%', 'text')}`,
  (c, w) => `${c}::text = ${w.param('ada', 'text')}`,
  (c, w, kind) => `${c} = ${value(c, w, kind)}::${kind === 'int' ? 'int' : 'text'}`,
  (c, w, kind) => `(${c}, 1) = (${value(c, w, kind)}, 1)`,
  (c, w, kind) => `ROW(${c}) = ROW(${value(c, w, kind)})`,
  (c, w, kind) => `(${c}, 1) IN ((${value(c, w, kind)}, 1))`,
  (c, w, kind) => `${c} OPERATOR(pg_catalog.=) ${value(c, w, kind)}`,
  (c, w, kind) => `${c} OPERATOR(pg_catalog.<>) ${value(c, w, kind)}`,
  (c, w, kind) => `${c} = ANY(ARRAY[${value(c, w, kind)}])`,
  (c, w, kind) => `${c} = ALL(${w.param([], kind)})`,
  (c, w, kind) => `${c} = ALL(${w.param([w.valueOf(kind)], kind)})`,
  (c, w, kind) => `${c} <> ANY(${w.param([w.valueOf(kind), w.valueOf(kind)], kind)})`,
  (c, w, kind) => `${c} = SOME(${w.param([w.valueOf(kind)], kind)})`,
  (c, w, kind) => `${c} IN (VALUES (${value(c, w, kind)}))`,
  (c, w, kind) => `${c} IN (${value(c, w, kind)}, ${w.literal(kind)})`,
  (c, w, kind) => `${c} = coalesce(${value(c, w, kind)}, ${w.literal(kind)})`,
  (c, w, kind) => `${c} = CASE WHEN true THEN ${value(c, w, kind)} END`,
  (c, w, kind) => `coalesce(${c}, ${value(c, w, kind)}) = ${value(c, w, kind)}`,
  (c, w) => `lower(${c}::text) = ${w.param('ada', 'text')}`,
  (c) => `length(${c}::text) < 20`,
  (c) => `starts_with(${c}::text, 'a')`,
  (c) => `${c}::text ~ '^a'`,
  (c) => `${c}::text SIMILAR TO 'a%'`,
  (c) => `num_nulls(${c}) = 0`,
  (c) => `pg_typeof(${c})::text = 'text'`,
  (c) => `(SELECT ${c}) IS NULL`,
  (c, w, kind) => `EXISTS (SELECT WHERE ${c} = ${value(c, w, kind)})`,
  (c) => `EXISTS (SELECT ${c})`,
  (c) => `${c} = ${c}`,
  (c) => `(${c} IS NULL) = (${c} IS NULL)`,
  (c) => `${c}::text COLLATE "C" < 'b'`,
  (c) => `ARRAY[${c}] IS NULL`,
  (c) => `ROW(${c}, 1) IS NULL`,
  (c) => `nullif(${c}, NULL) IS NULL`,
  (c) => `${c} IN (NULL)`,
  (c) => `${c} = NULL`,
  (c, w, kind) => `${w.param(null, kind)} IS NOT DISTINCT FROM ${c}`,
  (c) => `concat(${c}) = 'ada'`,
  (c) => `greatest(${c}, ${c}) IS NULL`,
]

/** Around a condition, which is then asked less plainly. */
export const AROUND: readonly ((condition: string) => string)[] = [
  (condition) => `NOT (${condition})`,
  (condition) => `(${condition}) IS TRUE`,
  (condition) => `(${condition}) IS NOT FALSE`,
  (condition) => `(${condition}) IS UNKNOWN`,
  (condition) => `coalesce(${condition}, false)`,
  (condition) => `CASE WHEN ${condition} THEN true ELSE false END`,
  (condition) => `(${condition}) = true`,
  (condition) => `bool(${condition})`,
]

/** What may be selected of an encrypted column beside itself. */
export const COUNTS: readonly Use[] = [(c) => `count(${c})`, (c) => `count(ALL ${c})`]

export const BOLD_COUNTS: readonly Use[] = [
  (c) => `count(DISTINCT ${c})`,
  (c) => `min(${c})`,
  (c) => `max(${c}::text)`,
  (c) => `array_agg(${c} ORDER BY ${c})`,
  (c) => `string_agg(${c}::text, ',' ORDER BY ${c})`,
  (c) => `json_agg(${c} ORDER BY ${c}::text)`,
  (c) => `count(*) FILTER (WHERE ${c}::text > 'b')`,
  (c) => `count(${c} ORDER BY ${c})`,
  (c) => `mode() WITHIN GROUP (ORDER BY ${c})`,
  (c) => `bool_or(${c} IS NULL)`,
]

/** What an encrypted column gives in an expression. */
export const BOLD_EXPRESSIONS: readonly Use[] = [
  (c) => `upper(${c}::text)`,
  (c) => `${c}::text`,
  (c) => `CAST(${c} AS text)`,
  (c) => `${c}::text || ''`,
  (c) => `ARRAY[${c}]`,
  (c) => `ROW(${c}, 1)::text`,
  (c) => `json_build_object('c', ${c})`,
  (c) => `to_jsonb(${c})`,
  (c) => `CASE WHEN true THEN ${c} END`,
  (c) => `CASE ${c} WHEN NULL THEN 1 ELSE 2 END`,
  (c) => `coalesce(${c}, NULL)`,
  (c) => `(SELECT ${c})`,
  (c) => `ARRAY(SELECT ${c})`,
  (c) => `${c} IS NULL`,
  (c) => `${c}::text > 'b'`,
  (c) => `max(${c}) OVER ()`,
  (c) => `first_value(${c}) OVER (ORDER BY ${c})`,
  (c) => `rank() OVER (ORDER BY ${c}::text)`,
  (c) => `count(*) OVER (PARTITION BY ${c})`,
  (c) => `count(${c}) OVER ()`,
  (c) => `format('%s', ${c})`,
  (c) => `md5(${c}::text)`,
  (c) => `(${c})`,
  (c) => `nullif(${c}, ${c})`,
  (c) => `least(${c}, ${c})`,
  (c) => `(ARRAY[${c}])[1]`,
  (c) => `pg_column_size(${c}) < 10`,
  (c) => `xmlforest(${c} AS x)::text`,
]
