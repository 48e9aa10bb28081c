import type { Dice } from './dice.js'
import { randomCall } from './randomCall.js'
import { changedRecord } from './randomData.js'
import { seedRows } from './randomRows.js'
import { randomUnique } from './randomWhere.js'
import { type Model, modelOf, type Schema } from './schema.js'

/** One call of a client; `fluent` is what is chained to it. */
export interface Call {
  readonly model: string
  readonly operation: string
  readonly args: { readonly [argument: string]: unknown }
  readonly fluent?: readonly { readonly field: string; readonly args: { readonly [argument: string]: unknown } }[]
}

export type Step =
  | { readonly kind: 'call'; readonly calls: readonly Call[] }
  | { readonly kind: 'batch'; readonly calls: readonly Call[] }
  | { readonly kind: 'interactive'; readonly calls: readonly Call[]; readonly rollback: boolean }

/** Plaintext that is still there in a migrating field. */
export interface Plant {
  readonly kind: 'plant'
  readonly model: string
  readonly id: { readonly [field: string]: unknown }
  readonly field: string
}

export type Case = readonly (Step | Plant)[]

/** Rows, links between them, and then anything. */
export function randomCase(dice: Dice, schema: Schema): Case {
  const seeds = seedRows(dice, schema)
  const rows = seeds.map((call): Step => ({ kind: 'call', calls: [call] }))
  const links = dice.list(0, 2, (): Step => ({ kind: 'call', calls: [linkCall(dice, schema)] }))
  return [...rows, ...plants(dice, schema, seeds), ...links, ...dice.list(4, 14, () => randomStep(dice, schema))]
}

function plants(dice: Dice, schema: Schema, seeds: readonly Call[]): Plant[] {
  return seeds.flatMap(({ model, args }) => {
    const { id, columns } = modelOf(schema, model)
    const migrating = columns.filter(({ encrypted }) => encrypted?.migrating)
    return (args.data as { [field: string]: unknown }[]).flatMap((row) =>
      dice.some(migrating, 0.4).map((column): Plant => {
        const key = Object.fromEntries(id.map((field) => [field, row[field]]))
        return { kind: 'plant', model, id: key, field: column.name }
      }),
    )
  })
}

function linkCall(dice: Dice, schema: Schema): Call {
  const model = dice.of(schema.models)
  const data = changedRecord(dice, modelOf(schema, model.name), { schema, depth: 1 })
  return { model: model.name, operation: 'update', args: { where: randomUnique(dice, schema, model), data } }
}

function randomStep(dice: Dice, schema: Schema): Step {
  const call = () => randomCall(dice, schema, randomModel(dice, schema))
  return dice.weighted<Step>([
    [16, () => ({ kind: 'call', calls: [call()] })],
    [1, () => ({ kind: 'batch', calls: dice.list(1, 4, call).map(({ fluent: _, ...rest }) => rest) })],
    [1, () => ({ kind: 'interactive', calls: dice.list(1, 4, call), rollback: dice.chance(0.4) })],
  ])
}

function randomModel(dice: Dice, schema: Schema): Model {
  return dice.of(schema.models)
}

/** Smaller variants of a case; `from` says where the last one that failed was cut. */
export function* smallerCases(value: Case, from: number): Generator<[Case, number]> {
  if (from === 0) {
    for (let size = value.length >> 1; size >= 1; size >>= 1) {
      for (let start = 0; start < value.length; start += size) {
        yield [[...value.slice(0, start), ...value.slice(start + size)], 0]
      }
    }
  }
  let position = 0
  for (const smaller of cut(value)) {
    position += 1
    if (position > from) yield [smaller as Case, Math.max(1, position - 1)]
  }
}

/** The same with one key or element left out, or one element in place of its list. */
function* cut(value: unknown): Generator<unknown> {
  if (Array.isArray(value)) {
    for (const index of value.keys()) yield value.toSpliced(index, 1)
    for (const [index, element] of value.entries()) for (const part of cut(element)) yield value.with(index, part)
  } else if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    if (entries.length === 1 && entries[0]![0].startsWith('$')) return
    for (const [key] of entries) {
      if (!KEPT.has(key)) yield Object.fromEntries(entries.filter(([other]) => other !== key))
    }
    for (const [key, element] of entries) {
      for (const part of cut(element))
        yield Object.fromEntries(entries.map((entry) => (entry[0] === key ? [key, part] : entry)))
    }
  }
}

const KEPT = new Set(['kind', 'calls', 'model', 'operation', 'args', 'rollback', 'id', 'field'])
