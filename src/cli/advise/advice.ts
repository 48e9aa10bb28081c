import type { Skew } from '../../leakage/groups.js'

/** What somebody with a stolen copy of the database would find out, index by index; `--json` prints it. */
export interface Advice {
  /** `Model.field`. */
  readonly field: string
  /** What it holds: `String`, `Int`, … */
  readonly type: string
  readonly rows: AdviceRows
  /** Whose rows were attacked. */
  readonly tenant: { readonly id: string; readonly rows: number }
  /** How many tenants have values. */
  readonly tenants: number
  /** Values that the attacker was given, and values that he attacked. */
  readonly sample: { readonly known: number; readonly attacked: number; readonly everyones: number | null }
  /** Of the values that were attacked, normalised. */
  readonly values: Skew
  /** What counts as guessed nearly. */
  readonly near: Near
  readonly indexes: readonly IndexFigures[]
  readonly recommendations: readonly Recommendation[]
}

export interface AdviceRows {
  readonly all: number
  readonly null: number
  readonly plaintext: number
  /** Under keys that are destroyed or unknown, or not to be decrypted. */
  readonly unreadable: number
}

/** `distance` in milliseconds; `part`: a word, or the first letters. */
export type Near =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'distance'; readonly distance: number }
  | { readonly kind: 'part' }

/** `none`: the guess that needs no index. `order`: what keeps the order, for comparison; fieldseal has none. */
export type IndexKind = 'none' | 'blind' | 'range' | 'text' | 'order'

export interface IndexFigures {
  readonly index: IndexKind
  readonly options: IndexOptions
  /** Tokens that a row has: the median. */
  readonly tokens: number | null
  /** Rows that are seen to share a value, a word or a beginning: those of the largest group. */
  readonly largest: number | null
  /** The share of rows whose value is guessed. */
  readonly exactly: number
  /** The share of rows whose value is guessed nearly. */
  readonly nearly: number | null
}

/** As in the annotation; what is left out is at its default. */
export interface IndexOptions {
  readonly bits?: number
  readonly scope?: 'global'
  readonly min?: string
  readonly max?: string
  readonly step?: string
  readonly scale?: number
  readonly sparsity?: number
  readonly prefix?: readonly [number, number]
  readonly words?: true
}

/** `use`: it gives away little. `weigh`: it gives away something. `avoid`: much. */
export type Verdict = 'use' | 'weigh' | 'avoid'

export interface Recommendation {
  readonly index: IndexKind
  readonly verdict: Verdict
  /** What to write, if it is wanted. */
  readonly annotation: string | null
  readonly why: string
}
