import type { IndexRotationReport, IndexRotationStep } from '../../maintenance/keys/rotateIndexKeys.js'
import { printable } from '../../printable.js'
import { EXIT, type ExitCode } from '../exitCode.js'
import { onInterrupt } from '../interrupt.js'
import type { CommandContext } from '../loadConfig.js'
import { count, counted, duration, type Terminal } from '../terminal.js'
import { showProblem, waits } from './maintain.js'

export interface RotateIndexKeysArguments {
  readonly tenant: string | undefined
  readonly rate: number | undefined
  /** In milliseconds. */
  readonly settle: number | undefined
  readonly pauseUniqueWrites: boolean | undefined
}

/** Replaces the keys of indexes: hours rather than minutes, most of it waiting. */
export async function runRotateIndexKeys(
  { client, database, tenants }: CommandContext,
  terminal: Terminal,
  { tenant, rate, settle, pauseUniqueWrites }: RotateIndexKeysArguments,
): Promise<ExitCode> {
  const interrupt = onInterrupt((message) => terminal.say(message))
  const shown = { problems: 0 }
  try {
    const report = await client.$encryption.rotateIndexKeys({
      ...{ database, tenants, tenant, settle, pauseUniqueWrites, rowsPerSecond: rate },
      ...{ signal: interrupt.signal, onWait: waits(terminal) },
      onStep: (step) => {
        terminal.event({ event: 'step', ...step })
        terminal.settle()
        terminal.say(wordsOf(step))
      },
      onProgress: (event) => {
        terminal.event({ event: 'progress', ...event })
        terminal.progress({ name: event.model, done: event.scanned, total: event.total, unit: 'row' })
      },
      onProblem: (problem) => showProblem(terminal, problem, shown),
    })
    terminal.settle()
    return conclude(terminal, report)
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    terminal.say(INTERRUPTED)
    return EXIT.interrupted
  } finally {
    terminal.settle()
    interrupt.dispose()
  }
}

const INTERRUPTED = 'Interrupted. Searches go on by both keys; the same command goes on from here.'

function wordsOf({ step, wait = 0, count: about = 0 }: IndexRotationStep): string {
  switch (step) {
    case 'add':
      return 'New keys beside the present ones …'
    case 'forget':
    case 'settle': {
      if (about > 0) return `Waiting for ${counted(about, 'transaction')} that ${about === 1 ? 'is' : 'are'} open …`
      const what = step === 'forget' ? 'every process works by these keys' : 'nobody sees the rows as they were'
      return `Waiting ${duration(wait / 1000)}, until ${what} …`
    }
    case 'prepare':
      return 'Blind indexes that are missing …'
    case 'replace':
      return `Blind indexes are written under ${counted(about, 'new key')} now.`
    case 'fill':
      return 'New indexes for all rows …'
    case 'retire':
      return `${counted(about, 'old key')} ${about === 1 ? 'is' : 'are'} not used any more.`
    case 'drop':
      return 'Without the old tokens …'
    case 'destroy':
      return `${counted(about, 'old key')} ${about === 1 ? 'goes' : 'go'}.`
  }
}

function conclude(terminal: Terminal, { outcome, added, destroyed, failed, runs }: IndexRotationReport): ExitCode {
  for (const { problems, ...run } of runs) terminal.event({ event: 'report', ...run })
  terminal.event({
    event: 'report',
    operation: 'rotate',
    purpose: 'index',
    outcome,
    added,
    destroyed,
    failed: failed.length,
  })
  for (const { tenant, key, error } of failed) {
    terminal.event({ event: 'problem', tenant, key, code: error.code, message: error.message })
    terminal.say(`${error.code}  ${printable(`${tenant} ${key}: ${error.message}`)}`)
  }
  if (outcome === 'interrupted') {
    terminal.say(INTERRUPTED)
    return EXIT.interrupted
  }
  if (outcome === 'left') {
    const left = runs.at(-1)!.skipped
    terminal.say(
      `The old keys stay: ${counted(left, 'row')} could not be indexed. See to ${left === 1 ? 'it' : 'them'}, then run this again.`,
    )
    return EXIT.problems
  }
  terminal.say(
    `${counted(added, 'key')} new, ${count(destroyed)} destroyed, ${count(failed.length)} failed. Next: fieldseal verify`,
  )
  return failed.length > 0 ? EXIT.problems : EXIT.done
}
