import type { Dice } from './dice.js'
import type { Call } from './randomCase.js'
import { flatRecord } from './randomData.js'
import { type Model, type Schema, selectorsOf } from './schema.js'

type Row = { [field: string]: unknown }

/** Rows that break no constraint, model by model in the order in which they refer to each other. */
export function seedRows(dice: Dice, schema: Schema): Call[] {
  const rows = new Map<string, Row[]>()
  for (const model of schema.models) rows.set(model.name, modelRows(dice, schema, model, rows))
  return [...rows].map(([model, data]) => ({ model, operation: 'createMany', args: { data } }))
}

function modelRows(dice: Dice, schema: Schema, model: Model, others: ReadonlyMap<string, Row[]>): Row[] {
  const rows: Row[] = []
  for (let tries = dice.int(2, 9); tries > 0; tries--) {
    const row = flatRecord(dice, model, { schema, depth: 0 })
    if ('tenantId' in row) row.tenantId = 'acme'
    if (linkToRows(dice, model, row, others) && isNew(model, row, rows)) rows.push(row)
  }
  return rows
}

function linkToRows(dice: Dice, model: Model, row: Row, others: ReadonlyMap<string, Row[]>): boolean {
  return model.relations.every(({ from, to, model: target, optional }) => {
    if (from.length === 0) return true
    const targets = others.get(target) ?? []
    const chosen = targets.length > 0 && !(optional && dice.chance(0.3)) ? dice.of(targets) : undefined
    from.forEach((field, position) => {
      row[field] = chosen ? chosen[to[position]!] : null
    })
    return optional || chosen !== undefined
  })
}

function isNew(model: Model, row: Row, rows: readonly Row[]): boolean {
  return selectorsOf(model).every(({ fields }) => {
    const key = JSON.stringify(fields.map((field) => row[field] ?? null))
    return rows.every(
      (other) => JSON.stringify(fields.map((field) => other[field] ?? null)) !== key || key.includes('null'),
    )
  })
}
