import type { Command } from 'commander'
import type { InitArguments } from '../commands/init.js'
import { type CommonOptions, type ProgramContext, terminalFor } from './commandContext.js'

export function addInit(program: Command, context: ProgramContext): void {
  program
    .command('init')
    .summary('add to a project what it lacks: of Prisma the generator and the model of the keys, and a configuration')
    .description(
      'Add the generator and the model of the keys to the Prisma schema, and fieldseal.config.ts. With TypeORM, add ' +
        'fieldseal.config.ts for the data source that a file exports, and say what entities and data source lack. Shows ' +
        'what it would change, and asks. What is there stays; a second run finds nothing to add.',
    )
    .option('--schema <path>', 'the file or folder of the Prisma schema; found as Prisma does unless given')
    .option('--dry-run', 'show the changes, and write nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON, an event a line, for programs')
    .action(async (options: InitArguments & CommonOptions) => {
      const { runInit } = await import('../commands/init.js')
      context.exit(await runInit(process.cwd(), await terminalFor(options, context), options))
    })
}
