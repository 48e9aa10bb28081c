import type { IndexFigures } from './advice.js'
import type { AdvisedField } from './advisedField.js'

/** How an index is written down: as a comment of a Prisma schema, or as a decorator of an entity. */
export type Notation = 'schema' | 'decorator'

type Option = readonly [name: string, value: string | readonly string[]]

const NAMES = { blind: 'BlindIndex', range: 'RangeIndex', text: 'TextIndex' } as const

/** The annotation of an index; nothing for what is none. */
export function annotationOf(
  { field, normalize }: AdvisedField,
  { index, options }: IndexFigures,
  notation: Notation,
): string | null {
  if (index === 'none' || index === 'order') return null
  const { prefix, ...single } = options
  const all: Option[] = [
    ...Object.entries(single).map(([name, value]): Option => [name, quotedAs(notation, String(value))]),
    ...(prefix ? [['prefix', prefix.map(String)] as const] : []),
    ...(index !== 'range' && normalize.length > 0
      ? [['normalize', normalize.map((name) => quotedAs(notation, name))] as const]
      : []),
  ]
  const options_ = all.map(([name, value]) => `${name}: ${typeof value === 'string' ? value : `[${value.join(', ')}]`}`)
  if (notation === 'schema') {
    const name = NAMES[index].replace(/^./, (first) => first.toLowerCase())
    return `@${name}(${[field, ...options_].join(', ')})`
  }
  const given = options_.length > 0 ? `, { ${options_.join(', ')} }` : ''
  return `@${NAMES[index]}('${field}'${given})`
}

/** A name stands as it is in a comment, and as a text in code. */
function quotedAs(notation: Notation, value: string): string {
  const unquoted = value.replace(/^"(.*)"$/, '$1')
  if (notation === 'schema' || /^(-?[\d.]+|true)$/.test(value)) return value
  return `'${unquoted}'`
}
