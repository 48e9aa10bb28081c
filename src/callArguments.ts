import { types } from 'node:util'
import { FieldsealError } from './errors.js'

/** What an argument or option must be. */
export interface ArgumentKind {
  /** In words, after "must be". */
  readonly words: string
  readonly is: (value: unknown) => boolean
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null
const isRecord = (value: unknown): value is object => isObject(value) && !Array.isArray(value)
const isListOf = (is: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is)
const isText = (value: unknown) => typeof value === 'string'

export const TEXT: ArgumentKind = { words: 'a text', is: isText }
export const TEXTS: ArgumentKind = { words: 'a list of texts', is: isListOf(isText) }
export const TEXT_OR_TEXTS: ArgumentKind = { words: 'a text or a list of texts', is: (v) => isText(v) || TEXTS.is(v) }
export const TEXTS_BY_NAME: ArgumentKind = {
  words: 'an object of texts',
  is: (value) => isRecord(value) && Object.values(value).every(isText),
}
export const OBJECT: ArgumentKind = { words: 'an object', is: isRecord }
export const OBJECTS: ArgumentKind = { words: 'a list of objects', is: isListOf(isRecord) }
export const FUNCTION: ArgumentKind = { words: 'a function', is: (value) => typeof value === 'function' }
export const NUMBER: ArgumentKind = { words: 'a number', is: (value) => typeof value === 'number' }
export const BOOLEAN: ArgumentKind = { words: 'true or false', is: (value) => typeof value === 'boolean' }
export const DATE: ArgumentKind = {
  words: 'a valid Date',
  // Of any realm, as under Jest the caller's Date may be another one than ours.
  is: (value) => types.isDate(value) && !Number.isNaN(value.getTime()),
}
export const SIGNAL: ArgumentKind = {
  words: 'an AbortSignal',
  // By its tag, as under Jest the caller's class may be another one than ours: jsdom has its own.
  is: (value) => Object.prototype.toString.call(value) === '[object AbortSignal]',
}
export const POOL: ArgumentKind = {
  words: 'a Pool of the package pg',
  is: (value) => isObject(value) && 'query' in value && typeof value.query === 'function',
}

/** The kinds of arguments or options by their names. */
export type Kinds = { readonly [name: string]: ArgumentKind }

/**
 * Checks what a method of `$encryption` is given, which untyped code may call.
 *
 * @throws FieldsealError `OPTIONS_INVALID`, naming the argument
 */
export function checkArguments(method: string, given: { readonly [name: string]: unknown }, kinds: Kinds): void {
  for (const [name, { is, words }] of Object.entries(kinds)) {
    if (is(given[name])) continue
    throw new FieldsealError('OPTIONS_INVALID', `$encryption.${method}: "${name}" must be ${words}`)
  }
}

/** As `checkArguments`, of an object of options of which each may be left out. */
export function checkCallOptions(method: string, options: unknown, kinds: Kinds): void {
  if (!isRecord(options))
    throw new FieldsealError('OPTIONS_INVALID', `$encryption.${method}: the options must be an object`)
  const given = options as { readonly [name: string]: unknown }
  const named = Object.entries(kinds).filter(([name]) => given[name] !== undefined)
  checkArguments(method, given, Object.fromEntries(named))
}
