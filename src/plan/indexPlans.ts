import type { ModelSchema } from '../schema/encryptionSchema.js'
import { type Normalizers, normalizersOf } from './normalizers.js'
import type { CompoundPlan, IndexPlan, ModelPlan } from './plan.js'

/** Fields and indexes refer to each other. */
export function fillIndexes(
  { name, encrypted, combined, hiddenIndexes }: ModelPlan,
  model: ModelSchema,
  normalizers: Normalizers,
): void {
  const fields = new Map(encrypted.map((field) => [field.field, field]))
  for (const [column, { type, sources, unique, ...index }] of Object.entries(model.indexes)) {
    const plans = sources.map((source) => fields.get(source)!)
    const plan = {
      ...index,
      field: column,
      name: `${name}.${column}`,
      column: type,
      sources: plans,
      unique: !!unique,
      constrained: isConstrained(model, column),
      unsearchable: plans.some(({ shows }) => shows !== 'value'),
      normalizers: normalizersOf(index.normalize, normalizers),
    }
    for (const field of plans) (field.indexes as IndexPlan[]).push(plan)
    if (plans.length > 1) (combined as IndexPlan[]).push(plan)
    if (plan.unsearchable) (hiddenIndexes as string[]).push(column)
  }
}

/** Whether a unique constraint counts on the column of a blind index, alone or with other columns. */
export function isConstrained({ indexes, uniques }: ModelSchema, column: string): boolean {
  const { unique, partlyUnique } = indexes[column]!
  return unique === true || partlyUnique === true || Object.values(uniques).some((fields) => fields.includes(column))
}

/** A compound unique with a blind index in it goes by the name that it would have over the indexed field, too. */
export function fillUniques({ uniques, encrypted }: ModelPlan, model: ModelSchema): void {
  const all = uniques as Map<string, CompoundPlan>
  const indexes = new Map(encrypted.flatMap((field) => field.indexes.map((index) => [index.field, index])))
  for (const [selector, fields] of Object.entries(model.uniques)) {
    const own = fields.flatMap((field) => indexes.get(field) ?? [])
    all.set(selector, { selector, indexes: own })
    const plain = fields.flatMap((field) => indexes.get(field)?.sources.map((source) => source.field) ?? [field])
    const alias = plain.join('_')
    const isFree = !Object.hasOwn(model.uniques, alias) && !Object.hasOwn(model.columns, alias)
    if (selector === fields.join('_') && isFree) all.set(alias, { selector, indexes: own })
  }
}
