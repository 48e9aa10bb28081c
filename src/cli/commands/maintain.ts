import { confirm } from '@clack/prompts'
import type { Operation } from '../../maintenance/rows/operation.js'
import type { MaxLag, Strain } from '../../maintenance/rows/pressure.js'
import type { Problem } from '../../maintenance/rows/problem.js'
import type { RunReport } from '../../maintenance/rows/run.js'
import { printable } from '../../printable.js'
import { type Confirmation, requireConfirmation } from '../confirmation.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { onInterrupt } from '../interrupt.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted, duration, type Terminal } from '../terminal.js'
import { SharedWork } from '../workers/sharedWork.js'
import { restartText } from '../workers/workerProcesses.js'

/** What the commands encrypt, re-encrypt, reindex, decrypt and verify take. */
export interface MaintainArguments {
  readonly model?: readonly string[]
  readonly field?: readonly string[]
  readonly tenant?: string
  readonly from?: string
  readonly dryRun?: boolean
  readonly onError?: 'skip' | 'stop'
  readonly rate?: number
  readonly maxLag?: MaxLag
  readonly workers?: number
  readonly attempts: number
  readonly config?: string
  readonly restart?: boolean
  readonly yes?: boolean
}

/** Between two lines about the same cause of waiting, in milliseconds. */
const WAIT_EVERY = 10_000
/** Problems shown one by one; the others are counted. */
const SHOWN = 20

const DECRYPT: Confirmation = {
  unasked: 'decrypt puts plaintext into the database; say --yes if that is meant',
  ask: () => confirm({ message: 'This puts plaintext into the database. Go on?', initialValue: false }),
  declined: 'nothing was changed',
}

/** Runs an operation and says what became of it. */
export async function runMaintain(
  operation: Operation,
  context: CommandContext,
  terminal: Terminal,
  args: MaintainArguments,
): Promise<ExitCode> {
  if (operation === 'decrypt' && !args.dryRun && !args.yes) await requireConfirmation(terminal, DECRYPT)
  const interrupt = onInterrupt((text) => terminal.say(text))
  const started = performance.now()
  const shown = { problems: 0 }
  const onWait = waits(terminal)
  const { model, field, tenant, from, dryRun = false, onError, rate, restart, maxLag, workers } = args
  const shared = workers === undefined ? undefined : await shareWork(context, terminal, { ...args, workers }, onWait)
  const signal = shared ? AbortSignal.any([interrupt.signal, shared.broken]) : interrupt.signal
  interrupt.signal.addEventListener('abort', () => shared?.stop())
  try {
    const reports = await context.client.$encryption.maintain({
      ...{ operation, database: context.database, tenants: context.tenants, models: model, fields: field, tenant },
      ...{ from, dryRun, onError, restart, rowsPerSecond: rate, maxLag, signal, onWait },
      workers: shared && { queue: shared, count: workers! },
      onProgress: (event) => {
        terminal.event({ event: 'progress', ...event })
        terminal.progress({ name: event.model, done: event.scanned, total: event.total, unit: 'row' })
        if (event.scanned >= event.total) terminal.settle()
      },
      onProblem: (problem) => showProblem(terminal, problem, shown),
      onFailure: ({ code, message, range }) => {
        terminal.event({ event: 'failure', range, code, message })
        terminal.say(failureText({ code, message }, 'It is tried again.'))
      },
    })
    shared?.broken.throwIfAborted()
    terminal.settle()
    const isUnknown = !dryRun && operation === 'verify' && (await isUnknownTenant(context, tenant, reports))
    return conclude(terminal, { operation, dryRun, reports, isUnknown, seconds: (performance.now() - started) / 1000 })
  } finally {
    terminal.settle()
    await shared?.close()
    interrupt.dispose()
  }
}

/** Why a range failed, and what becomes of it. Some reasons are whole sentences. */
export function failureText(
  { code, message }: { readonly code: string; readonly message: string },
  then: string,
): string {
  return printable(`${code}: ${message}${message.endsWith('.') ? '' : '.'} ${then}`)
}

function shareWork(
  context: CommandContext,
  terminal: Terminal,
  { workers, attempts, config }: MaintainArguments & { readonly workers: number },
  onWait: (strain: Strain) => void,
): Promise<SharedWork> {
  return SharedWork.open(context, attempts, {
    count: workers,
    args: config === undefined ? [] : ['--config', config],
    onStart: (pid) => terminal.event({ event: 'worker', pid }),
    onRestart: (why) => {
      terminal.event({ event: 'worker-ended', why })
      terminal.say(restartText(why))
    },
    onWait,
  })
}

/** Says what is waited for, now and then. */
export function waits(terminal: Terminal): (strain: Strain) => void {
  const next = { locks: 0, lag: 0 }
  return (strain) => {
    if (performance.now() < next[strain.cause]) return
    next[strain.cause] = performance.now() + WAIT_EVERY
    terminal.event({ event: 'wait', ...strain })
    terminal.say(printable(`Waiting: ${strain.what}.`))
  }
}

/** Shows the first problems one by one. */
export function showProblem(terminal: Terminal, problem: Problem, shown: { problems: number }): void {
  terminal.event({ event: 'problem', ...problem })
  shown.problems += 1
  if (shown.problems <= SHOWN)
    terminal.say(printable(`${problem.code}  ${problem.model} ${problem.key.join(' / ')}: ${problem.message}`))
  if (shown.problems === SHOWN + 1) terminal.say('Further problems are counted only; --json shows each.')
}

/** Whether a tenant has nothing at all, so that a check of it says nothing. */
async function isUnknownTenant(
  { client, database, tenants }: CommandContext,
  tenant: string | undefined,
  reports: readonly RunReport[],
): Promise<boolean> {
  if (tenant === undefined || reports.some(({ verified = 0, skipped }) => verified + skipped > 0)) return false
  const { keys } = await client.$encryption.survey({ database, tenants, tenant, models: [] })
  return keys.length === 0
}

interface Conclusion {
  readonly operation: Operation
  readonly dryRun: boolean
  readonly reports: readonly RunReport[]
  /** Nothing is known of the tenant that was asked for. */
  readonly isUnknown: boolean
  readonly seconds: number
}

export const DOING: { readonly [operation in Operation]: string } = {
  encrypt: 'encrypted',
  're-encrypt': 're-encrypted',
  reindex: 'reindexed',
  decrypt: 'decrypted',
  verify: 'verified',
}

function conclude(terminal: Terminal, { operation, dryRun, reports, isUnknown, seconds }: Conclusion): ExitCode {
  for (const { problems, ...report } of reports) terminal.event({ event: dryRun ? 'dry-run' : 'report', ...report })
  const last = dryRun ? `to be ${DOING[operation]}` : DOING[operation]
  const did = ({ wanted, changed, verified = changed }: RunReport) => (dryRun ? wanted : verified)
  terminal.table(
    ['model', 'rows seen', last, 'read again', 'left'],
    reports.map((report) => [
      report.model,
      ...[report.scanned, did(report), report.conflicts, report.skipped].map(count),
    ]),
  )
  for (const { model, resumed } of reports)
    if (resumed) terminal.say(`${model}: went on with an earlier run, which is counted in.`)
  for (const { model, missed } of reports)
    if (missed > 0)
      terminal.say(`${model}: ${counted(missed, 'row')} still to do that are counted as done. Run this again.`)
  const problems = reports.reduce((sum, { skipped, missed }) => sum + skipped + missed, 0)
  const outcome = reports.at(-1)?.outcome ?? 'done'
  if (isUnknown && outcome === 'done') {
    terminal.say('Nothing was verified: the tenant has no keys, and no row of it was found. Is its id right?')
    return EXIT.problems
  }
  terminal.say(closing(operation, { dryRun, problems, outcome, time: duration(seconds) }))
  if (outcome === 'interrupted') return EXIT.interrupted
  return problems > 0 ? EXIT.problems : EXIT.done
}

interface Closing {
  readonly dryRun: boolean
  readonly problems: number
  readonly outcome: RunReport['outcome']
  readonly time: string
}

function closing(operation: Operation, { dryRun, problems, outcome, time }: Closing): string {
  if (outcome === 'interrupted') return 'Interrupted. The same command goes on from here.'
  if (outcome === 'stopped') return 'Stopped at a problem (--on-error stop). The same command goes on from here.'
  if (dryRun) return `A dry run: nothing was changed. It took ${time}.`
  if (operation === 'verify') {
    return problems === 0
      ? `Everything is encrypted, readable and indexed. It took ${time}.`
      : `${counted(problems, 'problem')}. It took ${time}.`
  }
  if (problems === 1) return `Done in ${time}; 1 row was left as it was. See to it, then run this again.`
  if (problems > 0)
    return `Done in ${time}; ${count(problems)} rows were left as they were. See to them, then run this again.`
  return `Done in ${time}. Next: ${operation === 'decrypt' ? 'take the marks out of the schema' : 'fieldseal verify'}`
}
