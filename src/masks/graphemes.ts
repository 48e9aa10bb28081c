/** Characters as people see them: a letter with its accents, an emoji with all its parts. */
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The first character; empty for an empty text. */
export function firstGrapheme(text: string): string {
  const [first] = segmenter.segment(text)
  return first?.segment ?? ''
}

/** The last `count` characters among those that `counts` says yes to; all others are passed over. */
export function lastGraphemes(text: string, count: number, counts: (grapheme: string) => boolean): string[] {
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
