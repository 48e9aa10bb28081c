import { NORMALIZER_NAMES } from '../../crypto/normalizers.js'
import type { Report } from '../../schema/problem.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'
import type { Arguments } from './checkedArguments.js'

export const SCOPES = ['tenant', 'global'] as const

/** An option that is a bare name or a list of them. */
export function names(args: Arguments, option: string, report: Report): string[] | undefined {
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

/** An option whose value is one of a few bare words. */
export function word<T extends string>(
  args: Arguments,
  option: string,
  known: readonly T[],
  report: Report,
): T | undefined {
  const value = args.get(option)
  if (value === undefined) return undefined
  if (value.kind === 'identifier') return oneOf(value.text, known, option, report)[0]
  const all = known.map((each) => `\`${option}: ${each}\``)
  report(`\`${option}\` is one bare word; write ${all.slice(0, -1).join(', ')} or ${all.at(-1)}`)
  return undefined
}

/** The normalisers of an index, in the order written. */
export function normalizers(args: Arguments, report: Report): string[] {
  return (names(args, 'normalize', report) ?? []).flatMap((name) => normalizer(name, report))
}

/** A name that is nearly a built-in one is a mistake; any other is one of the application's own. */
function normalizer(name: string, report: Report): string[] {
  return didYouMean(name, NORMALIZER_NAMES) === '' ? [name] : oneOf(name, NORMALIZER_NAMES, 'normalize', report)
}

function oneOf<T extends string>(word: string, known: readonly T[], option: string, report: Report): T[] {
  const found = known.find((candidate) => candidate === word)
  if (found !== undefined) return [found]
  report(`\`${option}\` does not know \`${word}\`; ${andThen(didYouMean(word, known))}it knows ${known.join(', ')}`)
  return []
}
