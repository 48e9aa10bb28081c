import { LRUCache } from 'lru-cache'
import { own } from '../../own.js'
import type { MaintainedField, MaintainedModel } from './model.js'
import { hasCiphertext, type Operation, planRow, type RowStates, type RowWork } from './operation.js'
import type { Cell, StoredRow } from './rowSource.js'
import { stateOf, stateOfIndex } from './storedCell.js'

/** What an operation does to a row, and what it reads of it. */
export interface RowPlan extends RowWork {
  /** Whose ciphertexts are read. */
  readonly opened: readonly OpenedField[]
  /** Whose plaintexts are read. */
  readonly plain: readonly MaintainedField[]
}

export interface OpenedField {
  readonly field: MaintainedField
  /** It is to be encrypted anew, if under a retired DEK. */
  readonly toSeal: boolean
  /** It is needed for something else, too. */
  readonly toRead: boolean
}

/** Plans for rows: all whose cells are in the same states have the same one. */
export class RowPlanner {
  readonly #plans = new LRUCache<string, RowPlan>({ max: 1_000 })

  constructor(
    readonly operation: Operation,
    readonly model: MaintainedModel,
  ) {}

  plan(row: StoredRow): RowPlan {
    const { readable, indexes } = this.model
    let states = ''
    for (const field of readable) states += stateOf(field, cellAt(row, field))
    for (const index of indexes) states += stateOfIndex(index, cellAt(row, index))
    let plan = this.#plans.get(states)
    if (!plan) {
      plan = this.#make(row)
      this.#plans.set(states, plan)
    }
    return plan
  }

  protected work(states: RowStates): RowWork {
    return planRow(this.operation, this.model, states)
  }

  #make(row: StoredRow): RowPlan {
    const { readable, indexes } = this.model
    const states: RowStates = new Map([
      ...readable.map((field) => [field.field, stateOf(field, cellAt(row, field))] as const),
      ...indexes.map((index) => [index.field, stateOfIndex(index, cellAt(row, index))] as const),
    ])
    const work = this.work(states)
    const sources = new Set(work.index.flatMap((index) => index.sources))
    const needed = new Set([...work.reveal, ...work.open, ...readable.filter(({ field }) => sources.has(field))])
    const read = readable.filter((field) => needed.has(field) || work.seal.includes(field))
    return {
      ...work,
      opened: read
        .filter(({ field }) => hasCiphertext(states, field))
        .map((field) => ({ field, toSeal: work.seal.includes(field), toRead: needed.has(field) })),
      plain: read.filter(({ field }) => states.get(field) === 'plain'),
    }
  }
}

export function cellAt(row: StoredRow, { field }: { readonly field: string }): Cell {
  return own(row.cells, field) ?? null
}
