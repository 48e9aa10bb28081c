import type { KnownValues } from '../../client/boundColumns.js'
import { own } from '../../own.js'
import type { ModelPlan, RelationPlan } from '../../plan/plan.js'
import { fixedBy } from '../query/fixedBy.js'
import { isAbsent, isPlainObject } from '../values.js'

/** The data's own values, and the tenant and bound columns that its links give. */
export function withLinks(plan: ModelPlan, data: Record<string, unknown>): KnownValues {
  const links = plan.links.filter(({ field }) => isPlainObject(own(data, field)))
  if (links.length === 0) return data
  const linked = links.flatMap((relation) => {
    const row = linkedRow(relation, data[relation.field] as Record<string, unknown>)
    return relation.from.map((column, position) => [column, own(row, relation.to[position]!)])
  })
  const written = Object.entries(data).filter(([, value]) => !isAbsent(value))
  return Object.fromEntries([...linked, ...written])
}

/** What is known of the row that a new link leads to. */
function linkedRow({ model }: RelationPlan, link: Record<string, unknown>): KnownValues {
  if (isPlainObject(link.connect)) return fixedBy(model, link.connect)
  if (isPlainObject(link.connectOrCreate)) return eitherWay(model, link.connectOrCreate)
  return isPlainObject(link.create) ? link.create : {}
}

/** What the row has, whether it was there or is created. */
function eitherWay(model: ModelPlan, { where, create }: Record<string, unknown>): KnownValues {
  const created = isPlainObject(create) ? create : {}
  return Object.fromEntries(
    Object.entries(fixedBy(model, where)).filter(([column, value]) => own(created, column) === value),
  )
}
