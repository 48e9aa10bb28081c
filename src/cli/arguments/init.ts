import { type Command, Option } from 'commander'
import type { InitArguments } from '../commands/init.js'
import { KMS_NAMES } from '../init/kmsNames.js'
import { type CommonOptions, type ProgramContext, terminalFor } from './commandContext.js'

const ANSWERS = `
What it asks, each of these options answers. What is neither answered nor asked is as proposed: fields whose names look
personal are encrypted, those that are unique or an e-mail address have a blind index. An example for a script:
  $ fieldseal init --yes --kms aws --fields User.email,User.phone --blind-indexes User.email --tenant-column orgId`

export function addInit(program: Command, context: ProgramContext): void {
  program
    .command('init')
    .summary('add to a project what it lacks: of Prisma the generator and the model of the keys, and a configuration')
    .description(
      'Ask which fields are to be encrypted, whose the rows are and whose KMS it is; then add marks, the generator and the ' +
        'model of the keys to the Prisma schema, and fieldseal.config.ts. With TypeORM, add fieldseal.config.ts for the data ' +
        'source that a file exports, and say what entities and data source lack. Shows what it would change, and asks. What ' +
        'is there stays; a second run finds nothing to add.',
    )
    .option('--schema <path>', 'the file or folder of the Prisma schema; found as Prisma does unless given')
    .option('--fields <Model.field...>', 'encrypt these', listed)
    .option('--no-fields', 'encrypt none yet')
    .option('--blind-indexes <Model.field...>', 'of these, the ones that are searched by equal values', listed)
    .option('--no-blind-indexes', 'search none of them')
    .option('--migrating', 'the tables have rows: their plaintext can be read until it is encrypted')
    .option('--no-migrating', 'the tables have no rows')
    .addOption(new Option('--tenancy <kind>', 'whose the rows are').choices(['single', 'many']))
    .option('--tenant-column <name>', 'many tenants: the column that says whose a row is')
    .addOption(new Option('--kms <name>', 'whose KMS wraps the keys').choices(KMS_NAMES))
    .option('--dry-run', 'show the changes that --yes would make, and write nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON, an event a line, for programs')
    .addHelpText('after', ANSWERS)
    .action(async (options: InitArguments & CommonOptions) => {
      const { runInit } = await import('../commands/init.js')
      context.exit(await runInit(process.cwd(), await terminalFor(options, context), options))
    })
}

/** `User.email,User.phone`, or a word each. */
function listed(text: string, before: unknown): string[] {
  const names = text.split(',').filter((name) => name !== '')
  return Array.isArray(before) ? [...before, ...names] : names
}
