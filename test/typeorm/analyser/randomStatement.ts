import type { Dice } from '../../differential/dice.js'
import { randomSelect } from './randomSelect.js'
import { randomWrite } from './randomWrite.js'
import { Writing } from './writing.js'

export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** Its rows come in one order. */
  readonly ordered: boolean
  readonly writes: boolean
  readonly features: readonly string[]
}

export function randomStatement(dice: Dice): Statement {
  const w = new Writing(dice)
  const read = dice.chance(0.65) ? randomSelect(w, { around: [], named: [], depth: dice.of([0, 1, 1, 2]) }) : undefined
  const text = read?.text ?? randomWrite(w)
  return { text, values: w.values, ordered: read?.ordered ?? false, writes: !read, features: [...w.features] }
}
