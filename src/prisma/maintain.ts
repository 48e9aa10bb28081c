import type { Slot } from '../cipher.js'
import { FieldsealError } from '../errors.js'
import type { KeyRing } from '../keys/keyRing.js'
import { selectFields } from '../maintenance/model.js'
import { OPERATIONS, type Operation } from '../maintenance/operation.js'
import type { MaxLag, Strain } from '../maintenance/pressure.js'
import type { Problem } from '../maintenance/problem.js'
import type { RangeFailure, Workers } from '../maintenance/ranges.js'
import type { ProgressEvent, RunReport } from '../maintenance/run.js'
import { type PgConnection, tableName } from '../postgres/sql.js'
import type { KeysTable } from '../postgres/table.js'
import { readTableFacts } from '../postgres/tableFacts.js'
import type { EncryptionSchema } from '../schema/encryptionSchema.js'
import { checkTenant } from '../tenant.js'
import { type Maintained, maintainedModels, possiblePaths, type TenantPaths } from './maintained.js'
import { type ModelTask, runAlone } from './modelTask.js'
import type { Plans } from './plan.js'
import { runShared } from './sharedRun.js'

/** Which rows are meant. */
export interface Choice {
  /** Models to work on; all that have encrypted fields unless given. */
  readonly models?: readonly string[] | undefined
  /** Fields to work on, as `Model.field`; all encrypted ones unless given. */
  readonly fields?: readonly string[] | undefined
  /** Only the rows of this tenant. */
  readonly tenant?: string | undefined
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined
}

/** What `$encryption.maintain` takes. */
export interface MaintainOptions extends Choice {
  readonly operation: Operation
  /** A Pool of the package `pg`, with two connections or more; Prisma has no part in this. */
  readonly database: PgConnection
  /** What happens to a row with a problem: it is left as it is (the default), or the run stops. */
  readonly onError?: 'skip' | 'stop' | undefined
  /** Counts what would be done and changes nothing; makes no key and leaves no trace. */
  readonly dryRun?: boolean | undefined
  /** The most rows worked on in a second; unlimited unless given. */
  readonly rowsPerSecond?: number | undefined
  /** Waits while a standby is further behind than this. */
  readonly maxLag?: MaxLag | undefined
  /**
   * Has workers do the work, on this machine or on others, instead of this process: each calls `maintainRange` for jobs
   * of the queue. Nothing is done while there is no worker.
   */
  readonly workers?: Workers | undefined
  /** Begins anew instead of going on where an unfinished run stopped. */
  readonly restart?: boolean | undefined
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
  readonly onProblem?: ((problem: Problem) => void) | undefined
  /** Told each time that writes are held back, for locks of others or for a standby that is behind. */
  readonly onWait?: ((strain: Strain) => void) | undefined
  /** Told when a worker could not do a range, which will be tried again. */
  readonly onFailure?: ((failure: RangeFailure) => void) | undefined
}

export interface ChoiceContext {
  readonly schema: EncryptionSchema
  readonly plans: Plans
  readonly defaultTenant: string | undefined
}

export interface MaintainContext extends ChoiceContext {
  readonly ring: KeyRing
  /** Told of what was decrypted and encrypted, before it is written; may throw. */
  readonly watch: (operation: Operation, slots: readonly Slot[]) => void
}

/** Runs an operation over the chosen models, one after the other. A run that ends early leaves out those that follow. */
export async function maintain(context: MaintainContext, options: MaintainOptions): Promise<RunReport[]> {
  checkOptions(context, options)
  const chosen = choose(context, options)
  checkTenantsKnown(context, options.operation, chosen)
  const keys = await keysTable(context.schema, options.database)
  const { ring, watch } = context
  const reports: RunReport[] = []
  for (const one of chosen) {
    const task: ModelTask = { ...options, ring, watch: (slots) => watch(options.operation, slots), one, keys }
    const report = await (options.workers ? runShared(task, options, options.workers) : runAlone(task, options))
    reports.push(report)
    if (report.outcome !== 'done') break
  }
  return reports
}

/** The models and fields that are asked for. */
export function choose({ schema, plans, defaultTenant }: ChoiceContext, options: Choice): Maintained[] {
  const all = maintainedModels({ schema, plans, tenants: options.tenants ?? {}, defaultTenant })
  const fields = options.fields?.map(splitField)
  const models = new Set(options.models ?? fields?.map(([model]) => model) ?? all.map(({ model }) => model.name))
  for (const name of models) checkModel(all, name)
  for (const [name] of fields ?? [])
    if (!models.has(name)) throw invalid(`"fields" names a field of ${name}, which "models" leaves out`)
  const chosen = all
    .filter(({ model }) => models.has(model.name))
    .map(({ model, table }) => {
      const own = fields?.filter(([name]) => name === model.name).map(([, field]) => field)
      return { model: selectFields(model, own?.length === 0 ? undefined : own), table }
    })
  return chosen
}

function splitField(name: string): [model: string, field: string] {
  const [model = '', field = ''] = name.split('.')
  return [model, field]
}

function checkModel(all: readonly Maintained[], name: string): void {
  if (all.some(({ model }) => model.name === name)) return
  throw invalid(`${name} is no model with encrypted fields; there are ${all.map(({ model }) => model.name).join(', ')}`)
}

/** Plaintext does not tell whose it is, and a guess would make it unreadable to its owner. */
export function checkTenantsKnown(
  { schema }: MaintainContext,
  operation: Operation,
  chosen: readonly Maintained[],
): void {
  if (operation === 'encrypt') for (const one of chosen) checkTenantKnown(schema, one)
}

function checkTenantKnown(schema: EncryptionSchema, { model, table }: Maintained): void {
  if (table.tenant.kind !== 'unknown') return
  const paths = possiblePaths(schema, model.name).map((path) => `tenants: { ${model.name}: '${path}' }`)
  const advice = paths.length > 0 ? `say where it is, for example ${paths.join(' or ')}` : 'mark one with /// @tenant'
  const message = `${model.name} has no @tenant column, so nothing says whose its rows are; ${advice}, or set defaultTenant`
  throw new FieldsealError('TENANT_MISSING', message)
}

export async function keysTable({ keysModel, models }: EncryptionSchema, database: PgConnection): Promise<KeysTable> {
  const { schema, table, columns } = models[keysModel]!
  const { types } = await readTableFacts(database, tableName({ schema, table }))
  const { id, tenant, version, state } = columns
  return { schema, table, id: id!, idType: types.get(id!)!, tenant: tenant!, version: version!, state: state! }
}

function checkOptions({ schema }: ChoiceContext, options: MaintainOptions): void {
  const { operation, database, tenant, rowsPerSecond = 1, onError = 'skip', workers, dryRun } = options
  if (!OPERATIONS.includes(operation)) throw invalid(`"operation" must be one of ${OPERATIONS.join(', ')}`)
  if (typeof database?.query !== 'function') throw invalid('"database" must be a Pool of the package pg')
  if (tenant !== undefined) checkTenant(tenant)
  if (!(rowsPerSecond > 0)) throw invalid('"rowsPerSecond" must be a number above 0')
  if (workers && dryRun) throw invalid('"dryRun" counts in this process: leave "workers" out')
  if (workers && !(Number.isInteger(workers.count) && workers.count > 0))
    throw invalid('"workers.count" must be a whole number above 0')
  if (onError !== 'skip' && onError !== 'stop') throw invalid('"onError" must be "skip" or "stop"')
  if (schema.keysModel === '') throw invalid('the schema encrypts nothing yet: mark a field with /// @encrypted')
}

function invalid(what: string): FieldsealError {
  return new FieldsealError('OPTIONS_INVALID', `$encryption.maintain: ${what}`)
}
