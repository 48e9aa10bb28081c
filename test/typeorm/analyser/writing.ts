import type { Dice } from '../../differential/dice.js'
import { NUMBERS, TEXTS } from './rows.js'
import type { Kind, TableColumn } from './tables.js'

/** What a name in SQL can mean, where it stands. */
export interface Source {
  readonly alias: string
  readonly columns: readonly TableColumn[]
}

export interface Reference {
  readonly source: Source
  readonly column: TableColumn
}

/** A statement while it is made up. */
export class Writing {
  readonly dice: Dice
  readonly values: unknown[] = []
  readonly #kinds: Kind[] = []
  /** What of the grammar is in it. */
  readonly features = new Set<string>()
  /** How often an encrypted column is used as no encrypted column may be. */
  readonly boldness: number
  #names = 0

  constructor(dice: Dice) {
    this.dice = dice
    this.boldness = dice.of([0, 0, 0.04, 0.25])
  }

  isBold(): boolean {
    return this.boldness > 0 && this.dice.chance(this.boldness)
  }

  note(feature: string): void {
    this.features.add(feature)
  }

  /** A parameter with this value; sometimes one that is there already, where PostgreSQL takes it for the same type. */
  param(value: unknown, kind: Kind): string {
    const there = this.values.findIndex((each, at) => each === value && this.#kinds[at] === kind)
    if (there >= 0 && this.dice.chance(0.3)) return `$${there + 1}`
    this.values.push(value)
    this.#kinds.push(kind)
    return `$${this.values.length}`
  }

  valueOf(kind: Kind): string | number | object {
    if (kind === 'json') return { z: this.dice.int(0, 3) }
    return this.dice.of<string | number>(kind === 'int' ? NUMBERS : TEXTS)
  }

  literal(kind: Kind): string {
    const value = this.valueOf(kind)
    if (typeof value === 'number') return value < 0 ? `(${value})` : String(value)
    return `'${String(typeof value === 'object' ? JSON.stringify(value) : value).replaceAll("'", "''")}'`
  }

  /** A name that nothing else has, or in bold statements one that others have too. */
  name(): string {
    this.#names += 1
    if (this.isBold()) return this.dice.of(['email', 'name', 'person', 'id', 'title', 'nickName', 'post'])
    return this.dice.of([`x${this.#names}`, `X${this.#names}`, `a b${this.#names}`])
  }

  /** A name as it can be written. */
  spell(name: string): string {
    const quoted = `"${name.replaceAll('"', '""')}"`
    if (!/^[a-z_][a-z0-9_]*$/.test(name) || RESERVED.has(name)) return quoted
    return this.dice.weighted([
      [8, () => name],
      [3, () => quoted],
      [1, () => name.toUpperCase()],
    ])
  }

  refer({ source, column }: Reference, among: readonly Source[]): string {
    const isUnique = among.filter(({ columns }) => columns.some(({ name }) => name === column.name)).length === 1
    const isAlias = among.some(({ alias }) => alias === column.name)
    if (isUnique && (!isAlias || this.isBold()) && this.dice.chance(0.4)) return this.spell(column.name)
    const dot = this.dice.chance(0.03) ? ' . ' : '.'
    return `${this.spell(source.alias)}${dot}${this.spell(column.name)}`
  }
}

const RESERVED = new Set(['user', 'table', 'order', 'left', 'right'])

/** All columns that can be named. */
export function referencesIn(sources: readonly Source[]): Reference[] {
  return sources.flatMap((source) => source.columns.map((column) => ({ source, column })))
}
