import { FieldsealError } from '../../errors.js'
import type { RangeReport } from '../../maintenance/jobs/maintainRange.js'
import type { Strain } from '../../maintenance/rows/pressure.js'
import { printable } from '../../printable.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { onInterrupt } from '../interrupt.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted, duration, type Terminal } from '../terminal.js'
import { loadGraphileWorker, type RangeHandler, RangeJobs } from '../workers/rangeJobs.js'
import { isSupervised, tellSupervisor } from '../workers/supervisor.js'
import { restartText, WorkerProcesses } from '../workers/workerProcesses.js'
import { DOING, failureText } from './maintain.js'

export interface WorkerArguments {
  readonly config?: string
  readonly drain?: boolean
  readonly workers?: number
}

/** Works on ranges of commands with `--workers`, here or on other machines, until it is stopped. */
export async function runWorker(context: CommandContext, terminal: Terminal, args: WorkerArguments): Promise<ExitCode> {
  const order = isSupervised() ? onParentGone() : onInterrupt((text) => terminal.say(text))
  try {
    if ((args.workers ?? 1) > 1) await superviseProcesses(terminal, args, order.signal)
    else await workAlone(context, terminal, args, order.signal)
  } finally {
    order.dispose()
  }
  if (!order.signal.aborted) terminal.say('There is no work left.')
  return EXIT.done
}

/** A worker of a command ends when that tells it to, or is gone. Ctrl-C in their terminal is the command's business. */
function onParentGone(): ReturnType<typeof onInterrupt> {
  const controller = new AbortController()
  const leave = () => controller.abort()
  const ignore = () => {}
  process.once('disconnect', leave)
  if (!process.connected) leave()
  process.once('SIGTERM', leave)
  process.on('SIGINT', ignore)
  const dispose = () => {
    process.off('SIGINT', ignore)
    // An open channel would keep this process; what it fails with has yet to be sent.
    process.channel?.unref()
  }
  return { signal: controller.signal, dispose }
}

async function superviseProcesses(terminal: Terminal, args: WorkerArguments, signal: AbortSignal): Promise<void> {
  const { workers, config, drain } = args
  const processes = new WorkerProcesses({
    count: workers!,
    args: [...(config === undefined ? [] : ['--config', config]), ...(drain ? ['--drain'] : [])],
    onRestart: (why) => terminal.say(restartText(why)),
    onWait: ({ what }) => terminal.say(printable(`Waiting: ${what}.`)),
  })
  const stop = () => processes.stop()
  for (const end of [signal, processes.broken]) end.addEventListener('abort', stop, { once: true })
  await processes.ended()
  processes.broken.throwIfAborted()
}

async function workAlone(
  context: CommandContext,
  terminal: Terminal,
  { drain = false }: WorkerArguments,
  signal: AbortSignal,
): Promise<void> {
  const queue = watchQueue()
  const jobs = await RangeJobs.open(await loadGraphileWorker(), context.queue(), 1)
  terminal.event({ event: 'ready' })
  terminal.say(drain ? 'Working on what there is.' : 'Waiting for work. Ctrl-C ends this after the batch under way.')
  try {
    await jobs.work(handler(context, terminal, signal), { signal, drain, lost: queue.lost })
  } finally {
    await jobs.close()
  }
}

/**
 * Graphile Worker takes a job out of its table without waiting for that, so that nobody sees what fails there. In a process
 * that only works on its jobs, it is what nobody handles; whatever comes after the first has the same cause.
 */
function watchQueue(): { readonly lost: AbortSignal } {
  const lost = new AbortController()
  process.on('unhandledRejection', (error) => lost.abort(error))
  return { lost: lost.signal }
}

function handler({ client, database, tenants }: CommandContext, terminal: Terminal, signal: AbortSignal): RangeHandler {
  return async (job, { last, failed }) => {
    const started = performance.now()
    const onWait = (strain: Strain) => tellSupervisor({ strain })
    try {
      const options = { database, tenants, signal, last, modest: failed, onWait }
      const report = await client.$encryption.maintainRange(job, options)
      if (report.outcome === 'none' || report.outcome === 'left') return report.outcome === 'none'
      terminal.event({ event: 'range', ...report })
      terminal.say(printable(`${textOf(report)} ${duration((performance.now() - started) / 1000)}.`))
      return true
    } catch (error) {
      const code = FieldsealError.is(error) ? error.code : 'failed'
      const message = String((error as { message?: unknown })?.message ?? error)
      terminal.event({ event: 'failure', range: job.range, code, message, last })
      terminal.say(failureText({ code, message }, last ? 'It is not tried again.' : 'It is tried again.'))
      // What the queue keeps of it; the message is in the progress.
      throw new Error(code)
    }
  }
}

function textOf(report: RangeReport): string {
  const { operation = 'encrypt', model, number, of, outcome, changed = 0, scanned = 0 } = report
  const done = `${count(changed)} of ${counted(scanned, 'row')} ${DOING[operation as keyof typeof DOING]}`
  const end = outcome === 'done' ? '' : outcome === 'stopped' ? 'stopped at a problem, ' : 'given back, '
  return `${model}, range ${number} of ${of}: ${end}${done},`
}
