import type { Annotation, Value } from './annotation.js'
import type { BlindIndexSchema, Normalizer } from './encryptionSchema.js'
import { andThen, didYouMean } from './suggestion.js'

/** What `@encrypted(…)` asks for. */
export interface EncryptedOptions {
  readonly bind: readonly string[]
  readonly as?: string
}

/** What `@blindIndex(…)` asks for; no source when it is missing or unreadable. */
export interface BlindIndexOptions extends Omit<BlindIndexSchema, 'type' | 'sources' | 'unique'> {
  readonly source?: string
}

/** Told what is wrong with an annotation, and what to do. */
export type Report = (problem: string) => void

const normalizers = ['trim', 'lowercase', 'nfkc', 'digits', 'diacritics'] as const satisfies readonly Normalizer[]
const scopes = ['tenant', 'global'] as const
const laterOptions = ['type', 'pad', 'mode', 'mask', 'migrating', 'ejecting']

export function encryptedOptions(annotation: Annotation, report: Report): EncryptedOptions {
  const args = readArguments(annotation, { options: ['bind', 'as'] }, report)
  const bind = names(args, 'bind', report) ?? []
  const as = context(args, report)
  return as === undefined ? { bind } : { bind, as }
}

export function blindIndexOptions(annotation: Annotation, report: Report): BlindIndexOptions {
  const args = readArguments(annotation, { source: true, options: ['normalize', 'scope', 'bits'] }, report)
  const source = sourceName(args, report)
  return {
    ...(source === undefined ? {} : { source }),
    normalize: (names(args, 'normalize', report) ?? []).flatMap((name) =>
      oneOf(name, normalizers, 'normalize', report),
    ),
    scope: scope(args, report) ?? 'tenant',
    bits: bits(args, report) ?? 128,
  }
}

/** For annotations that take no arguments. */
export function noOptions(annotation: Annotation, report: Report): void {
  if (annotation.args.length > 0)
    report(`\`@${annotation.name}\` takes no arguments; write only \`@${annotation.name}\``)
}

type Arguments = ReadonlyMap<string, Value>
const source = '<source>'

interface Shape {
  readonly source?: true
  readonly options: readonly string[]
}

function readArguments(annotation: Annotation, shape: Shape, report: Report): Arguments {
  const args = new Map<string, Value>()
  for (const [i, { name, value }] of annotation.args.entries()) {
    const isSource = shape.source === true && i === 0 && name === undefined
    const key = isSource ? source : checkedName(annotation, shape, name, value, report)
    if (key === undefined) continue
    if (args.has(key)) report(`option \`${key}\` of \`@${annotation.name}\` is given twice; keep one`)
    args.set(key, value)
  }
  return args
}

function checkedName(
  annotation: Annotation,
  { options }: Shape,
  name: string | undefined,
  value: Value,
  report: Report,
): string | undefined {
  const word = name ?? (value.kind === 'identifier' ? value.text : undefined)
  if (name !== undefined && options.includes(name)) return name
  const known = `\`@${annotation.name}\` knows ${options.map((option) => `\`${option}:\``).join(', ')}`
  if (word === undefined) report(`\`@${annotation.name}\` got a value without a name; ${known}`)
  else if (laterOptions.includes(word))
    report(`option \`${word}\` is not supported by this version of fieldseal; leave it out`)
  else if (options.includes(word)) report(`option \`${word}\` has no value; write \`${word}: …\``)
  else report(`unknown option \`${word}\`; ${andThen(didYouMean(word, options))}${known}`)
  return undefined
}

function sourceName(args: Arguments, report: Report): string | undefined {
  const value = args.get(source)
  if (value?.kind === 'identifier') return value.text
  if (value === undefined) report('`@blindIndex` does not say which field it indexes; write `@blindIndex(email)`')
  else if (value.kind === 'list')
    report('an index over several fields is not supported by this version of fieldseal; name one')
  else report('the field that `@blindIndex` indexes is written as a bare name: `@blindIndex(email)`')
  return undefined
}

function names(args: Arguments, option: string, report: Report): string[] | undefined {
  const value = args.get(option)
  if (value === undefined) return undefined
  const items = value.kind === 'list' ? value.items : [value]
  const texts = items.flatMap((item) => (item.kind === 'identifier' ? [item.text] : []))
  if (texts.length < items.length) report(`\`${option}\` takes bare names; write \`${option}: [a, b]\``)
  if (items.length === 0) report(`\`${option}\` is an empty list; leave the option out`)
  const twice = texts.find((text, i) => texts.indexOf(text) !== i)
  if (twice !== undefined) report(`\`${option}\` names \`${twice}\` twice; keep one`)
  return texts
}

function context(args: Arguments, report: Report): string | undefined {
  const value = args.get('as')
  if (value === undefined) return undefined
  if (value.kind === 'string' && /^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$/.test(value.text)) return value.text
  report('`as` pins the name a field had when it was first encrypted; write it as `as: "Model.field"`')
  return undefined
}

function scope(args: Arguments, report: Report): 'tenant' | 'global' | undefined {
  const value = args.get('scope')
  if (value === undefined) return undefined
  if (value.kind === 'identifier') return oneOf(value.text, scopes, 'scope', report)[0]
  report('`scope` is one bare word; write `scope: tenant` or `scope: global`')
  return undefined
}

function bits(args: Arguments, report: Report): number | undefined {
  const value = args.get('bits')
  if (value === undefined) return undefined
  if (value.kind === 'number' && value.number >= 8 && value.number <= 256 && value.number % 8 === 0) return value.number
  report('`bits` is a multiple of 8 from 8 to 256; leave it out for 128')
  return undefined
}

function oneOf<T extends string>(word: string, known: readonly T[], option: string, report: Report): T[] {
  const found = known.find((candidate) => candidate === word)
  if (found !== undefined) return [found]
  report(`\`${option}\` does not know \`${word}\`; ${andThen(didYouMean(word, known))}it knows ${known.join(', ')}`)
  return []
}
