import type { Job, Runner, Task, WorkerUtils } from 'graphile-worker'
import type pg from 'pg'
import { FieldsealError } from '../../errors.js'
import { isRangeId, type RangeJob, type RangeQueue } from '../../maintenance/jobs/ranges.js'
import { anyRunLocked, checkKeepsConnections, rangeUnlocked } from '../../maintenance/postgres/workLocks.js'
import { pause } from '../../maintenance/rows/batchSize.js'
import { withDatabaseErrors, withoutTraces } from './queueErrors.js'
import { prepareSchema, QUEUE_SCHEMA } from './queueSchema.js'

const TASK = 'fieldseal.range'
/** How often a worker looks for jobs that no notification told it of, in milliseconds. */
const POLL = 1_000
/** A worker that takes a job shows at once that it lives; one that did not for so many seconds is dead. */
const DEAD = 3
/** Without a command and without jobs for so long, there is no work left, in milliseconds. */
const IDLE = 4_000
/** A database that cannot be asked for so long ends a worker, in milliseconds. */
const LOST = 60_000
/** A worker that keeps failing leaves jobs to others for so long, in milliseconds. */
const LONGEST_REST = 15_000

/** The condition of SQL that no living worker has the range of a job. */
const RANGE_UNLOCKED = rangeUnlocked(`substring(key FROM '[0-9]+$')`)

type GraphileWorker = typeof import('graphile-worker')

/** What is known of a job. */
export interface JobAttempt {
  /** If it fails, it is not tried again. */
  readonly last: boolean
  /** The worker has failed at the job before. */
  readonly failed: boolean
}

/** What a worker does with a job; throwing has it tried again. `false` leaves it to others. */
export type RangeHandler = (job: RangeJob, attempt: JobAttempt) => Promise<boolean>

interface WorkSession {
  /** One after the other. */
  failures: number
  /** It ends for a rest. */
  failed: boolean
  latest: readonly string[]
}

export interface WorkOptions {
  readonly signal: AbortSignal
  /** Ends when there is no work left, instead of waiting for more. */
  readonly drain: boolean
  /** Given with what the queue failed with where nobody waited for it. */
  readonly lost: AbortSignal
}

/** The package is an optional peer: only commands with several workers need it. */
export async function loadGraphileWorker(): Promise<GraphileWorker> {
  try {
    return await import('graphile-worker')
  } catch (cause) {
    const message =
      'workers share their work through the package graphile-worker, which is not installed: npm install --save-dev graphile-worker@0.17'
    throw new FieldsealError('OPTIONS_INVALID', message, { cause })
  }
}

/** Ranges as jobs of graphile-worker, in the database that is worked on. */
export class RangeJobs implements RangeQueue {
  private constructor(
    private readonly library: GraphileWorker,
    private readonly utils: WorkerUtils,
    private readonly pool: pg.Pool,
    private readonly attempts: number,
  ) {}

  /**
   * Makes or migrates the queue's tables.
   *
   * @throws FieldsealError `DATABASE_UNAVAILABLE` where the user may not, with the SQL that lets it; `OPTIONS_INVALID`
   * behind a pooler that hands connections on
   */
  static async open(library: GraphileWorker, pool: pg.Pool, attempts: number): Promise<RangeJobs> {
    await checkKeepsConnections(pool)
    await prepareSchema(pool)
    const utils = await withDatabaseErrors(async () => {
      const opened = await library.makeWorkerUtils(settings(library, pool))
      await opened.migrate()
      return opened
    })
    return new RangeJobs(library, utils, pool, attempts)
  }

  async keep(jobs: readonly RangeJob[]): Promise<void> {
    await withDatabaseErrors(async () => {
      await this.#freeJobsOfDeadWorkers()
      const there = await this.#keys(jobs.map(({ range }) => keyOf(range)))
      const missing = jobs.filter(({ range }) => !there.has(keyOf(range)))
      const specs = missing.map((job) => {
        return { identifier: TASK, payload: job, jobKey: keyOf(job.range), maxAttempts: this.attempts }
      })
      if (specs.length === 0) return
      // Those that failed for good, before somebody ran the command again.
      await this.#remove(specs.map(({ jobKey }) => jobKey))
      await this.utils.addJobs(specs)
    })
  }

  async remove(ranges: readonly string[]): Promise<void> {
    if (ranges.length > 0) await withDatabaseErrors(() => this.#remove(ranges.map(keyOf)))
  }

  /** Works on jobs, one at a time, until the signal. After a failure it rests, so that others can take the job. */
  async work(handler: RangeHandler, options: WorkOptions): Promise<void> {
    const session: WorkSession = { failures: 0, failed: false, latest: [] }
    const { signal } = options
    do {
      if (session.failed) await pause(Math.min(LONGEST_REST, 500 * 2 ** session.failures), signal)
      session.failed = false
      await withoutTraces(() => this.#workSession(handler, options, session))
    } while (session.failed && !signal.aborted)
    // The runner does not wait for its last job to be taken out.
    if (signal.aborted) await this.remove(session.latest)
  }

  /** Until a job fails. */
  async #workSession(handler: RangeHandler, options: WorkOptions, session: WorkSession): Promise<void> {
    const task = async (payload: unknown, { job }: { readonly job: Job }) => {
      const range = rangeIn(payload)
      // Not ours: it is dropped, and the command that wants a range gives it out again.
      if (range === null) return
      session.latest = [range]
      const attempt = { last: job.attempts >= job.max_attempts, failed: session.failures > 0 }
      try {
        if (await handler({ range }, attempt)) session.failures = 0
        else rest()
      } catch (error) {
        session.failures += 1
        rest()
        throw error
      }
    }
    const rest = () => {
      session.failed = true
      over.abort()
    }
    const over = new AbortController()
    const runner = await withDatabaseErrors(() => this.#run(task))
    const signal = AbortSignal.any([options.signal, options.lost, over.signal])
    const supervision = this.#supervise(runner, { ...options, signal })
    await withDatabaseErrors(() => runner.promise).finally(() => supervision.end())
    const lost = options.lost.reason ?? supervision.lost
    if (lost !== undefined) await withDatabaseErrors(() => Promise.reject(lost))
  }

  #run(task: Task): Promise<Runner> {
    return this.library.run({
      ...{ ...settings(this.library, this.pool), taskList: { [TASK]: task }, parsedCronItems: [] },
      ...{ concurrency: 1, pollInterval: POLL, noHandleSignals: true },
      // It aborts nothing by itself: a handler ends after the batch under way, however long that takes.
      gracefulShutdownAbortTimeout: 600_000,
    })
  }

  async close(): Promise<void> {
    await this.utils.release()
  }

  /** Ends the runner when it is time, and sees to jobs of dead workers until then. */
  #supervise(runner: Runner, { signal, drain }: WorkOptions): { lost: unknown; end(): void } {
    const stop = () => void runner.stop().catch(() => {})
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    let [busy, asked] = [performance.now(), performance.now()]
    const look = async () => {
      await this.#freeJobsOfDeadWorkers()
      asked = performance.now()
      if (!drain || (await this.#isWork())) busy = asked
      if (asked - busy > IDLE && !signal.aborted) stop()
    }
    const supervision = { lost: undefined as unknown, end: () => clearInterval(timer) }
    const timer = setInterval(() => {
      look().catch((error: unknown) => {
        if (performance.now() - asked < LOST || signal.aborted) return
        supervision.lost ??= error
        stop()
      })
    }, POLL)
    return supervision
  }

  async #remove(keys: readonly string[]): Promise<void> {
    const mine = `FROM ${QUEUE_SCHEMA}.jobs WHERE key = ANY ($1) AND`
    const { rows } = await this.pool.query(
      `SELECT DISTINCT locked_by ${mine} locked_at IS NOT NULL AND ${RANGE_UNLOCKED}`,
      [keys],
    )
    if (rows.length > 0) await this.utils.forceUnlockWorkers(rows.map(({ locked_by }) => locked_by))
    await this.pool.query(`SELECT ${QUEUE_SCHEMA}.complete_jobs(array_agg(id)) ${mine} locked_at IS NULL`, [keys])
  }

  /** Jobs that are there and will be done. */
  async #keys(keys: readonly string[]): Promise<Set<string>> {
    const { rows } = await this.pool.query(
      `SELECT key FROM ${QUEUE_SCHEMA}.jobs WHERE key = ANY ($1) AND (attempts < max_attempts OR locked_at IS NOT NULL)`,
      [keys],
    )
    return new Set(rows.map(({ key }) => key))
  }

  async #isWork(): Promise<boolean> {
    const { rows } = await this.pool.query(
      `SELECT EXISTS (SELECT FROM ${QUEUE_SCHEMA}.jobs WHERE task_identifier = $1 AND attempts < max_attempts) OR ${anyRunLocked} AS found`,
      [TASK],
    )
    return rows[0].found
  }

  /**
   * Graphile Worker waits for hours before it takes a worker for dead. A worker of ours holds a lock that ends with its
   * connection. That it died does not count as an attempt.
   */
  async #freeJobsOfDeadWorkers(): Promise<void> {
    const { rows } = await this.pool.query(
      `SELECT id, locked_by, attempts FROM ${QUEUE_SCHEMA}.jobs
       WHERE task_identifier = $1 AND locked_at < now() - interval '${DEAD} seconds' AND ${RANGE_UNLOCKED}`,
      [TASK],
    )
    if (rows.length === 0) return
    await this.utils.forceUnlockWorkers(rows.map(({ locked_by }) => locked_by))
    for (const { id, attempts } of rows) {
      const values = [[id], Math.max(0, attempts - 1)]
      await this.pool.query(`SELECT FROM ${QUEUE_SCHEMA}.reschedule_jobs($1::bigint[], attempts := $2::int)`, values)
    }
  }
}

/** Whatever else somebody has put into a job is not looked at. */
function rangeIn(payload: unknown): string | null {
  const { range } = (payload ?? {}) as { range?: unknown }
  return isRangeId(range) ? range : null
}

function keyOf(range: string): string {
  return `${TASK} ${range}`
}

function settings(library: GraphileWorker, pgPool: pg.Pool) {
  // What concerns a person is said by the commands themselves.
  return { pgPool, schema: QUEUE_SCHEMA, logger: new library.Logger(() => () => {}) }
}
