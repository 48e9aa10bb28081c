import { type Command, Option } from 'commander'
import { FieldsealError } from '../../errors.js'
import type { ExportMetadataArguments, ShredArguments, WalkArguments } from '../commands/keys.js'
import type { RestoreArguments } from '../commands/keysRestore.js'
import type { ExitCode } from '../exitCode.js'
import type { CommandContext } from '../loadConfig.js'
import type { Terminal } from '../terminal.js'
import { type ProgramContext, withCommandContext } from './commandContext.js'
import { addCommand, positive, time } from './common.js'

interface PurposeArguments extends WalkArguments {
  readonly purpose?: 'encrypt' | 'index'
  readonly settle?: number
  readonly pauseUniqueWrites?: boolean
}

const SETTLE =
  'with --purpose index: how long statements may wait for the database, and standbys for what was written; 10s unless given'

const PAUSE =
  'with --purpose index: blind indexes in unique constraints may be refused to be written, and to name a row, meanwhile'

function purposeOption(): Option {
  const what = 'keys for values, or those for indexes, which changes rows: each gets new indexes, then loses the old'
  return new Option('--purpose <purpose>', what).choices(['encrypt', 'index']).default('encrypt')
}

async function rotateIndexes(
  context: CommandContext,
  terminal: Terminal,
  { tenant: tenants = [], rate, settle, pauseUniqueWrites, dryRun }: PurposeArguments,
): Promise<ExitCode> {
  if (dryRun || tenants.length > 1)
    throw new FieldsealError('OPTIONS_INVALID', '--purpose index takes one --tenant or all, and no --dry-run')
  const { runRotateIndexKeys } = await import('../commands/rotateIndexKeys.js')
  return runRotateIndexKeys(context, terminal, { tenant: tenants[0], rate, settle, pauseUniqueWrites })
}

export function addKeys(program: Command, context: ProgramContext): void {
  const walks = [
    ['rotate', 'give tenants a new active key; old ones decrypt on, no row changes (with --purpose index, rows do)'],
    ['rewrap', 'put keys under the newest version of the KEK, or under another KEK; no row changes'],
  ] as const
  for (const [operation, summary] of walks) {
    const command = addCommand(program, operation, summary, '.')
      .option('--tenant <id...>', 'only the keys of these tenants')
      .option(
        '--rate <keys>',
        'the most keys begun in a second, a part of what the KMS allows; with --purpose index, the most rows',
        positive,
      )
      .option('--dry-run', 'count the keys, and change nothing')
    if (operation === 'rotate') {
      command.addOption(purposeOption()).option('--settle <time>', SETTLE, time)
      command.option('--pause-unique-writes', PAUSE)
    }
    withCommandContext(command, context, async (commandContext, terminal, args: PurposeArguments) => {
      if (args.purpose === 'index') return rotateIndexes(commandContext, terminal, args)
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
  withCommandContext(list, context, async (commandContext, _, args: ExportMetadataArguments) => {
    const { runExportMetadata } = await import('../commands/keys.js')
    return runExportMetadata(commandContext, context.stdout, args)
  })
  addExport(keys, context)
  addRestore(keys, context)
}

function addExport(keys: Command, context: ProgramContext): void {
  const command = keys
    .command('export')
    .argument('<file>', 'where to; a file of that name is replaced')
    .description(
      'Write the keys table into a file, as its backup: DEKs as the KMS has wrapped them, and nothing secret.',
    )
    .option('--force', 'also if the table is empty, or the file has keys that the table has lost')
  withCommandContext(command, context, async (commandContext, terminal, { force }: { force?: boolean }) => {
    const { runExport } = await import('../commands/keysExport.js')
    return runExport(commandContext, terminal, { file: command.args[0]!, force: force === true })
  })
}

function addRestore(keys: Command, context: ProgramContext): void {
  const command = keys
    .command('restore')
    .argument('[file]', 'what `keys export` wrote')
    .description(
      'Merge a copy of the keys table into it, beside the running app: what is lost comes back, and nothing is taken away. ' +
        'Shows what would be done, and asks.',
    )
    .option('--table <name>', 'a restored copy of the table in the same database, instead of a file')
    .option('--tenant <id...>', 'only the keys of these tenants, and those that wrap keys')
    .option('--rate <keys>', 'the most keys that the KMS opens in a second; 200 unless given', positive)
    .option('--no-verify', 'do not have the KMS open each key first')
    .option('--undo-shred <id...>', 'bring back the keys of these tenants, which were shredded by mistake')
    .option('--dry-run', 'show what would be done, and change nothing')
    .option('--yes', 'do not ask')
  withCommandContext(command, context, async (commandContext, terminal, args: Omit<RestoreArguments, 'file'>) => {
    const { runRestore } = await import('../commands/keysRestore.js')
    return runRestore(commandContext, terminal, { ...args, file: command.args[0] })
  })
}
