import type { Command } from 'commander'
import type { ExportArguments, ShredArguments, WalkArguments } from '../commands/keys.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand, positive } from './common.js'

export function addKeys(program: Command, context: ProgramContext): void {
  const walks = [
    ['rotate', 'give tenants a new active key; old ones decrypt on, no row changes'],
    ['rewrap', 'put keys under the newest version of the KEK, or under another KEK; no row changes'],
  ] as const
  for (const [operation, summary] of walks) {
    const command = addCommand(program, operation, summary, '.')
      .option('--tenant <id...>', 'only the keys of these tenants')
      .option('--rate <keys>', 'the most keys begun in a second; a part of what the KMS allows', positive)
      .option('--dry-run', 'count the keys, and change nothing')
    withCommandContext(command, context, async (commandContext, terminal, args: WalkArguments) => {
      const { runWalk } = await import('../commands/keys.js')
      return runWalk(operation, commandContext, terminal, args)
    })
  }
  const shred = program
    .command('shred')
    .summary('destroy the keys of a tenant: its data cannot be read again')
    .description('Destroy the keys of a tenant, for good: what they encrypted cannot be read again. Prints a receipt.')
    .requiredOption('--tenant <id>', 'the tenant whose keys are destroyed')
    .option('--dry-run', 'count the keys and the values that would be lost, and change nothing')
    .option('--yes', 'do not ask')
  withCommandContext(shred, context, async (commandContext, terminal, args: ShredArguments) => {
    const { runShred } = await import('../commands/keys.js')
    return runShred(commandContext, terminal, args)
  })
  const keys = addCommand(program, 'keys', 'what is known of keys', '.')
  const list = keys.command('export-metadata').description('List all keys as JSON, without what is wrapped.')
  list.option('--tenant <id>', 'only the keys of this tenant')
  withCommandContext(list, context, async (commandContext, _, args: ExportArguments) => {
    const { runExportMetadata } = await import('../commands/keys.js')
    return runExportMetadata(commandContext, context.stdout, args)
  })
}
