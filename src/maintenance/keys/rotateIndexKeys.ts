import {
  checkArguments,
  checkCallOptions,
  FUNCTION,
  type Kinds,
  NUMBER,
  OBJECT,
  POOL,
  SIGNAL,
  TEXT,
  TEXTS_BY_NAME,
} from '../../callArguments.js'
import type { FieldsealError } from '../../errors.js'
import { invalidOptions } from '../../invalidOptions.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { checkTenant, GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { type MaintainOptions, maintain } from '../maintain.js'
import type { MaintainContext } from '../planRuns.js'
import { openTransactionsEnd } from '../postgres/openTransactions.js'
import { pause } from '../rows/batchSize.js'
import type { RunReport } from '../rows/run.js'
import { type KeyFailure, walkKeys } from './keyWalk.js'

const invalid = invalidOptions('rotateIndexKeys:')

/** What is done with rows is done as `maintain` does it. */
type RowOptions = Pick<
  MaintainOptions,
  | 'database'
  | 'tenants'
  | 'rowsPerSecond'
  | 'maxLag'
  | 'workers'
  | 'signal'
  | 'onProgress'
  | 'onProblem'
  | 'onWait'
  | 'onFailure'
>

/** What `$encryption.rotateIndexKeys` takes. */
export interface RotateIndexKeysOptions extends RowOptions {
  /** Only the key of this tenant; of all tenants unless given. */
  readonly tenant?: string | undefined
  /**
   * How long it may take from when a process has made tokens until PostgreSQL has begun the statement with them, and until
   * standbys that are searched have what was written, in milliseconds; 10,000 unless given.
   */
  readonly settle?: number | undefined
  /** Told what it does next. */
  readonly onStep?: ((step: IndexRotationStep) => void) | undefined
}

/**
 * - `add`: new keys stand beside the present ones
 * - `forget`: it waits until no process works any more by what it held before, nor is in a transaction of then
 * - `fill`: all rows get tokens under the new keys, too
 * - `settle`: it waits until nobody sees rows any more as they were without these
 * - `retire`: the old keys are not used any more
 * - `drop`: the tokens under the old keys go
 * - `destroy`: the old keys go
 */
export interface IndexRotationStep {
  readonly step: 'add' | 'forget' | 'fill' | 'settle' | 'retire' | 'drop' | 'destroy'
  /** How long it takes at least, in milliseconds. */
  readonly wait?: number
  /** How many keys, or transactions, it is about. */
  readonly count?: number
}

export interface IndexRotationReport {
  /** `left`: rows have problems, and the old keys stay until they are seen to. The same call goes on. */
  readonly outcome: 'done' | 'interrupted' | 'left'
  /** New keys. */
  readonly added: number
  /** Old keys that are gone. */
  readonly destroyed: number
  /** Keys that could not be given a successor; the others were. */
  readonly failed: readonly KeyFailure[]
  readonly runs: readonly RunReport[]
}

const SETTLE = 10_000
const LONGEST_TIMER = 2 ** 30
/** GenerateDataKey of Tencent's lowest tier, as `rotate`. */
const RATE = 100

const KINDS: Kinds = {
  database: POOL,
  tenant: TEXT,
  tenants: TEXTS_BY_NAME,
  settle: NUMBER,
  rowsPerSecond: NUMBER,
  maxLag: OBJECT,
  workers: OBJECT,
  signal: SIGNAL,
  onStep: FUNCTION,
  onProgress: FUNCTION,
  onProblem: FUNCTION,
  onWait: FUNCTION,
  onFailure: FUNCTION,
}

/**
 * Replaces the keys for indexes beside a running app: at no moment does a search miss a row. What is done is written in the
 * keys table, so that a call that was broken off is begun again and goes on. docs/operations.md has the states.
 *
 * @throws FieldsealError `OPTIONS_INVALID` where a blind index stands against it
 */
export async function rotateIndexKeys(
  context: MaintainContext,
  options: RotateIndexKeysOptions,
): Promise<IndexRotationReport> {
  checkCallOptions('rotateIndexKeys', options, KINDS)
  checkArguments('rotateIndexKeys', { database: options.database }, { database: POOL })
  if (options.tenant !== undefined) checkTenant(options.tenant)
  if (!((options.settle ?? 0) >= 0)) throw invalid('"settle" must be a number from 0 on')
  return new IndexRotation(context, options).run()
}

class IndexRotation {
  readonly #runs: RunReport[] = []
  #added = 0
  #destroyed = 0
  #failed: readonly KeyFailure[] = []

  constructor(
    private readonly context: MaintainContext,
    private readonly options: RotateIndexKeysOptions,
  ) {}

  async run(): Promise<IndexRotationReport> {
    const scopes = rotatableScopes(this.context.schema)
    await this.#add(scopes)
    const isEnded = (await this.#replace()) && (await this.#drop())
    const outcome = isEnded ? 'done' : this.#isAborted ? 'interrupted' : 'left'
    return { outcome, added: this.#added, destroyed: this.#destroyed, failed: this.#failed, runs: this.#runs }
  }

  async #add(scopes: ReadonlySet<Scope>): Promise<void> {
    const { tenant, signal } = this.options
    const { indexKeys } = this.context.ring
    this.#tell({ step: 'add' })
    const report = await walkKeys({
      store: indexKeys.store,
      filter: { purpose: 'index', states: ['active'], before: new Date() },
      options: { ...(tenant !== undefined && { tenants: tenant }), ...(signal && { signal }) },
      rate: RATE,
      each: async (row) => scopes.has(scopeOf(row.tenant)) && indexKeys.add(row.tenant),
    })
    this.#added = report.changed
    this.#failed = report.failed
  }

  /** Gives all rows tokens under the new keys, and has the old ones not used any more. */
  async #replace(): Promise<boolean> {
    const { indexKeys } = this.context.ring
    const retiring = await indexKeys.inState('retiring', this.options.tenant)
    if (retiring.length === 0) return true
    if (!(await this.#forgotten()) || !(await this.#reindexed('fill'))) return false
    // Nobody may look for the new tokens among rows as they were before these were there.
    if (!(await this.#settled('settle', this.#settle))) return false
    this.#tell({ step: 'retire', count: retiring.length })
    for (const row of retiring) await indexKeys.advance(row, 'retired')
    return true
  }

  /** Takes away the tokens under old keys, and these. */
  async #drop(): Promise<boolean> {
    const { indexKeys } = this.context.ring
    const retired = await indexKeys.inState('retired', this.options.tenant)
    if (retired.length === 0) return true
    if (!(await this.#forgotten()) || !(await this.#reindexed('drop'))) return false
    this.#tell({ step: 'destroy', count: retired.length })
    for (const row of retired) if (await indexKeys.advance(row, 'destroyed')) this.#destroyed += 1
    return true
  }

  /**
   * Waits until all processes work by the keys table as it is. It is not reckoned from the times in the table, which may be
   * by other clocks.
   */
  #forgotten(): Promise<boolean> {
    return this.#settled('forget', this.context.ring.indexKeys.memoryTime + this.#settle)
  }

  async #settled(step: 'forget' | 'settle', wait: number): Promise<boolean> {
    const { database, signal } = this.options
    this.#tell({ step, wait })
    await waitOut(wait, signal)
    await openTransactionsEnd(database, { signal, onWait: (count) => this.#tell({ step, count }) })
    return !this.#isAborted
  }

  async #reindexed(step: 'fill' | 'drop'): Promise<boolean> {
    const { schema } = this.context
    const { tenant, settle, onStep, ...options } = this.options
    const models = Object.keys(schema.models).filter((name) => schema.models[name]!.tokenIndexes !== undefined)
    this.#tell({ step })
    const own = tenant === GLOBAL_TENANT ? undefined : tenant
    const runs = await maintain(this.context, { ...options, operation: 'reindex', models, tenant: own, restart: true })
    this.#runs.push(...runs)
    return runs.every(({ outcome, skipped }) => outcome === 'done' && skipped === 0)
  }

  #tell(step: IndexRotationStep): void {
    this.options.onStep?.(step)
  }

  get #settle(): number {
    return this.options.settle ?? SETTLE
  }

  get #isAborted(): boolean {
    return this.options.signal?.aborted === true
  }
}

/** A timer counts no further than 24 days, and more than that as no time at all. */
async function waitOut(ms: number, signal: AbortSignal | undefined): Promise<void> {
  const end = performance.now() + ms
  for (let left = ms; left > 0 && !signal?.aborted; left = end - performance.now()) {
    await pause(Math.max(1, Math.min(left, LONGEST_TIMER)), signal)
  }
}

type Scope = 'tenant' | 'global'

function scopeOf(tenant: string): Scope {
  return tenant === GLOBAL_TENANT ? 'global' : 'tenant'
}

/** The scopes in which there are token indexes, and no blind one: the column of that holds what one key makes. */
function rotatableScopes({ models }: EncryptionSchema): Set<Scope> {
  const all = Object.entries(models)
  const blind = all.flatMap(([model, { indexes }]) =>
    Object.entries(indexes).map(([field, { scope }]) => ({ name: `${model}.${field}`, scope })),
  )
  const tokens = new Set(
    all.flatMap(([, { tokenIndexes = {} }]) => Object.values(tokenIndexes).map(({ scope }) => scope)),
  )
  const rotatable = [...tokens].filter((scope) => blind.every((index) => index.scope !== scope))
  if (rotatable.length === 0) throw notRotatable(blind.map(({ name }) => name))
  return new Set(rotatable)
}

function notRotatable(blind: readonly string[]): FieldsealError {
  const why =
    blind.length === 0
      ? 'the schema has no text or range index'
      : `${blind.join(', ')} ${blind.length === 1 ? 'is a blind index' : 'are blind indexes'} under the same keys, and a column that holds what one key makes has no room for a second: searches would miss rows meanwhile`
  return invalid(why)
}
