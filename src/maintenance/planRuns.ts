import type { Slot } from '../cipher/cipher.js'
import { docsAt } from '../docs.js'
import { FieldsealError, quoted } from '../errors.js'
import type { KeyRing } from '../keys/keyRing.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import type { RunKeyring } from './jobs/runKeyring.js'
import { type MappedModel, possiblePaths } from './maintenanceModels.js'
import { keysTable } from './postgres/keysTable.js'
import type { PgConnection } from './postgres/sql.js'
import { selectFields } from './rows/model.js'
import type { Operation } from './rows/operation.js'
import { type Selection, type SelectionContext, selectModels } from './selection.js'
import type { TableRun } from './tableRun.js'

export interface MaintainContext extends SelectionContext {
  readonly ring: KeyRing
  readonly runKeys: RunKeyring
  /** Told of what was decrypted and encrypted, before it is written; may throw. */
  readonly audit: (operation: Operation, slots: readonly Slot[]) => void | Promise<void>
}

export interface PlanRunsOptions extends Selection {
  readonly operation: Operation
  readonly database: PgConnection
  readonly from?: string | undefined
}

/**
 * What an operation has to do, model by model.
 *
 * @throws FieldsealError `TENANT_MISSING` when it would encrypt rows and nothing says whose they are; `OPTIONS_INVALID`
 * when it would decrypt fields that this process's schema keeps encrypted
 */
export async function planRuns(context: MaintainContext, options: PlanRunsOptions): Promise<TableRun[]> {
  const { ring, runKeys, schema } = context
  const { operation, database, tenant } = options
  const all = selectModels(context, options)
  const chosen = options.from === undefined ? all : migratingFrom(all, options.from)
  if (operation === 'encrypt') for (const one of chosen) checkTenantKnown(schema, one)
  if (operation === 'decrypt') checkEjecting(schema, chosen)
  const keys = await keysTable(schema, database)
  const audit = (slots: readonly Slot[]) => context.audit(operation, slots)
  return chosen.map((target) => ({ ring, runKeys, audit, operation, database, target, keys, tenant }))
}

/** The fields that are migrating from a library. */
function migratingFrom(all: readonly MappedModel[], library: string): MappedModel[] {
  const chosen = all.flatMap(({ model, table }) => {
    const fields = model.fields.filter(({ former }) => former?.library === library).map(({ field }) => field)
    return fields.length === 0 ? [] : [{ model: selectFields(model, fields), table }]
  })
  if (chosen.length > 0) return chosen
  const message = `no field is migrating from ${quoted(library)}: name the fields in the option "migratingFrom" of fieldEncryption (${docsAt('converts.md')})`
  throw new FieldsealError('OPTIONS_INVALID', message)
}

/** Plaintext does not tell whose it is, and a guess would make it unreadable to its owner. */
function checkTenantKnown(schema: EncryptionSchema, { model, table }: MappedModel): void {
  if (table.tenant.kind !== 'unknown') return
  const paths = possiblePaths(schema, model.name).map((path) => `tenants: { ${model.name}: '${path}' }`)
  const advice =
    paths.length > 0 ? `say where it is, for example ${paths.join(' or ')}` : 'mark one as its tenant column'
  const message = `${model.name} has no column that is marked as its tenant, so nothing says whose its rows are; ${advice}, or set defaultTenant`
  throw new FieldsealError('TENANT_MISSING', message)
}

/** Whatever asks for plaintext, the schema that this process was deployed with has to agree. */
function checkEjecting(schema: EncryptionSchema, chosen: readonly MappedModel[]): void {
  const kept = chosen.flatMap(({ model }) =>
    model.fields
      .filter(({ field }) => schema.models[model.name]!.encrypted[field]!.state !== 'ejecting')
      .map(({ field }) => `${model.name}.${field}`),
  )
  if (kept.length === 0) return
  const message =
    `decrypt would put plaintext into ${kept.join(', ')}, which the schema keeps encrypted: mark what is to be plaintext ` +
    'as ejecting there and deploy that first; or choose other fields ("fields", --field)'
  throw new FieldsealError('OPTIONS_INVALID', message)
}
