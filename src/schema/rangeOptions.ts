import { types } from 'node:util'
import type { Report } from './problem.js'
import { isWholeWithin } from './wholeNumber.js'

/** The options of a range index that say what it can hold, as given. */
export interface GivenRange {
  readonly min?: unknown
  readonly max?: unknown
  readonly step?: unknown
  readonly scale?: unknown
  readonly sparsity?: unknown
}

/** Read as far as that can be done without knowing of what type the values are. */
export interface RangeOptions {
  readonly min: string
  readonly max: string
  readonly step: string | undefined
  readonly scale: number | undefined
  readonly sparsity: number
}

const SPARSITY = 2
const MOST_SPARSITY = 8
const MOST_SCALE = 20

/** Nothing, if something was reported. The advice is written alike in every ORM. */
export function rangeOptions({ min, max, step, scale, sparsity = SPARSITY }: GivenRange, report: Report) {
  let isRight = true
  const wrong = (problem: string) => {
    isRight = false
    report(problem)
  }
  const read = { min: bound('min', min, wrong), max: bound('max', max, wrong), step: textOf(step) }
  if (step !== undefined && read.step === undefined)
    wrong('`step` is a number, or a duration such as "1d" for a DateTime; leave it out for the smallest step')
  if (scale !== undefined && !isWholeWithin(scale, 0, MOST_SCALE))
    wrong(`\`scale\` is how many decimal places a Decimal has, from 0 to ${MOST_SCALE}; write \`scale: 2\``)
  if (!isWholeWithin(sparsity, 1, MOST_SPARSITY))
    wrong(
      `\`sparsity\` is every how many levels a token is stored, from 1 to ${MOST_SPARSITY}; leave it out for ${SPARSITY}`,
    )
  return isRight ? ({ ...read, scale, sparsity } as RangeOptions) : undefined
}

function bound(option: 'min' | 'max', value: unknown, wrong: Report): string | undefined {
  const text = textOf(value)
  const which = option === 'min' ? 'least' : 'greatest'
  if (value === undefined)
    wrong(`does not say what the ${which} value is, without which there is no range; give it as \`${option}\``)
  else if (text === undefined) wrong(`\`${option}\` is the ${which} value: a number or, of a DateTime, a text`)
  return text
}

/** Of what JavaScript cannot hold as a number, too. */
function textOf(value: unknown): string | undefined {
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? undefined : value.toISOString()
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  return typeof value === 'string' ? value : undefined
}
