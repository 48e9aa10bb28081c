import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import type { MaintainOptions, RangeJob, RangeQueue, RunReport } from 'fieldseal/prisma'
import { type Migration, openMigration } from '../../maintenance/migration.js'
import { refusal } from '../../support/refusal.js'
import { openWriter, WRITES_PROGRESS, WRITES_RANGES, type Writer } from './writer.js'

/** In four ranges of 500, of which an interrupted run has done one or two. */
export const WORDS = 2_000

/** Of the test file that called `wordsFirst`; there as soon as its hooks and tests run. */
export let migration: Migration
/** Somebody who may write `fieldseal.progress` alone, and somebody who may write `fieldseal.ranges` alone. */
export let progressWriter: Writer
export let rangesWriter: Writer

/** Lets each test of a file begin with words in plaintext, and tables for progress in which nothing is. */
export function wordsFirst(): void {
  beforeAll(async () => {
    migration = await openMigration()
    await migration.run('verify')
    progressWriter = await openWriter(migration, WRITES_PROGRESS)
    rangesWriter = await openWriter(migration, WRITES_RANGES)
  })
  beforeEach(async () => {
    await migration.sql('TRUNCATE "Word", "EncryptionKey", fieldseal.progress CASCADE')
    await addWords(1, WORDS)
  })
  afterAll(async () => {
    await progressWriter?.close()
    await rangesWriter?.close()
    await migration?.close()
  })
}

/** With keys in the order of their numbers. */
export const addWords = (from: number, to: number) =>
  migration.sql(
    `INSERT INTO "Word" (text, note) SELECT lpad(n::text, 6, '0'), 'note ' || n FROM generate_series($1::int, $2::int) n`,
    [from, to],
  )

export async function encrypt(options: Partial<MaintainOptions> = {}): Promise<RunReport> {
  return (await migration.run('encrypt', { models: ['Word'], ...options }))[0]!
}

/** By one process, after its first page. */
export async function interruptAlone(): Promise<void> {
  const controller = new AbortController()
  await encrypt({ signal: controller.signal, onProgress: () => controller.abort() })
}

/** By workers, after a range more. */
export async function interruptShared(done = 500): Promise<void> {
  const controller = new AbortController()
  const onProgress = ({ scanned }: { readonly scanned: number }) => void (scanned >= done && controller.abort())
  await encrypt({ signal: controller.signal, onProgress, workers: { queue: new QueueHere(1), count: 1 } })
}

/** A queue in memory, and a worker in a process of its own that does its jobs one after the other. */
export class QueueHere implements RangeQueue {
  /** What the worker was refused. */
  readonly refused: unknown[] = []
  readonly #worker = migration.another()
  readonly #begun = new Set<string>()
  #last = Promise.resolve()
  #tell = () => {}
  /** Until the command gives out its first jobs. */
  readonly asked = new Promise<void>((resolve) => {
    this.#tell = resolve
  })

  /** @param limit how many ranges the worker does */
  constructor(public limit = Number.POSITIVE_INFINITY) {}

  async keep(jobs: readonly RangeJob[]): Promise<void> {
    this.#tell()
    for (const job of jobs) {
      if (this.#begun.size >= this.limit || this.#begun.has(job.range)) continue
      this.#begun.add(job.range)
      this.#last = this.#last.then(() => this.#work(job))
    }
  }

  async remove(): Promise<void> {}

  async #work(job: RangeJob): Promise<void> {
    const options = { database: migration.pool }
    await this.#worker.$encryption.maintainRange(job, options).catch((error) => this.refused.push(error))
  }
}

export const encryptTogether = (options: Partial<MaintainOptions> = {}, queue = new QueueHere()) =>
  encrypt({ workers: { queue, count: 1 }, ...options })

export async function ciphertexts(): Promise<number> {
  const [row] = await migration.sql(`SELECT count(*) FROM "Word" WHERE note LIKE 'fs1.%'`)
  return Number(row!.count)
}

/** Refused, with no row touched; with `restart` everything is done. */
export async function expectRefused(work: () => Promise<unknown>): Promise<string> {
  const before = await ciphertexts()
  const { code, message } = await refusal(work)
  if (code !== 'PROGRESS_INVALID') throw new Error(`${code}: ${message}`)
  if ((await ciphertexts()) !== before) throw new Error('rows were touched')
  return message
}
