import { condition, expression, type MakeSelect, type Place, wholeRow } from './randomExpression.js'
import { type From, randomFrom } from './randomFrom.js'
import { BOLD_COUNTS, COUNTS } from './randomUses.js'
import { isSecret, type Kind, type TableColumn } from './tables.js'
import { referencesIn, type Source, type Writing } from './writing.js'

export interface Select {
  readonly text: string
  /** What it gives, by name. */
  readonly columns: readonly TableColumn[]
  /** Its rows have one order. */
  readonly ordered: boolean
}

export interface Surroundings {
  readonly around: readonly Source[]
  /** What WITH has named. */
  readonly named: readonly Source[]
  readonly depth: number
}

interface Target {
  readonly text: string
  readonly columns: readonly TableColumn[]
}

/** A select within another statement, of one column where one is asked for. */
const inner =
  ({ named, depth }: Surroundings): MakeSelect =>
  (w, around, kind) => {
    const place = { around, named, depth: depth - 1 }
    if (kind === undefined) return randomSelect(w, place).text
    const from = randomFrom(w, { ...place, select: inner(place) })
    const inside: Place = { ...place, select: inner(place), sources: from.sources }
    const given = expression(w, inside, kind === 'int' ? 'int' : 'text')
    return `SELECT ${given} FROM ${from.text}${w.dice.chance(0.7) ? ` WHERE ${condition(w, inside, 1)}` : ''}`
  }

export function randomSelect(w: Writing, around: Surroundings): Select {
  if (around.depth > 0 && w.dice.chance(0.12)) return withNamed(w, around)
  if (around.depth > 0 && w.dice.chance(0.08)) return combined(w, around)
  const select = inner(around)
  const from = randomFrom(w, { ...around, select })
  const place: Place = { ...around, select, sources: from.sources }
  return w.dice.weighted([
    [7, () => rows(w, from, place)],
    [2, () => groups(w, from, place)],
  ])
}

function rows(w: Writing, { text: from, sources }: From, place: Place): Select {
  const targets = w.dice.chance(0.2) ? [star(w, sources)] : w.dice.list(1, 4, () => target(w, place))
  const where = w.dice.chance(0.75) ? ` WHERE ${condition(w, place)}` : ''
  const ids = totalOrder(w, sources)
  const { order, ordered } = orderOf(w, place, targets, ids)
  const limit = ordered && w.dice.chance(0.3) ? ` LIMIT ${w.dice.int(1, 4)} OFFSET ${w.dice.int(0, 2)}` : ''
  const columns = targets.flatMap((each) => each.columns)
  const distinct = distinctOf(w, columns, ordered, ids)
  const text = `SELECT ${distinct}${targets.map((each) => each.text).join(', ')} FROM ${from}${where}${order}${limit}`
  return { text, columns, ordered: ordered && limit !== '' ? true : ordered }
}

/** By what all rows differ; nothing where somebody's rows have no id. */
function totalOrder(w: Writing, sources: readonly Source[]): string | undefined {
  const ids = sources.map((source) => {
    const column = source.columns.find(({ name, secret }) => name === 'id' && secret === undefined)
    return column && w.refer({ source, column }, [source, source])
  })
  return ids.every((id) => id !== undefined) ? ids.join(', ') : undefined
}

function orderOf(w: Writing, place: Place, targets: readonly Target[], ids: string | undefined) {
  if (ids !== undefined && w.dice.chance(0.4)) return { order: ` ORDER BY ${ids}`, ordered: true }
  if (!w.dice.chance(0.25)) return { order: '', ordered: false }
  const given = targets.length === 1 ? [] : targets.flatMap(({ columns }) => columns)
  const plain = given.filter((column) => !isSecret(column))
  const named = w.isBold() ? given : plain
  const position = w.isBold() ? String(w.dice.int(1, 3)) : expression(w, place, 'int', 0)
  const by = named.length > 0 && w.dice.chance(0.5) ? w.spell(w.dice.of(named).name) : position
  w.note('ORDER BY')
  return {
    order: ` ORDER BY ${/^\(?-?\d+\)?$/.test(by) && !w.boldness ? `${by} + 0` : by}${w.dice.of(['', ' DESC', ' NULLS FIRST'])}`,
    ordered: false,
  }
}

function distinctOf(w: Writing, columns: readonly TableColumn[], ordered: boolean, ids: string | undefined): string {
  if (ordered && ids !== undefined && w.dice.chance(0.1)) return `DISTINCT ON (${ids}) `
  if (ordered || !w.dice.chance(0.08)) return ''
  if (columns.some(isSecret) && !w.isBold()) return ''
  w.note('DISTINCT')
  return 'DISTINCT '
}

function star(w: Writing, sources: readonly Source[]): Target {
  const all = sources.flatMap(({ columns }) => columns)
  if (w.dice.chance(0.5)) return { text: '*', columns: all }
  const source = w.dice.of(sources)
  return { text: `${w.spell(source.alias)}.*`, columns: source.columns }
}

function target(w: Writing, place: Place): Target {
  const { sources } = place
  const references = referencesIn(sources)
  const name = w.name()
  const as = w.dice.of([' AS ', ' AS ', ' '])
  const named = (text: string, kind: Kind): Target => ({ text: `${text}${as}"${name}"`, columns: [{ name, kind }] })
  const withSecret = sources.filter(({ columns }) => columns.some(isSecret))
  return w.dice.weighted([
    [
      references.length > 0 ? 8 : 0,
      () => {
        const reference = w.dice.of(references)
        const text = w.refer(reference, sources)
        if (w.dice.chance(w.boldness > 0 ? 0.5 : 0.15)) return { text, columns: [reference.column] }
        return { text: `${text}${as}"${name}"`, columns: [{ ...reference.column, name }] }
      },
    ],
    [2, () => named(expression(w, place, 'int'), 'int')],
    [2, () => named(expression(w, place, 'text'), 'text')],
    [1, () => named(`count(*) OVER (PARTITION BY ${expression(w, place, 'int', 0)})`, 'int')],
    [1, () => named(`rank() OVER (ORDER BY ${expression(w, place, 'text', 0)})`, 'int')],
    [place.depth > 0 ? 1 : 0, () => named(`(SELECT count(*) FROM (${place.select(w, sources)}) AS c)`, 'int')],
    [place.depth > 0 ? 1 : 0, () => named(`ARRAY(${place.select(w, sources, 'int')} ORDER BY 1)`, 'json')],
    [withSecret.length > 0 && w.isBold() ? 4 : 0, () => named(wholeRow(w, w.dice.of(withSecret)), 'text')],
  ])
}

function groups(w: Writing, { text: from, sources }: From, place: Place): Select {
  w.note('GROUP BY')
  const secrets = referencesIn(sources).filter(({ column }) => isSecret(column))
  const [key, name, count] = [w.name(), `k${w.name()}`, `c${w.name()}`]
  const by = expression(w, place, 'int')
  const counted = () => {
    if (secrets.length === 0) return `sum(${expression(w, place, 'int', 0)})`
    const reference = w.dice.of(secrets)
    return w.dice.of(w.isBold() ? BOLD_COUNTS : COUNTS)(w.refer(reference, sources), w, reference.column.kind)
  }
  const filter = w.dice.chance(0.3) ? ` FILTER (WHERE ${condition(w, { ...place, depth: 0 }, 1)})` : ''
  const where = w.dice.chance(0.5) ? ` WHERE ${condition(w, place, 1)}` : ''
  const aggregates = `${counted()} AS "${count}", count(*)${filter} AS "${name}"`
  if (w.dice.chance(0.3)) {
    const columns = [count, name].map((each): TableColumn => ({ name: each, kind: 'int' }))
    return { text: `SELECT ${aggregates} FROM ${from}${where}`, columns, ordered: false }
  }
  const columns = [key, count, name].map((each): TableColumn => ({ name: each, kind: 'int' }))
  const having = w.dice.chance(0.3) ? ` HAVING count(*) ${w.dice.of(['>', '<='])} 1` : ''
  const grouped = w.dice.of([`"${key}"`, '1', `GROUPING SETS (("${key}"), ())`, `ROLLUP (1)`].slice(0, 2))
  const text = `SELECT ${by} AS "${key}", ${aggregates} FROM ${from}${where} GROUP BY ${grouped}${having}`
  return { text, columns, ordered: false }
}

function withNamed(w: Writing, around: Surroundings): Select {
  w.note('WITH')
  const [alias, inside] = [w.name(), randomSelect(w, { ...around, around: [], depth: around.depth - 1 })]
  const named = [{ alias, columns: inside.columns }, ...around.named]
  const body = randomSelect(w, { ...around, named, depth: around.depth - 1 })
  const kind = w.dice.of(['', '', 'MATERIALIZED ', 'NOT MATERIALIZED '])
  const recursive = w.dice.chance(0.05) ? 'RECURSIVE ' : ''
  return { ...body, text: `WITH ${recursive}"${alias}" AS ${kind}(${inside.text}) ${body.text}` }
}

function combined(w: Writing, around: Surroundings): Select {
  w.note('a set operation')
  const operation = w.dice.of(['UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT'])
  const kind = w.dice.of(['int', 'text'] as const)
  const side = () => inner(around)(w, around.around, kind)
  const [left, right] = [side(), side()]
  const name = w.name()
  const text = `SELECT u."${name}" FROM ((${left}) ${operation} (${right})) AS u("${name}")`
  return { text, columns: [{ name, kind }], ordered: false }
}
