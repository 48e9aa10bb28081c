import { FieldsealError } from '../errors.js'
import type { ColumnIndex } from '../plan/columnIndex.js'
import type { FieldPlan, IndexPlan } from '../plan/plan.js'
import { isRangeKind } from '../schema/rangeBounds.js'

/*
 * What statements are refused for, and what to do instead.
 */

export function unsupported(message: string): FieldsealError {
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}

/** A use of an encrypted column that has no right answer. */
export function refusedUse({ name }: FieldPlan, use: string, instead: string): FieldsealError {
  return unsupported(`${name} is encrypted, so ${use} has no right answer on it; ${instead}`)
}

/** An expression that computes with an encrypted column. */
export function refusedExpression(field: FieldPlan): FieldsealError {
  return refusedUse(field, 'an expression', 'select the column itself and compute in your code')
}

/** A clause that sorts or groups rows, or tells them apart. */
export function refusedPlace(field: FieldPlan, clause: string): FieldsealError {
  return refusedUse(field, clause, 'order, group or compare the rows after reading them, or use a plain column')
}

/** A function of an encrypted column: `max(email)`. */
export function refusedCall(field: FieldPlan, call: string): FieldsealError {
  const instead = 'select the column itself and compute in your code; count(column) and IS NULL are answered'
  return refusedUse(field, call, instead)
}

/** A comparison that no blind index answers. */
export function refusedComparison(field: FieldPlan, operator: string): FieldsealError {
  const tokens = tokenIndexFor(field, operator)
  if (tokens !== undefined)
    return unsupported(
      `${field.name} is encrypted, so "${operator}" needs a ${tokens} index of it: add one, or compare after reading`,
    )
  const single = field.indexes.some(({ sources }) => sources.length === 1)
  const combined = field.indexes.find(({ sources }) => sources.length > 1)
  if (single) {
    const instead =
      'its blind index finds equal values only: use =, <>, IN, NOT IN, = ANY or <> ALL with parameters, or compare after reading'
    return refusedUse(field, `"${operator}"`, instead)
  }
  const instead = combined
    ? `search by ${listed(combined)} together, each by = with one parameter, joined by AND`
    : `${field.tokenIndexes.length > 0 ? '' : 'only IS NULL can be asked of it: '}add a blind index, or filter by other columns and compare after reading`
  return unsupported(`${field.name} is encrypted, so "${operator}" needs a blind index; ${instead}`)
}

const ORDERS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', 'BETWEEN', 'NOT BETWEEN'])
const PATTERNS: ReadonlySet<string> = new Set(['LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE'])

/** The kind of index of tokens that could answer an operator. */
function tokenIndexFor({ kind, list }: FieldPlan, operator: string): 'range' | 'text' | undefined {
  if (list) return undefined
  if (ORDERS.has(operator) && isRangeKind(kind)) return 'range'
  return PATTERNS.has(operator) && kind === 'String' ? 'text' : undefined
}

/** A condition that the tokens of a column do not answer. */
export function refusedTokens({ name }: FieldPlan, operator: string, why: string): FieldsealError {
  return unsupported(`${name} is encrypted, and "${operator}" is answered by its tokens; ${why}`)
}

/** A search by tokens that finds other values too, where these cannot be taken out again. */
export function otherValues({ name, state }: FieldPlan, index: ColumnIndex, use: string): FieldsealError {
  const why =
    state === undefined
      ? 'with this value finds others too'
      : `finds only some rows while ${name} is ${state}, so that the others are looked at, too`
  return unsupported(
    `${name} is searched through ${index.name}, which ${why}; these are taken out after decryption, which is not possible with ${use}: ` +
      'use a SELECT of the column, with the condition beside others joined by AND, without LIMIT, OFFSET, DISTINCT, GROUP BY and functions, or ' +
      'ask for what the index knows exactly',
  )
}

/** A comparison with something else than parameters. */
export function refusedOperand(
  { name }: FieldPlan,
  operator: string,
  cast: string | undefined,
  isList: boolean,
): FieldsealError {
  if (cast !== undefined) {
    const list = isList ? '[]' : ''
    return unsupported(
      `${name} is encrypted, and what "${operator}" compares it with is found by its index, for which a cast to ${cast} has no ` +
        `meaning: write the parameter alone ($1) or as $1::text${list}, and give ${isList ? 'an array of values' : 'the value'} as ${name} holds ${isList ? 'them' : 'it'}`,
    )
  }
  return unsupported(
    `${name} is encrypted, so "${operator}" compares it with parameters only: give the value as a parameter, not as a literal, ` +
      'an expression or another column',
  )
}

/** A value that is computed in SQL. */
export function refusedValue({ name }: FieldPlan, cast?: string): FieldsealError {
  if (cast !== undefined)
    return unsupported(
      `${name} is encrypted, so a cast of its value to ${cast} has no meaning: write the parameter alone ($1) or as $1::text, and give ` +
        `the value as ${name} holds it`,
    )
  return unsupported(
    `${name} is encrypted, so an SQL expression cannot be its value: give the value as a parameter, NULL or DEFAULT`,
  )
}

/** The tenant of a row that an SQL expression makes. */
export function refusedTenant(table: string, column: string): FieldsealError {
  return unsupported(`"${table}"."${column}" tells whose the row is: give it as a parameter, or leave it out`)
}

/** @param secret the name of an encrypted column in it */
export function refusedRow(alias: string, secret: string | undefined): FieldsealError {
  return unsupported(
    `the whole row "${alias}" holds ${secret}, which is encrypted, so nothing can be made of it in SQL: select its columns one by one`,
  )
}

export function refusedIndexWrite(index: ColumnIndex): FieldsealError {
  const kind = 'kind' in index ? index.kind : 'blind'
  return unsupported(`${index.name} is a ${kind} index, which is filled with its column: leave it out`)
}

/** A search through an index so short that other values match too, where these cannot be taken out again. */
export function falsePositives(index: IndexPlan, use: string): FieldsealError {
  return unsupported(
    `${listed(index)} is searched through ${index.name}, which has ${index.bits} bits and so finds other values too; they are ` +
      `taken out after decryption, which is not possible with ${use}: use a SELECT with = or IN, beside other conditions joined by ` +
      'AND, without LIMIT, OFFSET, DISTINCT, GROUP BY and functions, or an index of 128 bits',
  )
}

/** A negated search through an index over columns that may be null. */
export function notNegated(index: IndexPlan): FieldsealError {
  return unsupported(
    `${listed(index)} are searched through ${index.name}, which is null where one of them is, so it cannot tell the rows that ` +
      'NOT asks for; give each an index of its own, or compare after reading',
  )
}

/** A search where the index does not stand beside the column. */
export function indexNotGiven({ name }: FieldPlan, index: ColumnIndex, alias: string): FieldsealError {
  return unsupported(
    `${name} is searched through ${index.name}, which "${alias}" does not give: search in the table itself, or have the view ` +
      'or subquery give the column of the index too',
  )
}

export function partialIndex(index: ColumnIndex, missing: readonly FieldPlan[]): FieldsealError {
  const fields = missing.map(({ field }) => field).join(' and ')
  return unsupported(
    `${index.name} is a blind index over ${listed(index)}: this statement must give ${fields} too; an ORM's save may leave out what did not change, so write all of them by an UPDATE`,
  )
}

export function listed({ sources }: ColumnIndex): string {
  return sources.map(({ name }) => name).join(' and ')
}
