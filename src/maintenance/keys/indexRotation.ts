import type { NextState, ReplacedState } from '../../keys/keyStore.js'
import { GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { maintain } from '../maintain.js'
import type { MaintainContext } from '../planRuns.js'
import { openTransactionsEnd } from '../postgres/openTransactions.js'
import { pause } from '../rows/batchSize.js'
import type { Problem } from '../rows/problem.js'
import type { RunReport } from '../rows/run.js'
import { type Indexes, type Scope, scopeOf } from './indexesOfScopes.js'
import type { IndexRotationReport, IndexRotationStep, RotateIndexKeysOptions } from './indexRotationOptions.js'
import { type KeyFailure, walkKeys } from './keyWalk.js'

const SETTLE = 10_000
const LONGEST_TIMER = 2 ** 30
/** GenerateDataKey of Tencent's lowest tier, as `rotate`. */
const RATE = 100

/** One rotation of keys for indexes: takes up what an earlier one has left. */
export class IndexRotation {
  readonly #runs: RunReport[] = []
  #added = 0
  #destroyed = 0
  #failed: readonly KeyFailure[] = []

  constructor(
    private readonly context: MaintainContext,
    private readonly options: RotateIndexKeysOptions,
    private readonly indexes: Indexes,
  ) {}

  async run(): Promise<IndexRotationReport> {
    await this.#add(this.indexes.scopes)
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
    const { unique, blind, tokens } = this.indexes
    return this.#advance('retiring', 'replaced', async (count) => {
      if (!(await this.#forgotten())) return false
      // What a unique constraint does not know of by then, it would not keep apart; and what `fill` could not do is found
      // before anything stands still.
      if (unique.size > 0 && !(await this.#reindexed('prepare', new Set([...blind, ...tokens])))) return false
      this.#tell({ step: 'replace', count })
      return true
    })
  }

  /** Gives all rows indexes under the new keys, and has the old ones not used any more. */
  async #retire(): Promise<boolean> {
    const { blind, tokens } = this.indexes
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
      if (!(await this.#forgotten()) || !(await this.#reindexed('drop', this.indexes.tokens))) return false
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
    let destroyed = 0
    const onProblem = (problem: Problem) => {
      // Of a tenant that was shredded: nobody finds such a row, whatever its index.
      if (problem.code === 'KEY_DESTROYED') destroyed += 1
      options.onProblem?.(problem)
    }
    const runs = await maintain(this.context, { ...options, ...work, onProblem })
    this.#runs.push(...runs)
    const skipped = runs.reduce((sum, run) => sum + run.skipped, 0)
    return runs.every(({ outcome }) => outcome === 'done') && skipped === destroyed
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
