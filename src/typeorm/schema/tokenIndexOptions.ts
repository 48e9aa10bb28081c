import type { TokenIndexOptions } from '../../schema/fieldOptions.js'
import { applyRules, type Report, type ReportAt, type Rule } from '../../schema/problem.js'
import { rangeOptions } from '../../schema/rangeOptions.js'
import { textParts } from '../../schema/textParts.js'
import type { Annotation } from './annotation.js'
import { normalizeProblem, scopeProblem, unknownOption } from './optionRules.js'
import type { RangeIndexOptions, TextIndexOptions } from './options.js'

type TokenIndex = Extract<Annotation, { readonly kind: 'textIndex' | 'rangeIndex' }>

const textNames: { readonly [name in keyof Required<TextIndexOptions>]: true } = {
  prefix: true,
  suffix: true,
  words: true,
  wordPrefix: true,
  grams: true,
  normalize: true,
  scope: true,
  name: true,
  comment: true,
}

const rangeNames: { readonly [name in keyof Required<RangeIndexOptions>]: true } = {
  min: true,
  max: true,
  step: true,
  scale: true,
  sparsity: true,
  scope: true,
  name: true,
  comment: true,
}

/** What the options of `@TextIndex` and `@RangeIndex` must be, beside what they have in common with those of other ORMs. */
const rules: readonly Rule<TokenIndex>[] = [
  ({ kind, options }) => {
    const isText = kind === 'textIndex'
    return unknownOption(isText ? '@TextIndex' : '@RangeIndex', options ?? {}, isText ? textNames : rangeNames)
  },
  ({ kind, source }) => {
    if (typeof source === 'string' && source !== '') return undefined
    const example =
      kind === 'textIndex' ? "@TextIndex('name', { prefix: [2, 10] })" : "@RangeIndex('salary', { min: 0, max: 1e6 })"
    return `does not say which property it indexes; write \`${example}\``
  },
  ({ options }) => scopeProblem(options?.scope),
  ({ kind, options }) => (kind === 'textIndex' ? normalizeProblem(options?.normalize) : undefined),
]

/** Reports what is wrong with the options of a text or range index. */
export function checkTokenIndex(index: TokenIndex, place: string, reportAt: ReportAt): void {
  applyRules(rules, index, place, reportAt)
  tokenIndexOptions(index, (text) => reportAt(place, text))
}

/** The options in the words of the rules of schemas; what is wrong is left out, and reported. */
export function tokenIndexOptions(index: TokenIndex, report: Report): TokenIndexOptions {
  const { scope = 'tenant' } = index.options ?? {}
  const { source } = index
  if (index.kind === 'rangeIndex')
    return { kind: 'range', source, scope, range: rangeOptions(index.options ?? {}, report) }
  const { normalize = [] } = index.options ?? {}
  return { kind: 'text', source, scope, normalize, parts: textParts(index.options ?? {}, report) }
}
