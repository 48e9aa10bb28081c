import { NORMALIZERS } from '../../crypto/normalizers.js'
import { piecesOf, type TextParts, wordsOf } from '../../crypto/tokens/textPieces.js'
import { countsOf } from '../../leakage/groups.js'
import { attackPrefixes } from '../../leakage/prefixAttack.js'
import type { Random } from '../../leakage/random.js'
import { attackWords, type WordGuesses } from '../../leakage/wordAttack.js'
import { own } from '../../own.js'
import type { IndexFigures, IndexOptions } from './advice.js'
import type { AdvisedField } from './advisedField.js'
import { type Comparable, commonest, equalityFigures } from './equalityFigures.js'
import type { Measured } from './numberFigures.js'
import type { Sample } from './sample.js'

const PREFIXES = [
  [2, 10],
  [2, 4],
  [4, 6],
] as const

/** What indexes over texts give away. */
export function measureTexts({ normalize }: AdvisedField, sample: Sample, random: Random): Measured {
  // One of the app's own is not known here; what it makes equal counts as different then.
  const steps = normalize.flatMap((name) => own(NORMALIZERS as Record<string, (text: string) => string>, name) ?? [])
  const normalized = (value: unknown) => steps.reduce((text, step) => step(text), String(value))
  return measureNamed(sample, normalized, random, (values) => textFigures(values, random))
}

/** What indexes over enums and booleans give away. */
export function measureChoices(sample: Sample, random: Random): Measured {
  return measureNamed(sample, String, random, () => [])
}

function measureNamed(
  sample: Sample,
  textOf: (value: unknown) => string,
  random: Random,
  more: (values: Comparable<string>) => Iterable<IndexFigures>,
): Measured {
  const values: Comparable<string> = {
    known: sample.known.map(textOf),
    attacked: sample.attacked.map(textOf),
    everyones: sample.everyones?.map(textOf),
  }
  const judge = { blind: commonest(countsOf(values.known)), isNear: undefined }
  const figures = function* () {
    yield* equalityFigures(values, judge, random)
    yield* more(values)
  }
  return { near: { kind: 'part' }, attacked: values.attacked, figures: figures() }
}

function* textFigures({ known, attacked }: Comparable<string>, random: Random): Generator<IndexFigures> {
  const words = attackWords(attacked.map(wordsOf), known.map(wordsOf), random)
  yield textFigure({ words: true }, attacked, words)
  for (const prefix of PREFIXES) yield textFigure({ prefix }, attacked, attackPrefixes(attacked, known, prefix, random))
}

function textFigure(
  options: IndexOptions & TextParts,
  texts: readonly string[],
  { whole, part }: WordGuesses,
): IndexFigures {
  const pieces = texts.map((text) => [...new Set(piecesOf(text, options).map(String))])
  const sizes = countsOf(pieces.flat())
  const tokens = pieces.map(({ length }) => length).sort((one, other) => one - other)
  return {
    ...{ index: 'text', options, tokens: tokens[tokens.length >> 1]! },
    largest: sizes.size === 0 ? 0 : [...sizes.values()].reduce((most, size) => Math.max(most, size)),
    ...{ exactly: whole / texts.length, nearly: part / texts.length },
  }
}
