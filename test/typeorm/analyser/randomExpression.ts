import { AROUND, BOLD_CONDITIONS, BOLD_EXPRESSIONS, NULL_TESTS, PATTERNS, RANGES, SEARCHES } from './randomUses.js'
import { isSecret, type Kind, type TableColumn } from './tables.js'
import { type Reference, referencesIn, type Source, type Writing } from './writing.js'

/** A select as a part of something, with the columns that it gives. */
export type MakeSelect = (writing: Writing, around: readonly Source[], columns?: Kind) => string

export interface Place {
  /** What can be named. */
  readonly sources: readonly Source[]
  /** What can be named from outside. */
  readonly around: readonly Source[]
  /** How deep it may go on. */
  readonly depth: number
  readonly select: MakeSelect
}

export function condition(w: Writing, place: Place, depth = 2): string {
  const { dice } = w
  if (depth > 0 && dice.chance(0.45)) {
    const [left, right] = [condition(w, place, depth - 1), condition(w, place, depth - 1)]
    return dice.of([`(${left} AND ${right})`, `(${left} OR ${right})`, `NOT (${left})`, `(${left}) AND NOT (${right})`])
  }
  const one = simple(w, place)
  return w.isBold() ? dice.of(AROUND)(one) : one
}

function simple(w: Writing, place: Place): string {
  const secrets = referencesIn(place.sources).filter(({ column }) => isSecret(column))
  const ofAround = referencesIn(place.around).filter(({ column }) => isSecret(column))
  return w.dice.weighted([
    [secrets.length > 0 ? 6 : 0, () => ofSecret(w, w.dice.of(secrets), place)],
    [ofAround.length > 0 ? 1 : 0, () => ofSecret(w, w.dice.of(ofAround), { ...place, sources: place.around })],
    [5, () => ofPlain(w, place)],
    [place.depth > 0 ? 2 : 0, () => ofSubquery(w, place)],
  ])
}

function ofSecret(w: Writing, reference: Reference, place: Place): string {
  const { column } = reference
  const name = w.refer(reference, place.sources)
  if (w.isBold()) {
    w.note('a bold condition')
    return w.dice.of(BOLD_CONDITIONS)(name, w, column.kind)
  }
  if (column.tokens !== undefined && w.dice.chance(0.6)) {
    w.note(`a search by tokens: ${column.tokens}`)
    return w.dice.of(column.tokens === 'text' ? PATTERNS : RANGES)(name, w, column.kind)
  }
  if (column.secret === 'blind' || w.dice.chance(0.2)) return w.dice.of(NULL_TESTS)(name, w, column.kind)
  w.note('a search')
  return w.dice.of(SEARCHES)(name, w, column.kind)
}

function ofPlain(w: Writing, place: Place): string {
  const number = () => expression(w, place, 'int')
  const text = () => expression(w, place, 'text')
  return w.dice.weighted<string>([
    [3, () => `${number()} ${w.dice.of(['=', '<>', '<', '>', '<=', '>='])} ${number()}`],
    [2, () => `${text()} ${w.dice.of(['=', '<>', '<', '>='])} ${text()}`],
    [1, () => `${text()} LIKE '%a%'`],
    [1, () => `${number()} BETWEEN 0 AND ${number()}`],
    [1, () => `${number()} IN (0, 1, ${number()})`],
    [1, () => `${text()} IS NOT DISTINCT FROM ${text()}`],
    [1, () => `(${number()}, ${text()}) = (1, 'ada')`],
    [1, () => `${text()} IS NULL`],
  ])
}

function ofSubquery(w: Writing, place: Place): string {
  const inner = (kind?: Kind) => place.select(w, place.sources, kind)
  w.note('a subquery')
  return w.dice.weighted([
    [3, () => `${w.dice.of(['EXISTS', 'NOT EXISTS'])} (${inner()})`],
    [2, () => `${expression(w, place, 'int')} IN (${inner('int')})`],
    [1, () => `${expression(w, place, 'text')} = ANY(${inner('text')})`],
    [1, () => `${expression(w, place, 'int')} <> ALL(${inner('int')})`],
    [1, () => `(SELECT count(*) FROM (${inner()}) AS counted) > 1`],
  ])
}

/** An expression of plain columns, or in bold statements of any. */
export function expression(w: Writing, place: Place, kind: 'int' | 'text', depth = 1): string {
  const found = referencesIn(place.sources).filter(({ column }) => column.kind === kind)
  const [secret, plain] = [
    found.filter(({ column }) => isSecret(column)),
    found.filter(({ column }) => !isSecret(column)),
  ]
  if (secret.length > 0 && w.isBold()) return bold(w, w.dice.of(secret), place)
  const column = () => (plain.length > 0 ? w.refer(w.dice.of(plain), place.sources) : w.literal(kind))
  const deeper = () => (depth > 0 ? expression(w, place, kind, depth - 1) : column())
  const text = `${kind === 'int' ? 'int' : 'text'}`
  return w.dice.weighted([
    [6, column],
    [2, () => w.literal(kind)],
    [1, () => `${w.param(w.valueOf(kind), kind)}::${text}`],
    [1, () => `coalesce(${deeper()}, ${w.literal(kind)})`],
    [1, () => `CASE WHEN ${ofPlain(w, { ...place, depth: 0 })} THEN ${deeper()} ELSE ${w.literal(kind)} END`],
    [1, () => (kind === 'int' ? `${deeper()} + 1` : `${deeper()} || 'y'`)],
    [1, () => (kind === 'int' ? `length(${expression(w, place, 'text', 0)})` : `upper(${deeper()})`)],
    [1, () => `(${deeper()})`],
  ])
}

function bold(w: Writing, reference: Reference, { sources }: Place): string {
  w.note('a bold expression')
  const name = w.refer(reference, sources)
  return w.dice.chance(0.3) ? name : w.dice.of(BOLD_EXPRESSIONS)(name, w, reference.column.kind)
}

/** What a whole row can be used for, if it has encrypted columns. */
export function wholeRow(w: Writing, { alias, columns }: Source): string {
  w.note('a whole row')
  const row = w.spell(alias)
  const { name }: TableColumn = w.dice.of(columns)
  const column = w.spell(name)
  return w.dice.of([
    row,
    `row_to_json(${row})`,
    `to_jsonb(${row}.*)`,
    `(${row}).${column}`,
    `${column}(${row})`,
    `${row}::text`,
    `(${row}.*)::text`,
    `ROW(${row}.*)::text`,
    `count(${row})`,
    `count(DISTINCT ${row})`,
    `json_agg(${row} ORDER BY 1::int)`,
    `${row} IS NULL`,
    `${row} = ${row}`,
    `(SELECT ${row})`,
    `(SELECT r FROM (SELECT ${row}.*) AS r)::text`,
    `coalesce(${row}, NULL)::text`,
  ])
}
