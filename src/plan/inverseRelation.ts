import type { EncryptionSchema, ModelSchema, RelationSchema } from '../schema/encryptionSchema.js'
import type { RelationPlan } from './plan.js'

/** The other side of a relation. Its field is not known where the schema ignores it. */
export interface InverseRelation {
  readonly other: ModelSchema
  readonly inverse: RelationSchema | undefined
}

export function inverseRelation(schema: EncryptionSchema, name: string, field: string): InverseRelation {
  const near = schema.models[name]!.relations[field]!
  const other = schema.models[near.model]!
  const candidates = Object.entries(other.relations).filter(([candidate]) => near.model !== name || candidate !== field)
  const inverse = candidates.find(([, { model, relationName }]) => model === name && relationName === near.relationName)
  return { other, inverse: inverse?.[1] }
}

/** What new rows on the other side take from this one through their foreign key: tenant and bound columns. */
export function inheritedColumns({ other, inverse }: InverseRelation): RelationPlan['inherited'] {
  if (!inverse) return []
  return inverse.from
    .map((column, position) => ({ column, own: inverse.to[position]! }))
    .filter(({ column }) => column === other.tenant || Object.hasOwn(other.bound, column))
}

/** Whether either end of a relation holds its foreign key in a bound column; an end that is not known may. */
export function linksBoundColumns(
  model: ModelSchema,
  relation: RelationSchema,
  { other, inverse }: InverseRelation,
): boolean {
  const isBound = (owner: ModelSchema) => (column: string) => Object.hasOwn(owner.bound, column)
  const far = inverse ? inverse.from : Object.keys(other.bound)
  return relation.from.some(isBound(model)) || far.some(isBound(other))
}
