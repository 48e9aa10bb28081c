import { MASK_NAMES } from '../../masks.js'
import type { Annotation } from '../../schema/annotation.js'
import type { BlindIndexOptions, EncryptedOptions, EncryptionMode, EncryptionState } from '../../schema/fieldOptions.js'
import type { Report } from '../../schema/problem.js'
import { type Arguments, checkedArguments, SOURCE } from './checkedArguments.js'
import { names, normalizers, SCOPES, word } from './optionValues.js'

const states = ['migrating', 'ejecting'] as const satisfies readonly EncryptionState[]
const modes = ['dek', 'kms'] as const satisfies readonly EncryptionMode[]

export function encryptedOptions(annotation: Annotation, report: Report): EncryptedOptions {
  const options = ['bind', 'as', 'type', 'pad', 'mode', 'mask']
  const args = checkedArguments(annotation, { options, words: states }, report)
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
  const args = checkedArguments(annotation, { source: true, options: ['normalize', 'scope', 'bits'] }, report)
  return {
    sources: sourceNames(args, report),
    normalize: normalizers(args, report),
    scope: word(args, 'scope', SCOPES, report) ?? 'tenant',
    bits: bits(args, report) ?? 128,
  }
}

/** For annotations that take no arguments. */
export function noOptions(annotation: Annotation, report: Report): void {
  if (annotation.args.length > 0)
    report(`\`@${annotation.name}\` takes no arguments; write only \`@${annotation.name}\``)
}

function sourceNames(args: Arguments, report: Report): string[] {
  const value = args.get(SOURCE)
  if (value?.kind === 'identifier') return [value.text]
  if (value?.kind === 'list') return names(new Map([['@blindIndex', value]]), '@blindIndex', report) ?? []
  if (value === undefined) report('`@blindIndex` does not say which field it indexes; write `@blindIndex(email)`')
  else report('the field that `@blindIndex` indexes is written as a bare name: `@blindIndex(email)`')
  return []
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

function context(args: Arguments, report: Report): string | undefined {
  const value = args.get('as')
  if (value === undefined) return undefined
  if (value.kind === 'string' && /^[A-Za-z][A-Za-z0-9_]*\.[A-Za-z][A-Za-z0-9_]*$/.test(value.text)) return value.text
  report('`as` pins the name a field had when it was first encrypted; write it as `as: "Model.field"`')
  return undefined
}

function bits(args: Arguments, report: Report): number | undefined {
  const value = args.get('bits')
  if (value === undefined) return undefined
  if (value.kind === 'number' && value.number >= 8 && value.number <= 256 && value.number % 8 === 0) return value.number
  report('`bits` is a multiple of 8 from 8 to 256; leave it out for 128')
  return undefined
}
