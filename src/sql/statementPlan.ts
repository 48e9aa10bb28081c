import type { RangeOperator } from '../cipher/rangeQuery.js'
import type { ColumnIndex } from '../plan/columnIndex.js'
import type { FieldPlan, IndexPlan, ModelPlan, TokenIndexPlan } from '../plan/plan.js'

/** Where a value comes from: a parameter by its number, or what is written in the statement. */
export type ValueSource = { readonly param: number } | { readonly constant: string | number | null }

/** The row that is written, or the rows that a condition finds. */
export interface StatementRow {
  readonly plan: ModelPlan
  /** What the statement gives its columns, by their names in the model. */
  readonly written: ReadonlyMap<string, ValueSource>
  /** What its conditions say that columns hold. */
  readonly stored: ReadonlyMap<string, ValueSource>
}

/** What becomes of a parameter, or what stands in its place. */
export type ParameterUse =
  | { readonly kind: 'plain'; readonly param: number }
  /** Whether a value is NULL is asked: it is answered without sending the value. */
  | { readonly kind: 'presence'; readonly param: number }
  /** A value that is stored. */
  | { readonly kind: 'value'; readonly field: FieldPlan; readonly value: ValueSource; readonly row: StatementRow }
  /** An index that is stored with it. */
  | {
      readonly kind: 'index'
      readonly index: IndexPlan
      /** `undefined` where a source is left out. */
      readonly values: readonly (ValueSource | undefined)[]
      readonly row: StatementRow
      /** What is left out has another value then. */
      readonly isUpdate: boolean
    }
  /** The tokens that are stored with it. */
  | {
      readonly kind: 'tokens'
      readonly index: TokenIndexPlan
      /** Of its one source; `undefined` where that is left out. */
      readonly values: readonly (ValueSource | undefined)[]
      readonly row: StatementRow
    }
  /** An index to look for. */
  | IndexSearch
  /** A condition that is answered by tokens. */
  | { readonly kind: 'token search'; readonly search: TokenSearch }
  /** The forms that the values of a search may have where they are plaintext. */
  | {
      readonly kind: 'plaintext'
      readonly field: FieldPlan
      readonly index: IndexPlan
      readonly values: readonly ValueSource[]
      readonly each: boolean
    }

export interface IndexSearch {
  readonly kind: 'search'
  readonly index: IndexPlan
  readonly values: readonly ValueSource[]
  /**
   * How the column is compared: with one value, which the operator belongs to; with values in a list, of which this is one;
   * with every element of the one value, a list.
   */
  readonly compared: '=' | '<>' | 'in list' | 'each'
  readonly row: StatementRow
}

/** An index that is stored with its sources, whose values these are. */
export function indexUse(
  index: ColumnIndex,
  values: readonly (ValueSource | undefined)[],
  row: StatementRow,
  isUpdate: boolean,
): ParameterUse {
  if ('kind' in index) return { kind: 'tokens', index, values, row }
  return { kind: 'index', index, values, row, isUpdate }
}

/** What is asked of tokens. */
export type TokenAsk =
  /** All of these, joined by AND. */
  | {
      readonly kind: 'range'
      readonly bounds: readonly { readonly operator: RangeOperator; readonly value: ValueSource }[]
    }
  | { readonly kind: 'like'; readonly foldsCase: boolean; readonly value: ValueSource }
  | { readonly kind: 'words'; readonly value: ValueSource }

/**
 * A condition that is answered by the tokens of an encrypted column. Which index answers it, and whether it finds other
 * values too, depends on the values that are given.
 */
export interface TokenSearch {
  readonly field: FieldPlan
  readonly ask: TokenAsk
  readonly isNegated: boolean
  /** The columns of its token indexes as they are called where the condition stands. */
  readonly columns: ReadonlyMap<TokenIndexPlan, string>
  /** The encrypted column itself. */
  readonly own: string
  /** What the condition counts as where the value is NULL. */
  readonly unknown: 'false' | 'true' | 'unknown'
  /** Why other values that are found cannot be taken out again; `undefined` where they can. */
  readonly inexact: string | undefined
  readonly row: StatementRow
}

/** Where a row of VALUES begins, and where the last one ends. */
export type RowMark = { readonly kind: 'row begins' } | { readonly kind: 'rows end' }

/** A part of a statement: its own text, or the number of a parameter. */
export type Piece = string | ParameterUse | RowMark

/** Whether a part of a statement is a value of an encrypted column, or made of one. */
export function isSecret(piece: Piece): piece is ParameterUse {
  return isUse(piece) && piece.kind !== 'plain' && piece.kind !== 'presence'
}

/** The numbers of the parameters that a use takes. */
export function paramsOfUse(use: ParameterUse): number[] {
  if (use.kind === 'plain' || use.kind === 'presence') return [use.param]
  return sourcesOfUse(use).flatMap((source) => (source && 'param' in source ? source.param : []))
}

function sourcesOfUse(
  use: Exclude<ParameterUse, { readonly kind: 'plain' | 'presence' }>,
): readonly (ValueSource | undefined)[] {
  if (use.kind === 'value') return [use.value]
  return use.kind === 'token search' ? valuesAsked(use.search.ask) : use.values
}

/** The values that a condition compares with, in their order. */
export function valuesAsked(ask: TokenAsk): ValueSource[] {
  return ask.kind === 'range' ? ask.bounds.map(({ value }) => value) : [ask.value]
}

export function isUse(piece: Piece): piece is ParameterUse {
  return typeof piece === 'object' && piece.kind !== 'row begins' && piece.kind !== 'rows end'
}

/** Columns of results that come from one table of the statement. */
export interface OutputRow {
  readonly plan: ModelPlan
  readonly fields: readonly { readonly name: string; readonly field: FieldPlan }[]
  readonly indexes: readonly { readonly name: string; readonly index: ColumnIndex }[]
  /** The tenant's and the bound columns, as far as they are among the results. */
  readonly known: readonly { readonly name: string; readonly field: string }[]
}

/** A search by a short index: its results are compared again when they are decrypted. */
export interface OutputCheck {
  readonly index: IndexPlan
  readonly values: readonly ValueSource[]
  readonly each: boolean
  /** The results that hold the index's sources. */
  readonly names: readonly string[]
}

/** A search by tokens, whose results are compared again where it finds other values too. */
export interface TokenCheck {
  readonly search: TokenSearch
  /** The result that holds the value. */
  readonly name: string
}

/** An update must leave a column that ciphertexts are bound to as it is. */
export interface UnchangedColumn {
  readonly plan: ModelPlan
  readonly column: string
  readonly written: ValueSource | undefined
  readonly stored: ValueSource | undefined
}

export type StatementKind = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'

/** What a statement means, found once for its text. */
export interface StatementPlan {
  readonly kind: StatementKind
  readonly pieces: readonly Piece[]
  readonly outputs: readonly OutputRow[]
  /** Results that were added, to be taken out again. */
  readonly hidden: readonly string[]
  readonly checks: readonly OutputCheck[]
  readonly tokenChecks: readonly TokenCheck[]
  /** All rows whose tenant the statement names. */
  readonly rows: readonly StatementRow[]
  readonly unchanged: readonly UnchangedColumn[]
  /** The table of which ON CONFLICT divides by zero rather than give another tenant's row to the one that writes. */
  readonly keepsOwners: string | undefined
  /** Indexes that are read as they are. */
  readonly indexesRead: readonly { readonly model: string; readonly index: ColumnIndex }[]
}
