import { checkedValue } from '../cipher/cipher.js'
import { normalized } from '../cipher/indexText.js'
import { headOf, PREFIX } from '../crypto/ciphertext.js'
import { textForm } from '../crypto/textForm.js'
import { FieldsealError } from '../errors.js'
import type { FieldPlan, IndexPlan, TextIndexPlan } from '../plan/plan.js'

/*
 * What a search looks for in fields of which some rows are plaintext and have no blind index: `migrating` and `ejecting`.
 */

/** What no column holds: neither a ciphertext nor plaintext, which cannot begin so. */
export const UNSTORABLE = { String: `${PREFIX}!`, Bytes: Buffer.from(`${PREFIX}!`), Json: `${PREFIX}!` }

/**
 * The forms in which a value that is searched for may stand in plaintext: as it was written once, or normalised. A value
 * that looks like a ciphertext must not find one.
 *
 * @throws FieldsealError `VALUE_INVALID`
 */
export function plaintextForms(field: FieldPlan, index: IndexPlan, value: unknown): unknown[] {
  const forms = field.kind === 'String' ? new Set([value, normalized(index, value)]) : [value]
  return [...forms].map((form) =>
    headOf(form) === null ? checkedValue(field, () => textForm(field, form), 'searched for') : UNSTORABLE[field.column],
  )
}

/** Whether plaintext can be searched for as the tokens of a text index are: it stands in its column as that takes it apart. */
export function isStoredAsIndexed({ normalize, sources }: TextIndexPlan): boolean {
  return normalize.length === 0 && sources[0]!.column === 'String'
}

/** Of these one value may stand in a text column in several forms: 1.5 and 1.50. */
const MANY_FORMS: ReadonlySet<FieldPlan['kind']> = new Set(['Float', 'Decimal', 'DateTime'])

/** @throws FieldsealError `QUERY_UNSUPPORTED` */
export function refuseManyForms({ name, kind, column, state }: FieldPlan): void {
  if (state !== 'migrating' || kind === column || !MANY_FORMS.has(kind)) return
  const message =
    `${name} is migrating, and one ${kind} may stand in plaintext in several forms, which no filter finds all: ` +
    'compare after reading, or encrypt all rows and take the mark off first'
  throw new FieldsealError('QUERY_UNSUPPORTED', message)
}
