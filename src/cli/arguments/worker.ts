import type { Command } from 'commander'
import type { WorkerArguments } from '../commands/worker.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand, whole } from './common.js'

export function addWorker(program: Command, context: ProgramContext): void {
  const summary = 'take part in the work of commands with --workers that run elsewhere'
  const command = addCommand(
    program,
    'worker',
    summary,
    ', with the same configuration. It waits for work until it is stopped; stopped in any way, also ' +
      'by kill -9, it loses nothing: others take over what it had begun.',
  )
    .option('--workers <number>', 'as so many processes', whole)
    .option('--drain', 'end when there is no work left, instead of waiting for more')
  withCommandContext(command, context, async (commandContext, terminal, args: WorkerArguments) => {
    const { runWorker } = await import('../commands/worker.js')
    return runWorker(commandContext, terminal, args)
  })
}
