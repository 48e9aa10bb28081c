import { setMaxListeners } from 'node:events'
import { bulkhead, ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import { FieldsealError } from '../../errors.js'
import type { KeyFilter, KeyStore, StoredKey } from '../../keys/keyStore.js'
import { type Pace, paceOf } from './pace.js'

/** What every operation on many keys takes. */
export interface WalkOptions {
  /** Only the keys of these tenants; all unless given. */
  readonly tenants?: string | readonly string[]
  /** Keys begun per second: a part of the KMS's quota. */
  readonly rate?: number
  /** Keys worked on at once; 10 unless given. */
  readonly concurrency?: number
  /** Ends the work after the keys that are being worked on; it rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Goes on after the cursor of an earlier run's last progress. */
  readonly after?: string
  /** Told after each key. */
  readonly onProgress?: (progress: KeyProgress) => void
}

/** What became of a key. */
export type KeyOutcome = 'changed' | 'unchanged' | 'failed'

export interface KeyProgress {
  readonly tenant: string
  /** The DEK's id. */
  readonly key: string
  readonly outcome: KeyOutcome
  /** Keys that this run has seen to, this one included. */
  readonly done: number
  /** Keys that there were to see to when the run began. */
  readonly total: number
  /** Where another run can go on; everything up to it is done. Not given before the first keys are. */
  readonly cursor: string | undefined
}

export interface KeyFailure {
  readonly tenant: string
  readonly key: string
  readonly error: FieldsealError
}

export interface WalkReport {
  readonly changed: number
  readonly unchanged: number
  /** Keys that cannot be worked on; the others were. */
  readonly failed: readonly KeyFailure[]
}

export interface KeyWalk {
  readonly store: KeyStore
  readonly filter: KeyFilter
  readonly options: WalkOptions
  /** Keys begun per second unless the options say so. */
  readonly rate: number
  /** Shared by walks that follow each other, which would otherwise begin with a burst each. */
  readonly pace?: Pace
  /** Whether it changed anything. */
  readonly each: (row: StoredKey) => Promise<boolean>
}

const PAGE = 1000
/** A KMS that throttles is given time: others share its quota. */
const throttled = retry(
  handleWhen((error) => FieldsealError.is(error, 'KMS_THROTTLED')),
  { maxAttempts: 8, backoff: new ExponentialBackoff({ initialDelay: 1_000, maxDelay: 15_000 }) },
)
/** What concerns one row; anything else would meet the next row too, and ends the run. */
const ROW_FAILURES = new Set(['KEY_INVALID', 'KEY_DESTROYED', 'KMS_REFUSED', 'KMS_KEY_UNUSABLE', 'TENANT_INVALID'])

/**
 * Works through the keys table in the order of the ids. Each step can be done twice without harm, so that a run that
 * was broken off can be begun again, or go on at its cursor.
 *
 * @throws whatever stands in the way of all keys: a KMS or a keys table that is down, the signal's reason
 */
export async function walkKeys({ store, filter, options, each, ...walk }: KeyWalk): Promise<WalkReport> {
  const { tenants, signal, concurrency = 10, rate = walk.rate } = options
  checkWalk({ rate, concurrency })
  const chosen = tenants === undefined ? filter : { ...filter, tenants: [tenants].flat() }
  const steps = { concurrency, pace: walk.pace ?? paceOf(rate), signal }
  const tally = new WalkTally(options, await store.count(chosen))
  for (let after = options.after; ; ) {
    signal?.throwIfAborted()
    const rows = await store.list(chosen, { after, limit: PAGE })
    await runSteps(rows, steps, (row, paced) => tally.count(row, () => paced(() => each(row))))
    after = rows.at(-1)?.id
    if (after === undefined || rows.length < PAGE) return tally.report
    tally.cursor = after
  }
}

interface Steps {
  readonly concurrency: number
  readonly pace: Pace
  readonly signal: AbortSignal | undefined
}

/** Calls the KMS when its turn has come, and again when it throttles. */
type Paced = <Result>(call: () => Promise<Result>) => Promise<Result>

/** Some at once; the first failure ends all. */
async function runSteps<Item>(
  items: readonly Item[],
  { concurrency, pace, signal }: Steps,
  work: (item: Item, paced: Paced) => Promise<unknown>,
): Promise<void> {
  const slots = bulkhead(concurrency, Number.POSITIVE_INFINITY)
  const stop = new AbortController()
  const signals = AbortSignal.any(signal ? [signal, stop.signal] : [stop.signal])
  setMaxListeners(0, signals)
  const paced: Paced = (call) =>
    throttled.execute(async () => {
      await pace(signals)
      return call()
    }, signals)
  const steps = items.map((item) => slots.execute(() => work(item, paced)).catch((error: unknown) => stop.abort(error)))
  await Promise.all(steps)
  signal?.throwIfAborted()
  if (stop.signal.aborted) throw stop.signal.reason
}

/**
 * Works on keys that are no rows of the table yet, as a walk does.
 *
 * @throws whatever stands in the way of all keys, the signal's reason
 */
export function onKeys<Item>(
  items: readonly Item[],
  options: {
    readonly rate: number
    readonly concurrency: number | undefined
    readonly signal: AbortSignal | undefined
  },
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const { rate, concurrency = 10, signal } = options
  checkWalk({ rate, concurrency })
  return runSteps(items, { concurrency, pace: paceOf(rate), signal }, (item, paced) => paced(() => work(item)))
}

/** Whether an error concerns one key. */
export function isKeyFailure(error: unknown): error is FieldsealError {
  return FieldsealError.is(error) && ROW_FAILURES.has(error.code)
}

/** Counts what becomes of the keys, and tells. */
class WalkTally {
  readonly #failed: KeyFailure[] = []
  readonly #counts = { changed: 0, unchanged: 0, failed: 0 }
  cursor: string | undefined

  constructor(
    private readonly options: WalkOptions,
    private readonly total: number,
  ) {
    this.cursor = options.after
  }

  get report(): WalkReport {
    const { changed, unchanged } = this.#counts
    return { changed, unchanged, failed: this.#failed }
  }

  async count(row: StoredKey, work: () => Promise<boolean>): Promise<void> {
    const outcome = await work().then(
      (changed): KeyOutcome => (changed ? 'changed' : 'unchanged'),
      (error: unknown) => this.#fail(row, error),
    )
    this.#counts[outcome] += 1
    const { changed, unchanged, failed } = this.#counts
    const done = changed + unchanged + failed
    const { total, cursor } = this
    this.options.onProgress?.({ tenant: row.tenant, key: row.id, outcome, done, total, cursor })
  }

  #fail(row: StoredKey, error: unknown): KeyOutcome {
    if (!isKeyFailure(error)) throw error
    this.#failed.push({ tenant: row.tenant, key: row.id, error })
    return 'failed'
  }
}

/** @throws FieldsealError `OPTIONS_INVALID` */
export function checkWalk({ rate, concurrency }: { readonly rate: number; readonly concurrency: number }): void {
  if (!(rate > 0)) throw new FieldsealError('OPTIONS_INVALID', 'the option "rate" must be a number above 0')
  if (Number.isInteger(concurrency) && concurrency > 0) return
  throw new FieldsealError('OPTIONS_INVALID', 'the option "concurrency" must be a whole number above 0')
}
