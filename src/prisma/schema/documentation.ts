import { FieldsealError } from '../../errors.js'
import { type Annotation, type AnnotationName, annotationNames } from '../../schema/annotation.js'
import { fold, nearest } from '../../schema/suggestion.js'
import { parseArguments } from './annotationArguments.js'

/** What the `///` lines of one model, field, enum or enum value say to this library. */
export interface Documentation {
  readonly annotations: readonly Annotation[]
  /** Annotations that are meant but cannot be read; a problem tells why. */
  readonly damaged: readonly AnnotationName[]
  readonly problems: readonly string[]
}

type Found = { readonly [list in keyof Documentation]: Documentation[list][number][] }

const annotationStart = new RegExp(`^\\s*@(${annotationNames.join('|')})(?![A-Za-z0-9_-])(?!\\.[A-Za-z])`)
const mention = /(?<![A-Za-z0-9_])[@＠]+([A-Za-z][A-Za-z0-9_-]*)(:[a-z]+|\.(?=[A-Za-z]))?/g

/**
 * Reads the documentation of one element of the schema. An annotation begins its line and has the rest of it for
 * itself; arguments may run over several lines. Everything else is prose, in which a name of ours after an `@`, or
 * one that is nearly ours, is a problem: it would leave a field in plaintext that someone thinks is encrypted.
 */
export function readDocumentation(text: string | undefined): Documentation {
  const found: Found = { annotations: [], damaged: [], problems: [] }
  let rest = (text ?? '').replace(/\r\n?/g, '\n')
  while (rest !== '') rest = rest.slice(readLine(rest, found))
  return found
}

function readLine(text: string, found: Found): number {
  const start = annotationStart.exec(text)
  if (start !== null && isOnFirstLine(text, start[0])) {
    return readAnnotation(text, start[1] as AnnotationName, start[0].length, found)
  }
  const end = lineEnd(text, 0)
  found.problems.push(...mentionsIn(text.slice(0, end)))
  return end
}

function readAnnotation(text: string, name: AnnotationName, nameEnd: number, found: Found): number {
  try {
    const { args, end } = parseArguments(text.slice(nameEnd))
    found.annotations.push({ name, args })
    return readTrailer(text, name, nameEnd + end, found)
  } catch (error) {
    if (!FieldsealError.is(error)) throw error
    found.damaged.push(name)
    found.problems.push(`cannot read \`@${name}(…)\`: ${error.message}`)
    return lineEnd(text, nameEnd)
  }
}

function readTrailer(text: string, name: AnnotationName, offset: number, found: Found): number {
  const end = lineEnd(text, offset)
  const trailer = text.slice(offset, end).trim()
  if (trailer !== '') {
    found.problems.push(
      `\`@${name}\` is followed by \`${shorten(trailer)}\`; an annotation has its line for itself: ` +
        (/^[（［]/u.test(trailer)
          ? 'arguments stand in ASCII parentheses'
          : 'put other text on a line of its own, or, if this is prose, leave out the @'),
    )
  }
  return end
}

function mentionsIn(line: string): string[] {
  const problems: string[] = []
  for (const [written, name, suffix] of line.matchAll(mention)) {
    const meant = meantBy(name!, suffix ?? '')
    if (meant === undefined) continue
    const correct = written === `@${meant}`
    problems.push(
      correct
        ? `mentions \`@${meant}\` inside a line, where it does nothing; to switch it on, begin a \`///\` line with ` +
            `\`@${meant}\`; in prose, leave out the @`
        : `unknown annotation \`${written}\`; did you mean \`@${meant}\`? It begins its \`///\` line; in prose, leave out the @`,
    )
  }
  return problems
}

/** The annotation that a word after an `@` is, or is nearly. Dotted names belong to other generators, unless ours. */
function meantBy(name: string, suffix: string): AnnotationName | undefined {
  const same = annotationNames.find((known) => fold(known) === fold(name))
  if (same !== undefined) return same
  if (/^encrypt/.test(fold(name))) return suffix === ':hash' ? 'blindIndex' : nearest(name, annotationNames, Infinity)
  return suffix === '.' ? undefined : nearest(name, annotationNames, 2)
}

function isOnFirstLine(text: string, start: string): boolean {
  return start.length <= lineEnd(text, 0)
}

function lineEnd(text: string, offset: number): number {
  const at = text.indexOf('\n', offset)
  return at < 0 ? text.length : at + 1
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
