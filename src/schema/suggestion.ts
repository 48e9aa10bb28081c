/** ``did you mean `…`?`` with the nearest candidate, or an empty text when none is near. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates, Math.min(2, word.length / 2))
  return near === undefined ? '' : `did you mean \`${near}\`?`
}

/** The text and a blank, or nothing. */
export function andThen(text: string): string {
  return text === '' ? '' : `${text} `
}

/** The candidate with the smallest edit distance, upper and lower case, `_` and `-` aside. */
export function nearest<T extends string>(word: string, candidates: readonly T[], limit: number): T | undefined {
  let best: T | undefined
  let bestDistance = limit
  for (const candidate of candidates) {
    const distance = editDistance(fold(word), fold(candidate))
    if (distance > bestDistance || (best !== undefined && distance === bestDistance)) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** Letters and digits in lower case, so that `blind_index` equals `blindIndex`. */
export function fold(word: string): string {
  return word.toLowerCase().replace(/[_-]/g, '')
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substituted, previous[j]! + 1, row[j - 1]! + 1))
    }
    previous = row
  }
  return previous[b.length]!
}
