import { inTurns } from '../cipher/turns.js'

/*
 * ORMs write many rows as one INSERT with a list of rows, each a list of parameters, DEFAULT or NULL. Such a text is as long
 * as the rows are many, while what it means is said by its beginning, its end and one row of each pattern.
 */

/** A row of VALUES: what it consists of, and the numbers of its parameters in order. */
interface ShapedRow {
  readonly pattern: number
  readonly params: readonly number[]
}

export interface InsertShape {
  /** The statement with one row of each pattern, and its own numbers of parameters: 1, 2, 3 … */
  readonly text: string
  /** How many parameters each pattern has. */
  readonly patterns: readonly number[]
  readonly rows: readonly ShapedRow[]
}

/** Fewer characters are read by the parser at once. */
const SHORT = 4_000
const MOST_PATTERNS = 64
const BEGIN = /^\s*INSERT\s+INTO\s+(?:"(?:[^"]|"")*"|[\w.])+\s*\((?:\s*"(?:[^"]|"")*"\s*,?)+\)\s*VALUES\s*/iy
const ROW = /\((?:\$\d+|DEFAULT|NULL)(?:\s*,\s*(?:\$\d+|DEFAULT|NULL))*\)/y
const NEXT = /\s*,\s*/y
const ROWS_AT_ONCE = 256

/**
 * The shape of a long INSERT; `undefined` for any other statement. What is before the rows has no parameter, string or
 * comment, so that the rows cannot be inside of one.
 */
export function insertShape(text: string): Promise<InsertShape | undefined> | undefined {
  return text.length < SHORT ? undefined : shapeOfLong(text)
}

async function shapeOfLong(text: string): Promise<InsertShape | undefined> {
  const begin = matchAt(BEGIN, text, 0)
  if (!begin || begin[0].includes('$') || begin[0].includes('--') || begin[0].includes('/*')) return undefined
  const found = await rowsFrom(text, begin[0].length)
  if (!found) return undefined
  const end = text.slice(found.end)
  if (end.includes('$') || /^\s*,/.test(end)) return undefined
  const { patterns, rows } = found
  const texts = [...patterns.keys()]
  const numbers = Array.from({ length: countParameters(texts.join()) }, (_, position) => `$${position + 1}`)
  const shown = texts.map((pattern) => `(${pattern.replaceAll('$', () => numbers.shift()!)})`)
  return { text: `${begin[0]}${shown.join(', ')}${end}`, patterns: texts.map(countParameters), rows }
}

interface FoundRows {
  readonly patterns: ReadonlyMap<string, LikeRow>
  readonly rows: readonly ShapedRow[]
  readonly end: number
}

async function rowsFrom(text: string, start: number): Promise<FoundRows | undefined> {
  const patterns = new Map<string, LikeRow>()
  const rows: ShapedRow[] = []
  let at = start
  let isDone = false
  let like: LikeRow | undefined
  const readRow = (): boolean => {
    const repeated = like && endOfMatch(like.row, text, at)
    const end = repeated ?? endOfMatch(ROW, text, at)
    if (end === undefined) return false
    if (repeated === undefined) like = likeRow(text.slice(at + 1, end - 1), patterns)
    rows.push({ pattern: like!.pattern, params: numbersIn(text, at, end) })
    const next = endOfMatch(NEXT, text, end)
    isDone = next === undefined
    at = next ?? end
    return patterns.size <= MOST_PATTERNS && !isDone
  }
  await inTurns(text.length, ROWS_AT_ONCE, () => {
    for (let count = 0; count < ROWS_AT_ONCE; count += 1) if (!readRow()) return false
    return true
  })
  return isDone && patterns.size <= MOST_PATTERNS ? { patterns, rows, end: at } : undefined
}

/** A row of a pattern, and what reads others of the same pattern. */
interface LikeRow {
  readonly pattern: number
  readonly row: RegExp
}

function likeRow(row: string, patterns: Map<string, LikeRow>): LikeRow {
  const pattern = row.replace(/\$\d+/g, '$').replace(/\s+/g, '').toUpperCase()
  const known = patterns.get(pattern)
  if (known) return known
  const items = pattern.split(',').map((item) => (item === '$' ? '\\$\\d+' : item))
  const like = { pattern: patterns.size, row: new RegExp(`\\(${items.join('\\s*,\\s*')}\\)`, 'y') }
  patterns.set(pattern, like)
  return like
}

const [DOLLAR, ZERO, NINE] = ['$', '0', '9'].map((character) => character.charCodeAt(0)) as [number, number, number]

/** The numbers of the parameters in a part of a text; matches of so many would keep the garbage collector busy. */
function numbersIn(text: string, from: number, to: number): number[] {
  const numbers: number[] = []
  for (let at = from; at < to; at += 1) {
    if (text.charCodeAt(at) !== DOLLAR) continue
    let number = 0
    for (let digit = text.charCodeAt(at + 1); digit >= ZERO && digit <= NINE; digit = text.charCodeAt(at + 1)) {
      number = number * 10 + digit - ZERO
      at += 1
    }
    numbers.push(number)
  }
  return numbers
}

function endOfMatch(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : undefined
}

function countParameters(pattern: string): number {
  return pattern.split('$').length - 1
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}
