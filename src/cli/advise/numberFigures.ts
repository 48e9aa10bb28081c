import { nodesOver } from '../../crypto/tokens/rangeCover.js'
import { type Closeness, within, withinDistance } from '../../leakage/closeness.js'
import { attackOrder } from '../../leakage/orderAttack.js'
import { inOrder, medianOf } from '../../leakage/placedValues.js'
import type { Random } from '../../leakage/random.js'
import { attackRange, rangeTokensOf } from '../../leakage/rangeAttack.js'
import type { IndexFigures, Near } from './advice.js'
import type { AdvisedField } from './advisedField.js'
import { type Comparable, equalityFigures, type Judge, scored } from './equalityFigures.js'
import { type NumberLine, proposedLine } from './numberLine.js'
import type { Sample } from './sample.js'

const NEAR = 0.05
const SPARSITIES = [1, 2, 4] as const
/** Of an index whose step is as coarse as it may be and still be of use. */
const COARSE_CELLS = 256

export interface Measured {
  readonly near: Near
  /** The values of the sample that were attacked, as they are compared. */
  readonly attacked: readonly unknown[]
  /** One index after the other: each may take seconds. */
  readonly figures: Iterable<IndexFigures>
}

/** What indexes over numbers or times give away. */
export function measureNumbers(field: AdvisedField, sample: Sample, random: Random): Measured {
  // A Float has no cells: it is no field for a range index.
  const line = field.type === 'Float' ? undefined : proposedLine(field, allOf(sample))
  const numbers = (values: readonly unknown[]) => [
    ...(line ? line.place(values).values : (values as readonly number[])),
  ]
  const values: Comparable<number> = {
    known: numbers(sample.known),
    attacked: numbers(sample.attacked),
    everyones: sample.everyones && numbers(sample.everyones),
  }
  const sorted = Float64Array.from(values.known).sort()
  const near: Near =
    field.kind === 'time' ? { kind: 'distance', distance: distanceIn(sorted) } : { kind: 'share', share: NEAR }
  const closeness = near.kind === 'distance' ? withinDistance(near.distance) : within(NEAR)
  const judge: Judge<number> = { blind: medianOf(sorted), isNear: closeness.isClose }
  const figures = function* () {
    yield* equalityFigures(values, judge, random)
    if (line) yield* rangeFigures({ line, sample, closeness, judge, random })
    const guesses = attackOrder(Float64Array.from(values.attacked), sorted)
    yield {
      index: 'order',
      options: {},
      tokens: null,
      largest: null,
      ...scored(values.attacked, guesses, judge),
    } as const
  }
  return { near, attacked: values.attacked, figures: figures() }
}

function allOf({ known, attacked, everyones = [] }: Sample): unknown[] {
  return [...known, ...attacked, ...everyones]
}

/** A twentieth of where nine in ten values lie, as 5 % of a number is. */
function distanceIn(sorted: Float64Array): number {
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]!
  return NEAR * (at(0.95) - at(0.05))
}

interface RangeInput {
  readonly line: NumberLine
  readonly sample: Sample
  readonly closeness: Closeness
  readonly judge: Judge<number>
  readonly random: Random
}

function* rangeFigures(input: RangeInput): Generator<IndexFigures> {
  for (const sparsity of SPARSITIES) yield rangeFigure(input, input.line, sparsity)
  const coarse = input.line.coarser(COARSE_CELLS)
  if (coarse.options.step !== input.line.options.step) yield rangeFigure(input, coarse, SPARSITIES.at(-1)!)
}

function rangeFigure(
  { sample, closeness, judge, random }: RangeInput,
  line: NumberLine,
  sparsity: number,
): IndexFigures {
  const attacked = line.place(sample.attacked)
  const tree = { scale: line.scale, sparsity }
  const sets = rangeTokensOf(attacked.cells, tree, random)
  const guesses = attackRange(sets, { line, sparsity, known: inOrder(line.place(sample.known)), closeness }, random)
  const tokens = nodesOver(tree, 0).length
  return {
    index: 'range',
    options: { ...line.options, sparsity },
    tokens,
    largest: null,
    ...scored(attacked.values, guesses, judge),
  }
}
