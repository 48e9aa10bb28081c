import { NORMALIZER_NAMES } from '../../crypto/normalizers.js'
import { MASK_NAMES } from '../../masks.js'
import type { EncryptionMode, EncryptionState } from '../../schema/fieldOptions.js'
import type { Rule } from '../../schema/problem.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'
import type { BlindIndexOptions, ColumnKind, EncryptedOptions } from './options.js'

const columnKinds = ['text', 'varchar', 'bytea', 'jsonb'] as const satisfies readonly ColumnKind[]
const states = ['migrating', 'ejecting'] as const satisfies readonly EncryptionState[]
const modes = ['dek', 'kms'] as const satisfies readonly EncryptionMode[]
const scopes = ['tenant', 'global'] as const

const encryptedNames: { readonly [name in keyof Required<EncryptedOptions>]: true } = {
  type: true,
  enum: true,
  column: true,
  array: true,
  nullable: true,
  select: true,
  name: true,
  comment: true,
  bind: true,
  as: true,
  pad: true,
  state: true,
  mode: true,
  mask: true,
}

const blindIndexNames: { readonly [name in keyof Required<BlindIndexOptions>]: true } = {
  normalize: true,
  bits: true,
  scope: true,
  unique: true,
  column: true,
  name: true,
  comment: true,
}

/** What the options of `@Encrypted` must be, for who has no compiler to say it. */
export const encryptedOptionRules: readonly Rule<EncryptedOptions>[] = [
  (options) => unknownOption('@Encrypted', options, encryptedNames),
  ({ column }) => oneOf('column', column, columnKinds),
  ({ state }) => oneOf('state', state, states),
  ({ mode }) => oneOf('mode', mode, modes),
  ({ mask }) => oneOf('mask', mask, MASK_NAMES),
  ({ bind }) => (bind === undefined ? undefined : namesProblem('bind', bind)),
  ({ as }) => {
    if (as === undefined || (typeof as === 'string' && CONTEXT.test(as))) return undefined
    return "`as` pins the name a property had when it was first encrypted; write it as `as: 'Entity.property'`"
  },
  ({ pad }) => {
    if (pad === undefined || (Number.isInteger(pad) && pad >= 2 && pad <= 65_536)) return undefined
    return '`pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`'
  },
  ({ enum: values, type }) => {
    if (values === undefined) return undefined
    if (type !== undefined) return 'has `enum` and `type`, which exclude each other; keep one'
    const texts = enumValues(values)
    if (texts.length === 0) return 'has an `enum` without values; name them, or leave `enum` out'
    if (texts.every((text) => typeof text === 'string')) return undefined
    return "has an `enum` whose values are no texts; write `type: 'Int'`, or give its values texts"
  },
]

interface BlindIndexSubject {
  readonly sources: readonly string[]
  readonly options: BlindIndexOptions
}

/** What the options of `@BlindIndex` must be. */
export const blindIndexOptionRules: readonly Rule<BlindIndexSubject>[] = [
  ({ options }) => unknownOption('@BlindIndex', options, blindIndexNames),
  ({ sources }) => {
    if (sources.length === 0)
      return "`@BlindIndex` does not say which property it indexes; write `@BlindIndex('email')`"
    return namesProblem('@BlindIndex', sources)
  },
  ({ options: { column } }) => oneOf('column', column, ['text', 'bytea']),
  ({ options: { scope } }) => scopeProblem(scope),
  ({ options: { bits } }) => {
    if (bits === undefined || (Number.isInteger(bits) && bits >= 8 && bits <= 256 && bits % 8 === 0)) return undefined
    return '`bits` is a multiple of 8 from 8 to 256; leave it out for 128'
  },
  ({ options: { normalize } }) => normalizeProblem(normalize),
]

export function scopeProblem(scope: unknown): string | undefined {
  return oneOf('scope', scope, scopes)
}

export function normalizeProblem(normalize: unknown): string | undefined {
  if (normalize === undefined) return undefined
  if (!Array.isArray(normalize)) return "`normalize` is a list of names; write `normalize: ['trim', 'lowercase']`"
  const near = normalize.find(
    (name) => !isIn(NORMALIZER_NAMES, name) && didYouMean(String(name), NORMALIZER_NAMES) !== '',
  )
  return near === undefined ? namesProblem('normalize', normalize) : oneOf('normalize', near, NORMALIZER_NAMES)
}

/** The values of an enum of TypeScript, or a list of them. */
export function enumValues(values: NonNullable<EncryptedOptions['enum']>): readonly unknown[] {
  if (Array.isArray(values)) return values
  // An enum of numbers also maps these to their names.
  return Object.entries(values).flatMap(([name, value]) => (/^-?\d/.test(name) ? [] : [value]))
}

const CONTEXT = /^[A-Za-z]\w*(\.[A-Za-z]\w*)+$/

export function unknownOption(decorator: string, options: object, known: object): string | undefined {
  const names = Object.keys(known)
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return undefined
  const knows = `\`${decorator}\` knows ${names.map((name) => `\`${name}\``).join(', ')}`
  return `unknown option \`${unknown}\`; ${andThen(didYouMean(unknown, names))}${knows}`
}

function oneOf(option: string, given: unknown, known: readonly string[]): string | undefined {
  if (given === undefined || isIn(known, given)) return undefined
  return `\`${option}\` does not know \`${given}\`; ${andThen(didYouMean(String(given), known))}it knows ${known.join(', ')}`
}

function isIn(known: readonly string[], given: unknown): boolean {
  return known.some((each) => each === given)
}

function namesProblem(option: string, given: string | readonly string[]): string | undefined {
  const names = [given].flat()
  if (names.length === 0) return `\`${option}\` is an empty list; leave the option out`
  if (names.some((name) => typeof name !== 'string')) return `\`${option}\` takes names of properties, as texts`
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  return twice === undefined ? undefined : `\`${option}\` names \`${twice}\` twice; keep one`
}
