import type { Skew } from '../../leakage/groups.js'
import type { IndexFigures, IndexKind, Recommendation, Verdict } from './advice.js'
import type { AdvisedField } from './advisedField.js'
import { annotationOf, type Notation } from './annotations.js'

/** What was measured. */
export interface Measurements {
  readonly field: AdvisedField
  readonly values: Skew
  readonly indexes: readonly IndexFigures[]
}

/** Rows guessed more than without an index, as a share of all, up to which an index gives away little, or something. */
const LITTLE = 0.05
const SOMETHING = 0.25
/** With so few values, each has its place in the ranking, whatever the sample says. */
const FEW = 16

function areFew({ distinct, rows }: Skew, { kind }: AdvisedField): boolean {
  // In few rows, few values say nothing of how many there are.
  return kind === 'choice' || (distinct <= FEW && 2 * distinct <= rows)
}

/** One for each kind of index: its least telling form, and what is to be said about it. */
export function recommendations(measured: Measurements, notation: Notation): Recommendation[] {
  return (['blind', 'range', 'text'] as const).flatMap((index) => {
    const chosen = chosenOf(measured, index)
    if (chosen === undefined) return index === 'range' ? notForFloats(measured.field) : []
    const verdict = verdictOf(measured, chosen)
    const annotation = measured.values.distinct < 2 ? null : annotationOf(measured.field, chosen, notation)
    return [{ index, verdict, annotation, why: WHYS[index](measured, chosen, verdict) }]
  })
}

/** The form that is proposed: of blind indexes the plain one, unless a short one is much better. */
function chosenOf({ indexes, field }: Measurements, index: IndexKind): IndexFigures | undefined {
  const [first, ...all] = indexes.filter((one) => one.index === index && one.options.scope === undefined)
  if (first === undefined) return undefined
  // A coarser step changes what searches answer exactly, which nobody but the app can decide.
  const others = all.filter(({ options }) => options.step === first.options.step)
  const least = others.reduce((best, one) => (guessed(one, field) < guessed(best, field) ? one : best), first)
  if (index !== 'blind') return least
  return guessed(first, field) - guessed(least, field) > LITTLE ? least : first
}

/** The share that counts: who knows a salary within 5 % knows it; who knows two letters of a name does not. */
export function guessed({ exactly, nearly }: IndexFigures, { kind }: AdvisedField): number {
  return kind === 'number' || kind === 'time' ? (nearly ?? exactly) : exactly
}

/** How many more rows are guessed than without the index. */
function gainOf({ indexes, field }: Measurements, figures: IndexFigures): number {
  const none = indexes.find(({ index }) => index === 'none')!
  return guessed(figures, field) - guessed(none, field)
}

function verdictOf(measured: Measurements, figures: IndexFigures): Verdict {
  const { values, field } = measured
  const gain = gainOf(measured, figures)
  if (values.distinct < 2 || areFew(values, field) || gain > SOMETHING) return 'avoid'
  // More rows than were read show more of these.
  if (figures.index === 'range') return 'weigh'
  return gain > LITTLE || (figures.nearly ?? 0) > SOMETHING ? 'weigh' : 'use'
}

type Why = (measured: Measurements, chosen: IndexFigures, verdict: Verdict) => string

const WHYS: { readonly [index in 'blind' | 'range' | 'text']: Why } = {
  blind: ({ values, field }, { largest, options }, verdict) => {
    if (values.distinct < 2) return 'all values that were read are equal: a search would find every row or none'
    if (areFew(values, field))
      return 'there are so few values that whoever knows how frequent each is reads the column: filter after decryption, or leave it unencrypted if it is no secret'
    if (verdict === 'use') return 'it shows which rows are equal, and that tells little of their values'
    const short =
      options.bits === undefined
        ? 'fewer bits would not change that'
        : 'searches of few bits read more rows, and cannot count'
    return `it shows which rows are equal, and how many: ${percent((largest ?? 0) / values.rows)} of the rows have the most frequent value; ${short}`
  },
  range: (_, { nearly }) => {
    const guessable = (nearly ?? 0) > 0.5 ? 'most values approximately' : 'many values approximately'
    return `whoever reads the database sees how close values are to each other and, if they can guess the distribution, ${guessable} (here ${percent(nearly ?? 0)}; of more rows, more); it is little better than storing the order. Filter after decryption, if another condition leaves few enough rows`
  },
  text: (_, { nearly }) =>
    `it shows which rows share each word or prefix; with public statistics of names, many names can be guessed (here ${percent(nearly ?? 0)} in part)`,
}

function notForFloats({ type }: AdvisedField): Recommendation[] {
  if (type !== 'Float') return []
  const why = 'a Float has no steps, so there is no range index of it: make it a Decimal or an Int'
  return [{ index: 'range', verdict: 'avoid', annotation: null, why }]
}

export function percent(share: number): string {
  return share > 0 && share < 0.005 ? 'under 1 %' : `${Math.round(100 * share)} %`
}
