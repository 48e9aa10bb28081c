/** The name in `@encrypted(mask: …)`. */
export type MaskName = 'email' | 'phone' | 'last4' | 'initials' | 'hidden'

/** What is shown of a text to who may not read it. It takes any text. */
export type Mask = (text: string) => string

export const MASKS: { readonly [name in MaskName]: Mask } = {
  email: maskEmail,
  phone: maskPhone,
  last4: maskLast4,
  initials: maskInitials,
  hidden: maskHidden,
}

export const MASK_NAMES = Object.keys(MASKS) as MaskName[]

/** What stands for all that a mask leaves out, however much that is. */
const HIDDEN = '•••'

/** Whether a mask shows nothing of the text, so that the text need not be known. */
export function showsNothing(name: MaskName): boolean {
  return name === 'hidden'
}

/** Whether a text is what masks give, and so not the value that it stands for. */
export function looksMasked(text: string): boolean {
  return text.includes(HIDDEN)
}

/** Shows nothing, not even whether the text is empty. */
function maskHidden(_: string): string {
  return HIDDEN
}

/** A top-level domain; anything else after the last dot may be a secret. */
const TOP_LEVEL = /^[\p{L}\p{M}\p{N}-]{2,24}$/u

/**
 * Shows the first character of the name and of the domain, and the top-level domain: `ada@example.com` is
 * `a•••@e•••.com`. What has no two sides of an `@` is hidden.
 */
function maskEmail(text: string): string {
  const at = text.lastIndexOf('@')
  const [name, domain] = [text.slice(0, Math.max(at, 0)), text.slice(at + 1)]
  if (name === '' || domain === '') return HIDDEN
  return `${firstGrapheme(name)}${HIDDEN}@${firstGrapheme(domain)}${HIDDEN}${topLevel(domain)}`
}

function topLevel(domain: string): string {
  const dot = domain.lastIndexOf('.')
  const label = domain.slice(dot + 1)
  return dot > 0 && TOP_LEVEL.test(label) ? `.${label}` : ''
}

/** Shows the first character of the first and of the last word: `Ada King Lovelace` is `A••• L•••`. */
function maskInitials(text: string): string {
  const words = text.split(/\s+/u).filter((word) => word !== '')
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words
  return ends.map((word) => firstGrapheme(word) + HIDDEN).join(' ') || HIDDEN
}

const LETTER_OR_DIGIT = /^[\p{L}\p{N}]/u

/** Shows the last four letters or digits of a text that has eight or more: of a card, an account, a passport. */
function maskLast4(text: string): string {
  return maskBeginning(text, (grapheme) => LETTER_OR_DIGIT.test(grapheme))
}

const DIGIT = /^\p{Nd}/u

/** Shows the last four digits of a number that has eight or more, the last two of one that has four or more. */
function maskPhone(text: string): string {
  return maskBeginning(text, (grapheme) => DIGIT.test(grapheme), 2)
}

/** How many characters a mask shows at the end. */
const SHOWN = 4

/** Shows the last four of the characters that count, where there are twice as many; else the fewer that `few` allows. */
function maskBeginning(text: string, counts: (grapheme: string) => boolean, few = 0): string {
  const ending = lastGraphemes(text, 2 * SHOWN, counts)
  const shown = ending.length === 2 * SHOWN ? SHOWN : ending.length >= 2 * few ? few : 0
  return HIDDEN + ending.slice(ending.length - shown).join('')
}

/** Characters as people see them: a letter with its accents, an emoji with all its parts. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The first character; empty for an empty text. */
function firstGrapheme(text: string): string {
  const [first] = segmenter.segment(text)
  return first?.segment ?? ''
}

/** The last `count` characters among those that `counts` says yes to; all others are passed over. */
function lastGraphemes(text: string, count: number, counts: (grapheme: string) => boolean): string[] {
  const found: string[] = []
  const segments = segmenter.segment(text)
  for (let at = segments.containing(text.length - 1); at && found.length < count; at = before(segments, at.index)) {
    if (counts(at.segment)) found.unshift(at.segment)
  }
  return found
}

function before(segments: Intl.Segments, index: number): Intl.SegmentData | undefined {
  return index === 0 ? undefined : segments.containing(index - 1)
}
