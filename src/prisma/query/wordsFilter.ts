import { checkArguments, TEXT } from '../../callArguments.js'
import { answers } from '../../cipher/textQuery.js'
import type { ClientContext } from '../../client/clientContext.js'
import { planOf } from '../../client/raw/rawCall.js'
import { FieldsealError } from '../../errors.js'
import { splitFieldName } from '../../fieldName.js'

/** `{ name: { words: 'ada love*' } }` for `Patient.name`. */
export type WordsFilter<Field extends string> = Field extends `${string}.${infer Name}`
  ? { readonly [name in Name]: { readonly words: string } }
  : never

/** What `$encryption` offers for searches that Prisma has no operator for. */
export interface WordSearch {
  /**
   * A condition for `where` that finds rows whose text has all of some words, in any order: `ada love*` asks for the word
   * "ada" and a word that begins with "love". Text and words are normalised as the text index of the field says.
   *
   * @param field `Model.field`, an encrypted field with a text index that has `words` or `wordPrefix`
   * @throws FieldsealError `OPTIONS_INVALID` for a field that has none; what the words are is checked when they are sent
   *
   * @example
   * ```ts
   * const { words } = acme.$encryption
   * const found = await acme.patient.findMany({ where: { city: 'London', ...words('Patient.name', 'ada love*') } })
   * ```
   */
  words<Field extends `${string}.${string}`>(field: Field, words: string): WordsFilter<Field>
}

/** As `$encryption.words`. */
export function wordsFilter<Field extends string>(
  context: ClientContext,
  name: Field,
  words: string,
): WordsFilter<Field> {
  checkArguments('words', { field: name, words }, { field: TEXT, words: TEXT })
  const [model, field] = splitFieldName(name)
  const found = planOf(context, model).encrypted.find((candidate) => candidate.field === field)
  if (!found?.tokenIndexes.some((index) => index.kind === 'text' && answers(index, 'words'))) throw noWords(name)
  return { [field]: { words } } as WordsFilter<Field>
}

function noWords(name: string): FieldsealError {
  const message = `${name} is no encrypted field with a text index that has words: write @textIndex(…, words: true)`
  return new FieldsealError('OPTIONS_INVALID', message)
}
