import { condition, type MakeSelect, type Place } from './randomExpression.js'
import { randomSelect, type Select } from './randomSelect.js'
import { TABLES, type Table, type TableColumn, UNDECLARED } from './tables.js'
import type { Source, Writing } from './writing.js'

export interface From {
  readonly text: string
  readonly sources: readonly Source[]
}

/** Where tables are looked for first: in what WITH has named. */
export interface Surroundings {
  readonly around: readonly Source[]
  readonly named: readonly Source[]
  readonly depth: number
  readonly select: MakeSelect
}

export function randomFrom(w: Writing, place: Surroundings): From {
  let from = randomItem(w, place, [])
  const more = w.dice.weighted([
    [5, () => 0],
    [3, () => 1],
    [1, () => 2],
  ])
  for (let n = 0; n < more; n++) from = joined(w, place, from)
  return from
}

function joined(w: Writing, place: Surroundings, left: From): From {
  const right = randomItem(w, place, left.sources)
  const sources = [...left.sources, ...right.sources]
  const on = () => joinCondition(w, place, left, right)
  const kind = w.dice.of(['JOIN', 'INNER JOIN', 'LEFT JOIN', 'LEFT OUTER JOIN', 'RIGHT JOIN', 'FULL JOIN'])
  w.note(kind)
  return w.dice.weighted([
    [6, () => ({ text: `${left.text} ${right.isLateral ? 'LEFT JOIN' : kind} ${right.text} ON ${on()}`, sources })],
    [1, () => ({ text: `${left.text} CROSS JOIN ${right.text}`, sources })],
    [1, () => ({ text: `${left.text}, ${right.text}`, sources })],
    [1, () => using(w, left, right) ?? { text: `${left.text}, ${right.text}`, sources }],
    [w.isBold() && !right.isLateral ? 2 : 0, () => ({ text: `${left.text} NATURAL JOIN ${right.text}`, sources })],
  ])
}

/** FULL JOIN takes conditions alone that can be hashed or merged. */
function joinCondition(w: Writing, place: Surroundings, left: From, right: From): string {
  const numbers = ({ sources }: From) =>
    sources.flatMap((source) =>
      source.columns
        .filter(({ kind, secret }) => kind === 'int' && secret === undefined)
        .map((column) => ({ source, column })),
    )
  const [ours, theirs] = [numbers(left), numbers(right)]
  const sources = [...left.sources, ...right.sources]
  if (w.isBold()) return condition(w, { ...(place as Omit<Place, 'sources'>), sources }, 1)
  if (ours.length === 0 || theirs.length === 0) return 'true'
  return `${w.refer(w.dice.of(ours), sources)} = ${w.refer(w.dice.of(theirs), sources)}`
}

function using(w: Writing, left: From, right: From): From | undefined {
  const has = ({ sources }: From, name: string) =>
    sources.filter(({ columns }) => columns.some((column) => column.name === name)).length === 1
  const candidates = w.isBold() ? ['id', 'n', 'email', 'title', 'body'] : ['id', 'n']
  const shared = candidates.filter((name) => has(left, name) && has(right, name))
  if (shared.length === 0) return undefined
  const [name] = w.dice.shuffled(shared)
  w.note('USING')
  return { text: `${left.text} JOIN ${right.text} USING (${name})`, sources: [...left.sources, ...right.sources] }
}

type Item = From & { readonly isLateral?: boolean }

function randomItem(w: Writing, place: Surroundings, left: readonly Source[]): Item {
  return w.dice.weighted<Item>([
    [10, () => ofTable(w, pickTable(w))],
    [place.named.length > 0 ? 8 : 0, () => ofNamed(w, w.dice.of(place.named))],
    [place.depth > 0 ? 3 : 0, () => ofSelect(w, place, left)],
    [1, () => ofFunction(w)],
  ])
}

function pickTable(w: Writing): Table {
  return w.dice.weighted(
    [...TABLES, UNDECLARED].map((table) => [table.name === 'person' ? 4 : 2, () => table] as const),
  )
}

function ofTable(w: Writing, table: Table): Item {
  const isQualified = table.name === 'post' || w.dice.chance(0.4)
  const name = w.spell(table.name)
  const text = isQualified ? `${w.spell(table.schema)}.${name}` : name
  const only = w.dice.chance(0.05) ? 'ONLY ' : ''
  const { columns } = table
  if (w.dice.chance(0.25)) return { text: only + text, sources: [{ alias: table.name, columns }] }
  return aliased(w, only + text, columns)
}

function ofNamed(w: Writing, { alias, columns }: Source): Item {
  if (w.dice.chance(0.4)) return { text: w.spell(alias), sources: [{ alias, columns }] }
  return aliased(w, w.spell(alias), columns)
}

function ofSelect(w: Writing, place: Surroundings, left: readonly Source[]): Item {
  const isLateral = left.length > 0 && w.dice.chance(0.4)
  w.note(isLateral ? 'LATERAL' : 'a derived table')
  const inside: Select = randomSelect(w, {
    ...place,
    around: isLateral ? [...place.around, ...left] : place.around,
    depth: place.depth - 1,
  })
  return { ...aliased(w, `${isLateral ? 'LATERAL ' : ''}(${inside.text})`, inside.columns), isLateral }
}

function ofFunction(w: Writing): Item {
  const alias = w.name()
  const column: TableColumn = { name: 'g', kind: 'int' }
  const text = `generate_series(1, 2) AS ${w.spell(alias)}(g)`
  return { text, sources: [{ alias, columns: [column] }] }
}

function aliased(w: Writing, text: string, columns: readonly TableColumn[]): Item {
  const alias = w.name()
  const as = w.dice.of([' AS ', ' '])
  const renames = columns.length > 0 && w.dice.chance(w.boldness > 0 ? 0.15 : 0.05)
  if (!renames) return { text: `${text}${as}${w.spell(alias)}`, sources: [{ alias, columns }] }
  w.note('renamed columns')
  const first = { ...columns[0]!, name: w.name() }
  return {
    text: `${text} AS ${w.spell(alias)} (${w.spell(first.name)})`,
    sources: [{ alias, columns: [first, ...columns.slice(1)] }],
  }
}
