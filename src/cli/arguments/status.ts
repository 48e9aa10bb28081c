import type { Command } from 'commander'
import type { StatusArguments } from '../commands/status.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand, choosing } from './common.js'

export function addStatus(program: Command, context: ProgramContext): void {
  const summary = 'show what is encrypted, under which keys, and what is not'
  const more = `.\n\nIt reads whole tables and asks no KMS. Exit code 3 if plaintext is left or an index is missing.`
  const command = choosing(addCommand(program, 'status', summary, more))
  command.option('--html <file>', 'also write a page with plots, to send or print')
  withCommandContext(command, context, async (commandContext, terminal, args: StatusArguments) => {
    const { runStatus } = await import('../commands/status.js')
    return runStatus(commandContext, terminal, args)
  })
}
