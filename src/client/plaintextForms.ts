import { checkedValue } from '../cipher/cipher.js'
import { normalized } from '../cipher/indexText.js'
import { headOf, PREFIX } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import { FieldsealError } from '../errors.js'
import type { FormerSearch } from '../formerFormats/formerFormat.js'
import type { FieldPlan, IndexPlan, TextIndexPlan } from '../plan/plan.js'

/*
 * What a search looks for in fields of which some rows are plaintext and have no blind index: `migrating` and `ejecting`.
 */

/** What no column holds: neither a ciphertext nor plaintext, which cannot begin so. */
export const UNSTORABLE = { String: `${PREFIX}!`, Bytes: Buffer.from(`${PREFIX}!`), Json: `${PREFIX}!` }

/**
 * The forms in which a value that is searched for may stand in plaintext: as it was written once, or normalised. A value
 * that looks like a ciphertext must not find one. Where another library has made the same of equal values, these.
 *
 * @throws FieldsealError `VALUE_INVALID`
 */
export function plaintextForms(field: FieldPlan, index: IndexPlan, value: unknown): unknown[] {
  const { former, column } = field
  const forms = plainForms(field, index, value)
  if (former?.prefix === undefined && former?.search) return formsOf(former.search, forms)
  return forms.map((form) => (headOf(form) === null ? form : UNSTORABLE[column]))
}

/**
 * What another library's hash of a value that is searched for may be, by the same forms.
 *
 * @throws FieldsealError `VALUE_INVALID`
 */
export function formerHashes(field: FieldPlan, index: IndexPlan, value: unknown): unknown[] {
  return formsOf(field.former!.search!, plainForms(field, index, value))
}

function plainForms(field: FieldPlan, index: IndexPlan, value: unknown): unknown[] {
  const forms = field.kind === 'String' ? new Set([value, normalized(index, value)]) : [value]
  return [...forms].map((form) =>
    headOf(form) === null ? checkedValue(field, () => textForm(field, form), 'searched for') : form,
  )
}

function formsOf({ formOf }: FormerSearch, forms: readonly unknown[]): unknown[] {
  return [...new Set(forms.map((form) => formOf(form as string)))]
}

/** Whether plaintext can be searched for as the tokens of a text index are: it stands in its column as that takes it apart. */
export function isStoredAsIndexed({ normalize, sources }: TextIndexPlan): boolean {
  const { column, former } = sources[0]!
  return normalize.length === 0 && column === 'String' && former === undefined
}

/** Of these one value may stand in a text column in several forms: 1.5 and 1.50. */
const MANY_FORMS: ReadonlySet<FieldPlan['kind']> = new Set(['Float', 'Decimal', 'DateTime'])

/**
 * Refuses a search by equality that would miss some of the rows which have no index yet.
 *
 * @param asksOtherFields whether the ORM's side can ask a column beside the field's own
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
export function refuseUnfindable(field: FieldPlan, asksOtherFields: boolean): void {
  refuseManyForms(field)
  const { name, former } = field
  if (!former || (former.search && (asksOtherFields || former.search.field === undefined))) return
  const message =
    `${name} is migrating from ${former.library}, and no filter finds what that has encrypted: compare after reading, or ` +
    'encrypt all rows and take the mark off first'
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}

function refuseManyForms({ name, kind, column, state }: FieldPlan): void {
  if (state !== 'migrating' || kind === column || !MANY_FORMS.has(kind)) return
  const message =
    `${name} is migrating, and one ${kind} may stand in plaintext in several forms, which no filter finds all: ` +
    'compare after reading, or encrypt all rows and take the mark off first'
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}
