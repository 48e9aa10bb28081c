import { FieldsealError } from './errors.js'

type Because = { readonly cause: unknown }

/**
 * Makes the errors of options that cannot work.
 *
 * @param whose begins each message: the function, or the part of its options
 * @param end ends it
 */
export function invalidOptions(whose: string, end = ''): (what: string, because?: Because) => FieldsealError {
  return (what, because) => new FieldsealError('OPTIONS_INVALID', `${whose} ${what}${end}`, because)
}

/** The same of one option each time. */
export function invalidOptionOf(whose: string): (option: string, why: string) => FieldsealError {
  return (option, why) => new FieldsealError('OPTIONS_INVALID', `The option "${option}" of ${whose} ${why}.`)
}
