import { type FindOperator, Raw } from 'typeorm'
import { WORDS_FUNCTION } from '../../sql/tokenCondition.js'
import { Seal } from './seal.js'

/**
 * A condition of `find` and `where` on an encrypted text with a `@TextIndex` of words: it has all of some words, in any
 * order. `ada love*` asks for the word "ada" and a word that begins with "love". In SQL it is written
 * `fieldseal_words(column, $1)`.
 *
 * @example
 * ```ts
 * const found = await dataSource.getRepository(User).findBy({ email: Words('ada love*') })
 * ```
 */
export function Words(words: string): FindOperator<string> {
  // Of each one its own, as several may be in one statement.
  const name = `words${nextNumber()}`
  return Raw((column) => `${WORDS_FUNCTION}(${column}, :${name})`, { [name]: new Seal(words) })
}

let made = 0

function nextNumber(): number {
  made += 1
  return made
}
