import type { Annotation, Value } from '../../schema/annotation.js'
import type { Report } from '../../schema/problem.js'
import { andThen, didYouMean } from '../../schema/suggestion.js'

export type Arguments = ReadonlyMap<string, Value>
/** The name of the one that has none, in front of all options. */
export const SOURCE = '<source>'

interface Shape {
  readonly source?: true
  readonly options: readonly string[]
  /** What stands alone, without a value. */
  readonly words?: readonly string[]
}

/** The arguments by name; what the annotation does not know is reported. */
export function checkedArguments(annotation: Annotation, shape: Shape, report: Report): Arguments {
  const args = new Map<string, Value>()
  for (const [i, { name, value }] of annotation.args.entries()) {
    const isSource = shape.source === true && i === 0 && name === undefined
    const key = isSource ? SOURCE : checkedName(annotation, shape, name, value, report)
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
