import type { InitAnswers } from './answers.js'
import { tenancyOf } from './markSchema.js'
import { relationNames, tenantColumnProblem } from './schemaCandidates.js'
import { type SchemaModel, schemaModels } from './schemaModels.js'

export interface TenantPathsFound {
  /** For the configuration: `{ Invoice: 'customer.shopId' }`. */
  readonly paths: { readonly [model: string]: string }
  /** Models with marks of which nothing says whose their rows are. */
  readonly without: readonly string[]
}

/** Whose the rows are of models that are marked and have no column of the tenant. */
export function tenantPathsOf(input: {
  readonly schema: readonly { readonly text: string }[]
  readonly answers?: InitAnswers
}): TenantPathsFound {
  const { fields = [], tenancy } = input.answers ?? {}
  if (tenancy?.kind !== 'many') return { paths: {}, without: [] }
  const { column } = tenancy
  const models = input.schema.flatMap(({ text }) => schemaModels(text))
  const lacking = models.filter(
    (model) =>
      fields.some((field) => field.startsWith(`${model.name}.`)) &&
      !(column && hasColumn(model, column)) &&
      tenancyOf(model) === undefined,
  )
  const found = lacking.map((model) => ({ name: model.name, path: column && tenantPath(models, model, column) }))
  return {
    paths: Object.fromEntries(found.flatMap(({ name, path }) => (path ? [[name, path]] : []))),
    without: found.flatMap(({ name, path }) => (path ? [] : [name])),
  }
}

/** More relations than this on the way are another design than somebody has in mind. */
const LONGEST = 3

/** The shortest way over relations from a model to one with the tenant's column: `customer.shopId`. */
function tenantPath(models: readonly SchemaModel[], from: SchemaModel, column: string): string | undefined {
  let ways: { readonly path: string; readonly model: SchemaModel }[] = [{ path: '', model: from }]
  const seen = new Set([from.name])
  for (let length = 0; length <= LONGEST; length += 1) {
    const found = ways.find(({ model }) => hasColumn(model, column))
    if (found) return `${found.path}${column}`
    ways = ways.flatMap(({ path, model }) =>
      model.fields
        .filter((field) => !field.isList && !field.isOptional && relationNames(field, 'fields').length > 0)
        .flatMap((field) => {
          const next = models.find(({ name }) => name === field.type)
          if (!next || seen.has(next.name)) return []
          seen.add(next.name)
          return [{ path: `${path}${field.name}.`, model: next }]
        }),
    )
  }
  return undefined
}

function hasColumn({ fields }: SchemaModel, column: string): boolean {
  return fields.some((field) => field.name === column && tenantColumnProblem(field) === undefined)
}
