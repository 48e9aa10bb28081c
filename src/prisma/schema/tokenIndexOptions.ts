import type { Annotation, Scalar, Value } from '../../schema/annotation.js'
import type { RangeIndexOptions, TextIndexOptions } from '../../schema/fieldOptions.js'
import type { Report } from '../../schema/problem.js'
import { rangeOptions } from '../../schema/rangeOptions.js'
import { textParts } from '../../schema/textParts.js'
import { type Arguments, checkedArguments, SOURCE } from './checkedArguments.js'
import { normalizers, SCOPES, word } from './optionValues.js'

const parts = ['prefix', 'suffix', 'words', 'wordPrefix', 'grams']
const range = ['min', 'max', 'step', 'scale', 'sparsity']

export function textIndexOptions(annotation: Annotation, report: Report): TextIndexOptions {
  const args = checkedArguments(annotation, { source: true, options: [...parts, 'normalize', 'scope'] }, report)
  return {
    kind: 'text',
    source: sourceName(args, '`@textIndex`', '`@textIndex(name, prefix: [2, 10])`', report),
    parts: textParts(given(args, parts), report),
    normalize: normalizers(args, report),
    scope: word(args, 'scope', SCOPES, report) ?? 'tenant',
  }
}

export function rangeIndexOptions(annotation: Annotation, report: Report): RangeIndexOptions {
  const args = checkedArguments(annotation, { source: true, options: [...range, 'scope'] }, report)
  return {
    kind: 'range',
    source: sourceName(args, '`@rangeIndex`', '`@rangeIndex(salary, min: 0, max: 1_000_000)`', report),
    range: rangeOptions(given(args, range), report),
    scope: word(args, 'scope', SCOPES, report) ?? 'tenant',
  }
}

function sourceName(args: Arguments, annotation: string, example: string, report: Report): string | undefined {
  const value = args.get(SOURCE)
  if (value?.kind === 'identifier') return value.text
  if (value === undefined) report(`${annotation} does not say which field it indexes; write ${example}`)
  else report(`the one field that ${annotation} indexes is written as a bare name: ${example}`)
  return undefined
}

/** The options as JavaScript has them; a number that it cannot hold is a text. */
function given(args: Arguments, options: readonly string[]): { readonly [option: string]: unknown } {
  return Object.fromEntries(options.flatMap((option) => (args.has(option) ? [[option, plain(args.get(option)!)]] : [])))
}

function plain(value: Value): unknown {
  return value.kind === 'list' ? value.items.map(plainScalar) : plainScalar(value)
}

/** A bare word is `null`, which no option takes. */
function plainScalar(scalar: Scalar): unknown {
  switch (scalar.kind) {
    case 'number':
      return String(scalar.number) === scalar.text ? scalar.number : scalar.text
    case 'string':
      return scalar.text
    case 'identifier':
      return scalar.text === 'true' || scalar.text === 'false' ? scalar.text === 'true' : null
  }
}
