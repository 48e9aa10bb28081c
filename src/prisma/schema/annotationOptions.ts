import { NORMALIZER_NAMES } from '../../crypto/normalizers.js'
import { MASK_NAMES } from '../../masks.js'
import type { Annotation, Value } from '../../schema/annotation.js'
import type { BlindIndexOptions, EncryptedOptions, EncryptionMode, EncryptionState } from '../../schema/fieldOptions.js'
import type { Report } from '../../schema/problem.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'

const scopes = ['tenant', 'global'] as const
const states = ['migrating', 'ejecting'] as const satisfies readonly EncryptionState[]
const modes = ['dek', 'kms'] as const satisfies readonly EncryptionMode[]

export function encryptedOptions(annotation: Annotation, report: Report): EncryptedOptions {
  const options = ['bind', 'as', 'type', 'pad', 'mode', 'mask']
  const args = readArguments(annotation, { options, words: states }, report)
  return defined({
    bind: names(args, 'bind', report) ?? [],
    as: context(args, report),
    type: typeName(args, report),
    pad: pad(args, report),
    state: state(args, report),
    mode: word(args, 'mode', modes, report),
    mask: word(args, 'mask', MASK_NAMES, report),
  })
}

export function blindIndexOptions(annotation: Annotation, report: Report): BlindIndexOptions {
  const args = readArguments(annotation, { source: true, options: ['normalize', 'scope', 'bits'] }, report)
  return {
    sources: sourceNames(args, report),
    normalize: (names(args, 'normalize', report) ?? []).flatMap((name) => normalizer(name, report)),
    scope: word(args, 'scope', scopes, report) ?? 'tenant',
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
  /** What stands alone, without a value. */
  readonly words?: readonly string[]
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
  { options, words = [] }: Shape,
  name: string | undefined,
  value: Value,
  report: Report,
): string | undefined {
  const word = name ?? (value.kind === 'identifier' ? value.text : undefined)
  if (name === undefined ? word !== undefined && words.includes(word) : options.includes(name)) return word
  const all = [...options.map((option) => `\`${option}:\``), ...words.map((each) => `\`${each}\``)]
  const known = `\`@${annotation.name}\` knows ${all.join(', ')}`
  if (word === undefined) report(`\`@${annotation.name}\` got a value without a name; ${known}`)
  else if (words.includes(word)) report(`\`${word}\` takes no value; write only \`${word}\``)
  else if (options.includes(word)) report(`option \`${word}\` has no value; write \`${word}: …\``)
  else report(`unknown option \`${word}\`; ${andThen(didYouMean(word, [...options, ...words]))}${known}`)
  return undefined
}

function sourceNames(args: Arguments, report: Report): string[] {
  const value = args.get(source)
  if (value?.kind === 'identifier') return [value.text]
  if (value?.kind === 'list') return names(new Map([['@blindIndex', value]]), '@blindIndex', report) ?? []
  if (value === undefined) report('`@blindIndex` does not say which field it indexes; write `@blindIndex(email)`')
  else report('the field that `@blindIndex` indexes is written as a bare name: `@blindIndex(email)`')
  return []
}

/** A name that is nearly a built-in one is a mistake; any other is one of the application's own. */
function normalizer(name: string, report: Report): string[] {
  return didYouMean(name, NORMALIZER_NAMES) === '' ? [name] : oneOf(name, NORMALIZER_NAMES, 'normalize', report)
}

function typeName(args: Arguments, report: Report): string | undefined {
  const value = args.get('type')
  if (value === undefined || value.kind === 'identifier') return value?.text
  report('`type` is the bare name of a type or an enum; write `type: DateTime`')
  return undefined
}

function pad(args: Arguments, report: Report): number | undefined {
  const value = args.get('pad')
  if (value === undefined) return undefined
  if (value.kind === 'number' && Number.isInteger(value.number) && value.number >= 2 && value.number <= 65_536) {
    return value.number
  }
  report('`pad` is a length in bytes from 2 to 65536, to multiples of which values are filled up; write `pad: 64`')
  return undefined
}

function state(args: Arguments, report: Report): EncryptionState | undefined {
  const given = states.filter((word) => args.has(word))
  if (given.length > 1) {
    report(
      '`migrating` and `ejecting` exclude each other: `migrating` while plaintext is being encrypted, `ejecting` while ' +
        'ciphertext is being turned back; keep one',
    )
  }
  return given[0]
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Without the properties that are undefined. */
function defined<T extends { bind: unknown }>(values: T): Pick<T, 'bind'> & Partial<Defined<T>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T & Defined<T>
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

/** An option whose value is one of a few bare words. */
function word<T extends string>(args: Arguments, option: string, known: readonly T[], report: Report): T | undefined {
  const value = args.get(option)
  if (value === undefined) return undefined
  if (value.kind === 'identifier') return oneOf(value.text, known, option, report)[0]
  const all = known.map((each) => `\`${option}: ${each}\``)
  report(`\`${option}\` is one bare word; write ${all.slice(0, -1).join(', ')} or ${all.at(-1)}`)
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
