import {
  BOOLEAN,
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
import { invalidOptions } from '../../invalidOptions.js'
import type { NextState, ReplacedState } from '../../keys/keyStore.js'
import { checkTenant, GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { type MaintainOptions, maintain } from '../maintain.js'
import type { MaintainContext } from '../planRuns.js'
import { openTransactionsEnd } from '../postgres/openTransactions.js'
import { pause } from '../rows/batchSize.js'
import type { RunReport } from '../rows/run.js'
import { type Indexes, indexesOf, type Scope, scopeOf } from './indexesOfScopes.js'
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
  /**
   * Takes it that blind indexes in unique constraints cannot be written for a while, nor name rows in `findUnique` and the
   * like: from `replace` on, until processes have noticed `retire`. That is refused with `KEY_ROTATING`. `false` unless given:
   * then a schema with such indexes is not rotated.
   */
  readonly pauseUniqueWrites?: boolean | undefined
  /** Told what it does next. */
  readonly onStep?: ((step: IndexRotationStep) => void) | undefined
}

/**
 * - `add`: new keys stand beside the present ones, and searches ask for what either makes
 * - `forget`: it waits until no process works any more by what it held before, nor is in a transaction of then
 * - `prepare`: rows that lack a blind index which a unique constraint counts on get it
 * - `replace`: blind indexes are written under the new keys from now on
 * - `fill`: all rows get tokens under the new keys, too, and blind indexes under these alone
 * - `settle`: it waits until nobody sees rows any more as they were without these
 * - `retire`: the old keys are not used any more
 * - `drop`: the tokens under the old keys go
 * - `destroy`: the old keys go
 */
export interface IndexRotationStep {
  readonly step: 'add' | 'forget' | 'prepare' | 'replace' | 'fill' | 'settle' | 'retire' | 'drop' | 'destroy'
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
  pauseUniqueWrites: BOOLEAN,
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
 * @throws FieldsealError `OPTIONS_INVALID` where a unique blind index stands against it
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
  readonly #indexes: Indexes
  #added = 0
  #destroyed = 0
  #failed: readonly KeyFailure[] = []

  constructor(
    private readonly context: MaintainContext,
    private readonly options: RotateIndexKeysOptions,
  ) {
    this.#indexes = indexesOf(context.schema, options.tenant)
    checkIndexes(this.#indexes, options)
  }

  async run(): Promise<IndexRotationReport> {
    await this.#add(this.#indexes.scopes)
    const isEnded = (await this.#replace()) && (await this.#retire()) && (await this.#drop())
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

  /** Has blind indexes written under the new keys, once everybody searches for what either makes. */
  async #replace(): Promise<boolean> {
    const { unique } = this.#indexes
    return this.#advance('retiring', 'replaced', async (count) => {
      if (!(await this.#forgotten())) return false
      // What a unique constraint does not know of by then, it would not keep apart.
      if (unique.size > 0 && !(await this.#reindexed('prepare', unique))) return false
      this.#tell({ step: 'replace', count })
      return true
    })
  }

  /** Gives all rows indexes under the new keys, and has the old ones not used any more. */
  async #retire(): Promise<boolean> {
    const { blind, tokens } = this.#indexes
    return this.#advance('replaced', 'retired', async (count) => {
      if (!(await this.#forgotten()) || !(await this.#reindexed('fill', new Set([...blind, ...tokens])))) return false
      // Nobody may look for the new ones among rows as they were before these were there.
      if (!(await this.#settled('settle', this.#settle))) return false
      this.#tell({ step: 'retire', count })
      return true
    })
  }

  /** Takes away the tokens under old keys, and these. */
  async #drop(): Promise<boolean> {
    return this.#advance('retired', 'destroyed', async (count) => {
      if (!(await this.#forgotten()) || !(await this.#reindexed('drop', this.#indexes.tokens))) return false
      this.#tell({ step: 'destroy', count })
      return true
    })
  }

  /** Takes all keys that are in one state to the next, if the work before that is done. */
  async #advance(
    from: ReplacedState | 'retired',
    to: NextState,
    work: (count: number) => Promise<boolean>,
  ): Promise<boolean> {
    const { indexKeys } = this.context.ring
    const rows = await indexKeys.inState(from, this.options.tenant)
    if (rows.length === 0) return true
    if (!(await work(rows.length))) return false
    for (const row of rows) if ((await indexKeys.advance(row, to)) && to === 'destroyed') this.#destroyed += 1
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

  async #reindexed(step: 'prepare' | 'fill' | 'drop', models: ReadonlySet<string>): Promise<boolean> {
    if (models.size === 0) return true
    const { tenant, settle, pauseUniqueWrites, onStep, ...options } = this.options
    this.#tell({ step })
    const own = tenant === GLOBAL_TENANT ? undefined : tenant
    const work = { operation: 'reindex', models: [...models], tenant: own, restart: true } as const
    const runs = await maintain(this.context, { ...options, ...work })
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

function checkIndexes({ scopes, uniqueNames }: Indexes, { pauseUniqueWrites }: RotateIndexKeysOptions): void {
  if (scopes.size === 0) throw invalid('the schema has no index under such keys')
  if (uniqueNames.length === 0 || pauseUniqueWrites) return
  throw invalid(
    `${uniqueNames.join(', ')} ${uniqueNames.length === 1 ? 'is' : 'are'} in a unique constraint, which tells apart only what ` +
      'one key makes: while rows are changed one by one, such an index must not be written, nor name a row. Give ' +
      '"pauseUniqueWrites" (--pause-unique-writes) if your app can take it that this is refused for a while',
  )
}
