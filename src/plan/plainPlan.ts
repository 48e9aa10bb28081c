import { compilePlans } from './compilePlans.js'
import type { ModelPlan } from './plan.js'

/** The plan of a table or view of which nothing is encrypted, or known to be. */
export function plainPlan(name: string, table: string): ModelPlan {
  const nothing = { id: [], uniques: {}, columns: {}, encrypted: {}, indexes: {}, bound: {}, relations: {} }
  const models = { [name]: { table, ...nothing } }
  return compilePlans({ format: 4, keysModel: '', models }, { toDecimal: Object }).get(name)!
}
