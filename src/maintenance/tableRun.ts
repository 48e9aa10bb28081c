import type { Slot } from '../cipher/cipher.js'
import type { KeyRing } from '../keys/keyRing.js'
import type { Counts, OpenRun, ProgressRecord, RunTask } from './jobs/progressStore.js'
import type { RangeStore } from './jobs/ranges.js'
import type { RunKeyring } from './jobs/runKeyring.js'
import type { MappedModel } from './maintenanceModels.js'
import { postgresPressure } from './postgres/pressure.js'
import { postgresProgress } from './postgres/progressStore.js'
import { postgresRanges } from './postgres/rangeStore.js'
import { postgresRows } from './postgres/rowSource.js'
import { type PgConnection, tableName } from './postgres/sql.js'
import type { KeysTable } from './postgres/table.js'
import { ActiveDeks } from './rows/activeDeks.js'
import { findCollisions, uniqueIndexes } from './rows/collisions.js'
import type { Operation } from './rows/operation.js'
import type { MaxLag, Strain } from './rows/pressure.js'
import type { Problem } from './rows/problem.js'
import { RowPlanner } from './rows/rowPlanner.js'
import { type RowKey, TableLocked } from './rows/rowSource.js'
import { MaintenanceRun, type ProgressEvent, type RunReport } from './rows/run.js'
import { Statements } from './rows/statements.js'

/** One operation on one model. */
export interface TableRun {
  readonly ring: KeyRing
  readonly runKeys: RunKeyring
  /** Told of what was decrypted and encrypted, before it is written; may throw. */
  readonly audit: (slots: readonly Slot[]) => void | Promise<void>
  readonly operation: Operation
  readonly database: PgConnection
  readonly target: MappedModel
  readonly keys: KeysTable
  readonly tenant?: string | undefined
}

/** How it is done, whoever does it. */
export interface RunOptions {
  readonly onError?: 'skip' | 'stop' | undefined
  readonly dryRun?: boolean | undefined
  readonly rowsPerSecond?: number | (() => number) | undefined
  readonly maxLag?: MaxLag | undefined
  readonly restart?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined
  readonly onProblem?: ((problem: Problem) => void) | undefined
  readonly onWait?: ((strain: Strain) => void) | undefined
}

export function runTaskOf({ operation, target: { model }, tenant }: TableRun): RunTask {
  return { operation, model: model.name, fields: model.fields.map(({ field }) => field), tenant }
}

/** Works on the table in this process, or on what is left of the ranges that it was divided into. */
export async function runAlone(tableRun: TableRun, options: RunOptions): Promise<RunReport> {
  const { database, runKeys } = tableRun
  if (options.dryRun) return (await newMaintenanceRun(tableRun, options, { record: null, until: null })).start()
  const run = await postgresProgress(database, runKeys).open(runTaskOf(tableRun), options.restart ?? false)
  if (run.order !== null) return runRanges(tableRun, options, { ranges: postgresRanges(database, runKeys), run })
  return (await newMaintenanceRun(tableRun, options, { record: run, until: null })).start()
}

/** Tells, before anything is changed, of rows that a unique blind index will refuse. */
export async function collisionsIn(tableRun: TableRun, { signal, onWait }: RunOptions): Promise<Problem[]> {
  const { ring, audit, database, tenant, keys } = tableRun
  const { model, table } = tableRun.target
  if (uniqueIndexes(model).length === 0) return []
  const source = await postgresRows({ database, operation: 'encrypt', model, table, keys, tenant })
  const statements = new Statements(model.name, signal, onWait ?? (() => {}))
  const search = {
    ...{ ring, activeDeks: new ActiveDeks(ring, source.activeDeks), model, source, statements, signal },
    // Indexes that are only compared are no use of the values.
    audit: (slots: readonly Slot[]) => audit(slots.filter(({ mode }) => mode === 'decrypt')),
  }
  return findCollisions(search).catch((error: unknown) => {
    // It was told to end while the table was locked.
    if (error instanceof TableLocked) return []
    throw error
  })
}

interface DividedRun {
  readonly ranges: RangeStore
  readonly run: OpenRun
}

async function runRanges(tableRun: TableRun, options: RunOptions, divided: DividedRun): Promise<RunReport> {
  const { ranges, run } = divided
  await ranges.reopen(run)
  const seen = { total: 0, stopped: [] as Problem[] }
  const onProblem = (problem: Problem) => {
    seen.stopped = [problem]
    options.onProblem?.(problem)
  }
  for (const range of (await ranges.overview(run)).waiting) {
    const [work, { counts }] = [await ranges.take(range), await ranges.overview(run)]
    if (work === null) continue
    const others = addCounts(counts, work.record.saved ?? NO_COUNTS, -1)
    const onProgress = (event: ProgressEvent) => {
      seen.total = event.total
      options.onProgress?.({ ...event, ...addCounts(others, event, 1) })
    }
    const { outcome } = await (await newMaintenanceRun(tableRun, { ...options, onProgress, onProblem }, work)).start()
    if (outcome === 'interrupted') return reportOf(tableRun, divided, { outcome, total: seen.total, resumed: true })
    if (outcome === 'stopped') return reportOf(tableRun, divided, { ...seen, outcome, resumed: true })
  }
  return reportOf(tableRun, divided, { outcome: 'done', total: seen.total, resumed: true })
}

const NO_COUNTS: Counts = { scanned: 0, changed: 0, conflicts: 0, skipped: 0 }

function addCounts(one: Counts, other: Counts, sign: 1 | -1): Counts {
  return {
    scanned: one.scanned + sign * other.scanned,
    changed: one.changed + sign * other.changed,
    conflicts: one.conflicts + sign * other.conflicts,
    skipped: one.skipped + sign * other.skipped,
  }
}

interface RunEnding extends Pick<RunReport, 'outcome' | 'total' | 'resumed'> {
  /** The rows that it stopped at, which are not counted yet. */
  readonly stopped?: readonly Problem[]
}

/** What a divided run came to; one that is done is closed by this. */
export async function reportOf(
  { operation, target }: TableRun,
  { ranges, run }: DividedRun,
  { outcome, total, resumed, stopped = [] }: RunEnding,
): Promise<RunReport> {
  const about = { operation, model: target.model.name, total, outcome, resumed, wanted: 0, missed: 0 }
  if (outcome === 'done') {
    const { cursor: _, ...progress } = await ranges.finish(run)
    return { ...about, ...progress }
  }
  const { counts } = await ranges.overview(run)
  const { changes } = await ranges.changes(run, null)
  const problems = [...changes.flatMap((range) => range.problems), ...stopped]
  return { ...about, ...counts, skipped: counts.skipped + stopped.length, problems }
}

/** A run over a table, or over a part of it. */
export async function newMaintenanceRun(
  tableRun: TableRun,
  options: RunOptions,
  { record, until }: { readonly record: ProgressRecord | null; readonly until: RowKey | null },
): Promise<MaintenanceRun> {
  const { ring, audit, operation, database, tenant, keys } = tableRun
  const { model, table } = tableRun.target
  const { dryRun = false, rowsPerSecond = Number.POSITIVE_INFINITY, maxLag, signal } = options
  const writes = operation !== 'verify' && !dryRun
  const source = await postgresRows({ database, operation, model, table, keys, tenant })
  return new MaintenanceRun({
    planner: new RowPlanner(operation, model),
    ring,
    activeDeks: new ActiveDeks(ring, source.activeDeks),
    audit,
    source,
    record,
    until,
    pressure: writes ? postgresPressure(database, tableName(table), maxLag) : null,
    options: {
      onError: options.onError ?? 'skip',
      dryRun,
      rowsPerSecond: typeof rowsPerSecond === 'number' ? () => rowsPerSecond : rowsPerSecond,
      signal,
      onProgress: options.onProgress ?? (() => {}),
      onProblem: options.onProblem ?? (() => {}),
      onWait: options.onWait ?? (() => {}),
    },
  })
}
