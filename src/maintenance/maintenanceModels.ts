import { FieldsealError } from '../errors.js'
import { own } from '../own.js'
import type { FieldPlan, IndexPlan, ModelPlan, Plans, TokenIndexPlan } from '../plan/plan.js'
import type { EncryptionSchema, ModelSchema, StorageType } from '../schema/encryptionSchema.js'
import type { MaintainedColumn, MaintainedTable, TenantJoin, TenantSource } from './postgres/table.js'
import type { MaintainedBlindIndex, MaintainedModel, MaintainedTokenIndex } from './rows/model.js'

/** Where the tenant of the rows of models without a `@tenant` column is found. */
export interface TenantPaths {
  /** Relations to follow, and a column at the end: `{ Contact: 'patient.clinicId' }`. */
  readonly [model: string]: string
}

/** A model as maintenance works on it, and where its rows are. */
export interface MappedModel {
  readonly model: MaintainedModel
  readonly table: MaintainedTable
}

export interface MaintenanceModelsOptions {
  readonly schema: EncryptionSchema
  readonly plans: Plans
  readonly tenants: TenantPaths
  readonly defaultTenant: string | undefined
}

interface ColumnSchema {
  readonly type: StorageType
  readonly list?: true
}

/** All models with encrypted fields. */
export function maintenanceModels(options: MaintenanceModelsOptions): MappedModel[] {
  checkPaths(options)
  return [...options.plans.values()]
    .filter(({ encrypted }) => encrypted.length > 0)
    .map((plan) => mappedModel(options, plan, options.schema.models[plan.name]!))
}

function mappedModel(options: MaintenanceModelsOptions, plan: ModelPlan, schema: ModelSchema): MappedModel {
  const column = (field: string) => schema.columns[field]!
  const fields = plan.encrypted
  const blind = new Set(fields.flatMap(({ indexes }) => indexes))
  const tokens = fields.flatMap(({ tokenIndexes }) => tokenIndexes)
  const indexes = [...[...blind].map((index) => blindIndex(schema, index)), ...tokens.map(tokenIndex)]
  const mappedColumn = ({ type, list }: ColumnSchema, field: string): MaintainedColumn => {
    return { column: column(field), storage: type, list: list === true }
  }
  const tokenColumn = (_: unknown, field: string): MaintainedColumn => {
    return { column: column(field), storage: 'Tokens', list: true }
  }
  return {
    model: { name: plan.name, fields, readable: fields, indexes },
    table: {
      schema: schema.schema,
      table: schema.table,
      fields: mapValues(schema.encrypted, mappedColumn),
      indexes: { ...mapValues(schema.indexes, mappedColumn), ...mapValues(schema.tokenIndexes ?? {}, tokenColumn) },
      bound: mapValues(schema.bound, (_, field) => column(field)),
      tenant: tenantSource(options, plan.name),
    },
  }
}

function blindIndex(schema: ModelSchema, cipher: IndexPlan): MaintainedBlindIndex {
  return { kind: 'blind', ...placeOf(cipher), unique: isUnique(schema, cipher), cipher }
}

function tokenIndex(cipher: TokenIndexPlan): MaintainedTokenIndex {
  return { kind: 'tokens', ...placeOf(cipher), cipher }
}

function placeOf({ field, sources }: { readonly field: string; readonly sources: readonly FieldPlan[] }) {
  return { field, sources: sources.map((source) => source.field) }
}

/** By itself, or together with the tenant, whose key it is made with. */
function isUnique({ uniques, tenant }: ModelSchema, { field, scope, unique }: IndexPlan): boolean {
  if (unique || scope === 'global') return unique
  return Object.values(uniques).some(
    (fields) => fields.includes(field) && fields.every((one) => one === field || one === tenant),
  )
}

function mapValues<T, R>(
  record: { readonly [name: string]: T },
  make: (value: T, name: string) => R,
): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, make(value, name)]))
}

function tenantSource({ schema, tenants, defaultTenant }: MaintenanceModelsOptions, name: string): TenantSource {
  const model = schema.models[name]!
  if (model.tenant !== undefined) return { kind: 'column', joins: [], column: model.columns[model.tenant]! }
  const path = own(tenants, name)
  if (path !== undefined) return followPath(schema, name, path)
  return defaultTenant === undefined ? { kind: 'unknown' } : { kind: 'fixed', tenant: defaultTenant }
}

function followPath(schema: EncryptionSchema, name: string, path: string): TenantSource {
  const steps = path.split('.')
  const column = steps.pop()!
  const joins: TenantJoin[] = []
  let at = name
  for (const step of steps) {
    const relation = own(schema.models[at]!.relations, step)
    if (!relation || relation.list || relation.from.length === 0)
      throw badPath(name, path, `${at}.${step} is no relation with a foreign key`)
    const [near, far] = [schema.models[at]!, schema.models[relation.model]!]
    const from = relation.from.map((field) => near.columns[field]!)
    joins.push({ schema: far.schema, table: far.table, from, to: relation.to.map((field) => far.columns[field]!) })
    at = relation.model
  }
  const target = own(schema.models[at]!.columns, column)
  if (target === undefined) throw badPath(name, path, `${at} has no column ${column}`)
  return { kind: 'column', joins, column: target }
}

function checkPaths({ schema, tenants }: MaintenanceModelsOptions): void {
  for (const [name, path] of Object.entries(tenants)) {
    const model = own(schema.models, name)
    if (!model) throw badPath(name, path, `there is no model ${name}`)
    if (model.tenant !== undefined)
      throw badPath(name, path, `${name}.${model.tenant} is marked @tenant and says it already`)
  }
}

/** Paths that lead from a model to a `@tenant` column, the shortest first: what may be meant. */
export function possiblePaths(schema: EncryptionSchema, name: string): string[] {
  const found: string[] = []
  const seen = new Set([name])
  let ends = [{ model: name, path: '' }]
  while (ends.length > 0) {
    const next: typeof ends = []
    for (const { model, path } of ends) {
      for (const [field, relation] of Object.entries(schema.models[model]!.relations)) {
        if (relation.from.length === 0 || seen.has(relation.model)) continue
        seen.add(relation.model)
        const { tenant } = schema.models[relation.model]!
        if (tenant === undefined) next.push({ model: relation.model, path: `${path}${field}.` })
        else found.push(`${path}${field}.${tenant}`)
      }
    }
    ends = next
  }
  return found
}

function badPath(model: string, path: string, why: string): FieldsealError {
  const message = `tenants: { ${model}: "${path}" } leads nowhere: ${why}. Write relations and a column, as in "patient.clinicId"`
  return new FieldsealError('OPTIONS_INVALID', message)
}
