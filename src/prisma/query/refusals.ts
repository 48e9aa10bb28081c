import { isRangeOperator } from '../../cipher/rangeQuery.js'
import { answers, isTextOperator, type TextOperator } from '../../cipher/textQuery.js'
import { FieldsealError, quoted } from '../../errors.js'
import { own } from '../../own.js'
import type { FieldPlan, IndexPlan, TokenIndexPlan } from '../../plan/plan.js'
import { isRangeKind } from '../../schema/rangeBounds.js'

/** What to do where a use of an encrypted field has no right answer. */
const INSTEAD: { readonly [use: string]: string } = {
  orderBy: 'sort the rows after reading them, or keep a plain column to sort by',
  cursor: 'page by a column that is not encrypted, or by a field whose blind index is unique',
  distinct: 'remove duplicates after reading the rows, or give the field a blind index of 128 bits',
  groupBy: 'group the rows after reading them',
  having: 'filter the groups in your code',
  push: 'read the list and write it whole',
}

const EQUALITY = new Set(['equals', 'in', 'notIn', 'not'])

/** A use of an encrypted field that has no right answer. */
export function refusedUse(name: string, use: string): FieldsealError {
  const advice = own(INSTEAD, use) ?? 'compare after reading, or compute in your code'
  return unsupported(`${name} is encrypted, so "${use}" has no right answer on it; ${advice}`)
}

/** Rows of several tenants, told apart by an index that is another one for each. */
export function refusedDistinct({ name }: FieldPlan, tenant: string | undefined): FieldsealError {
  const instead = tenant === undefined ? '' : `name ${quoted(tenant)} in "distinct" or one in the "where", or `
  return unsupported(
    `${name} is encrypted, and equal values of two tenants have different indexes, so "distinct" across tenants has no right answer on it; ${instead}use $forTenant, or remove duplicates after reading the rows`,
  )
}

/** A filter on a field that no index answers. */
export function refusedFilter(field: FieldPlan, operator: string): FieldsealError {
  const combined = field.indexes.find(({ sources }) => sources.length > 1)
  const single = field.indexes.some(({ sources }) => sources.length === 1)
  if (EQUALITY.has(operator) && !single) {
    const advice = combined
      ? `search by ${listed(combined)} together, each by one value, beside each other in one object`
      : `${asked(field)}: add a column marked @blindIndex(${field.field}), or filter by other columns and compare after reading`
    return unsupported(`${field.name} is encrypted, so "${operator}" needs a blind index; ${advice}`)
  }
  const index = tokenIndexFor(field, operator)
  if (index !== undefined) {
    const advice = `add a column marked ${index}, which gives away more than a blind index, or compare after reading`
    return unsupported(`${field.name} is encrypted, and no index of it answers "${operator}"; ${advice}`)
  }
  const advice = single
    ? 'its blind index finds equal values only: use equals, in, notIn or not, or compare after reading'
    : `${asked(field)}: filter by other columns and compare after reading`
  return unsupported(`${field.name} is encrypted, so "${operator}" has no right answer on it; ${advice}`)
}

function asked({ tokenIndexes }: FieldPlan): string {
  return tokenIndexes.length === 0 ? 'only null can be asked of it' : 'its indexes do not answer that'
}

/** The annotation of an index that would answer an operator, as the operator needs it. */
function tokenIndexFor({ field, kind, list, tokenIndexes }: FieldPlan, operator: string): string | undefined {
  if (list) return undefined
  if (isRangeOperator(operator)) return isRangeKind(kind) ? `@rangeIndex(${field}, min: …, max: …)` : undefined
  if (kind !== 'String' || !isTextOperator(operator)) return undefined
  const isThere = tokenIndexes.some((index) => index.kind === 'text' && answers(index, operator))
  return `@textIndex(${field}, ${PARTS[operator]}${isThere ? ', normalize: [lowercase]' : ''})`
}

const PARTS: { readonly [operator in TextOperator]: string } = {
  startsWith: 'prefix: [2, 10]',
  endsWith: 'suffix: [2, 6]',
  contains: 'grams: 3',
  words: 'words: true',
}

/** A search through an index so short that other values match too, where these cannot be taken out again. */
export function falsePositives(index: IndexPlan, use: string): FieldsealError {
  const { name, bits } = index
  return unsupported(
    `${index.sources.map((field) => field.name).join(' and ')} is searched through ${name}, which has ${bits} bits and so finds other values too; they are taken out ` +
      `after decryption, which is not possible with ${use}: use findMany with equals or in, beside the other conditions, ` +
      'without take, skip, cursor and distinct, or an index of 128 bits',
  )
}

/** As `falsePositives`, through a token index. */
export function foundBesides({ name, sources }: TokenIndexPlan, what: string, use: string): FieldsealError {
  return unsupported(
    `${sources[0]!.name} is searched through ${name}, which for ${what} finds others too; they are taken out after ` +
      `decryption, which is not possible with ${use}: ${BESIDES}`,
  )
}

/** A search by tokens of a field of which some rows are plaintext, where rows cannot be looked at after decryption. */
export function superset({ name, state }: FieldPlan, use: string): FieldsealError {
  return unsupported(
    `${name} is ${state}, so that some rows have no tokens and are looked at after decryption, which is not possible ` +
      `with ${use}: ${BESIDES}, or take the mark off when all rows are done`,
  )
}

const BESIDES = 'use findMany, beside the other conditions, without take, skip, cursor and distinct'

/** A negated search through an index over fields that may be null. */
export function notNegated(index: IndexPlan): FieldsealError {
  const advice = 'give each field an index of its own, or compare after reading'
  return unsupported(
    `${listed(index)} are searched through ${index.name}, which is null where one of them is, so it cannot tell the rows ` +
      `that NOT, isNot and every ask for; ${advice}`,
  )
}

/** A unique `where` that relies on an encrypted field without a unique index. */
export function notUnique(field: FieldPlan): FieldsealError {
  const advice = 'use findFirst or findMany, or mark the column of its blind index @unique'
  return unsupported(`${field.name} is encrypted and has no unique blind index, so it names no one row; ${advice}`)
}

/** A unique `where` by a field of which some rows have no index yet. */
export function notUniqueYet(field: FieldPlan): FieldsealError {
  const advice = `use findFirst or updateMany and the like, or take the mark \`${field.state}\` off when it is done`
  return unsupported(`${field.name} is ${field.state}, so its unique index does not have every row; ${advice}`)
}

export function unsupported(message: string): FieldsealError {
  return new FieldsealError('QUERY_UNSUPPORTED', message)
}

function listed({ sources }: IndexPlan): string {
  return sources.map(({ field }) => field).join(' and ')
}
