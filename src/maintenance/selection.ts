import { type Kinds, POOL, TEXT, TEXTS, TEXTS_BY_NAME } from '../callArguments.js'
import { splitFieldName } from '../fieldName.js'
import { invalidOptions } from '../invalidOptions.js'
import type { Plans } from '../plan/plan.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { type MappedModel, maintenanceModels, type TenantPaths } from './maintenanceModels.js'
import { selectFields } from './rows/model.js'

const invalid = invalidOptions('maintain:')

/** Which rows are meant. */
export interface Selection {
  /** Models to work on; all that have encrypted fields unless given. */
  readonly models?: readonly string[] | undefined
  /** Fields to work on, as `Model.field`; all encrypted ones unless given. */
  readonly fields?: readonly string[] | undefined
  /** Only the rows of this tenant. */
  readonly tenant?: string | undefined
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined
}

/** What the options must be. */
export const SELECTION_KINDS: Kinds = {
  models: TEXTS,
  fields: TEXTS,
  tenant: TEXT,
  tenants: TEXTS_BY_NAME,
  database: POOL,
}

export interface SelectionContext {
  readonly schema: EncryptionSchema
  readonly plans: Plans
  readonly defaultTenant: string | undefined
}

/** The models and fields that are asked for. */
export function selectModels({ schema, plans, defaultTenant }: SelectionContext, options: Selection): MappedModel[] {
  const all = maintenanceModels({ schema, plans, tenants: options.tenants ?? {}, defaultTenant })
  const fields = options.fields?.map(splitFieldName)
  const models = new Set(options.models ?? fields?.map(([model]) => model) ?? all.map(({ model }) => model.name))
  for (const name of models) checkKnownModel(all, name)
  for (const [name] of fields ?? [])
    if (!models.has(name)) throw invalid(`"fields" names a field of ${name}, which "models" leaves out`)
  return all
    .filter(({ model }) => models.has(model.name))
    .map(({ model, table }) => {
      const own = fields?.filter(([name]) => name === model.name).map(([, field]) => field)
      return { model: selectFields(model, own?.length === 0 ? undefined : own), table }
    })
}

function checkKnownModel(all: readonly MappedModel[], name: string): void {
  if (all.some(({ model }) => model.name === name)) return
  throw invalid(`${name} is no model with encrypted fields; there are ${all.map(({ model }) => model.name).join(', ')}`)
}
