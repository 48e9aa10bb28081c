import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { Operation } from '../maintenance/operation.js'
import { runDoctor } from './commands/doctor.js'
import { type InitArguments, runInit } from './commands/init.js'
import { runExportMetadata, runShred, runWalk } from './commands/keys.js'
import { runMaintain } from './commands/maintain.js'
import { runStatus } from './commands/status.js'
import { runWorker } from './commands/worker.js'
import { completionScript, SERVER, SHELLS, type Shell, serveCompletion } from './completion/shell.js'
import { EXIT, type ExitCode } from './exitCode.js'
import { openWorld, type World } from './loadConfig.js'
import { parseMaxLag } from './maxLag.js'
import { humanTerminal, jsonTerminal, type Terminal } from './terminal.js'

/** What the process gives to its commands, and takes from them. */
export interface ProgramContext {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  exit(code: ExitCode): void
}

interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}

const EXAMPLES = `
The way from plaintext to verified encryption, with the app running:
  $ fieldseal init                     adds what the schema and the project lack
  $ fieldseal status                   what is plaintext, what is encrypted
  $ fieldseal encrypt --dry-run        what would be done
  $ fieldseal encrypt                  does it; Ctrl-C stops it, the same command goes on
  $ fieldseal verify                   reads everything, changes nothing

Each command has its own help: fieldseal encrypt --help. Secrets come from the environment, by fieldseal.config.ts.
Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 done with problems, 130 interrupted.`

const COMPLETION = `Print what makes your shell complete commands, options, models and fields: add one line to its start-up file.

  ~/.bashrc                    source <(fieldseal completion bash)
  ~/.zshrc, after compinit     source <(fieldseal completion zsh)
  ~/.config/fish/config.fish   fieldseal completion fish | source`

const MAINTENANCE: readonly (readonly [operation: Operation, summary: string, more: string])[] = [
  [
    'encrypt',
    'encrypt the plaintext that is stored in encrypted fields, and fill their blind indexes',
    'Safe beside the running app: it reads small batches by primary key, and writes a row only if nobody changed or ' +
      'locked it meanwhile. @updatedAt stays. Stop it at any time, also with kill -9: the same command goes on where it ' +
      'was. A row that cannot be encrypted is reported and left as it is. A second run changes nothing.',
  ],
  [
    're-encrypt',
    'bring ciphertexts of retired keys under the active one, after `fieldseal rotate`',
    'Reads and writes as encrypt does. Indexes stay as they are: they have a key of their own.',
  ],
  ['reindex', 'make blind indexes again, after their options were changed', 'Only index columns are written.'],
  [
    'decrypt',
    'put plaintext back, to leave fieldseal',
    'Ciphertext becomes plaintext and blind indexes become NULL. Mark the fields @encrypted(ejecting) and deploy first.',
  ],
  [
    'verify',
    'read every encrypted value and index, and report what is wrong',
    'Exit code 3 if there is plaintext, a value that cannot be decrypted, or an index that is not of its value.',
  ],
]

/** The command line: what there is, and what each is called with. */
export function createProgram(context: ProgramContext): Command {
  const program = new Command('fieldseal')
    .description('Encrypt existing data, rotate keys, and see what is encrypted.')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see --help)')
    .exitOverride()
  addInit(program, context)
  for (const [operation, summary, more] of MAINTENANCE) addMaintenance(program, context, { operation, summary, more })
  addWorker(program, context)
  addStatus(program, context)
  addDoctor(program, context)
  addKeys(program, context)
  addCompletion(program, context)
  return program
}

/** Adds what all commands that work on data take, and runs them in an open world. */
function inWorld<Args>(
  command: Command,
  context: ProgramContext,
  run: (world: World, terminal: Terminal, args: Args) => Promise<ExitCode>,
): Command {
  return command
    .option('--config <file>', 'the configuration; fieldseal.config.ts unless given')
    .option('--json', 'print JSON, an event a line, for programs')
    .action(async (options: CommonOptions & Args) => {
      const { stdout, stdin, env } = context
      const terminal = options.json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin)
      const world = await openWorld(options.config, env)
      try {
        context.exit(await run(world, terminal, options))
      } finally {
        await world.close()
      }
    })
}

function chosen(command: Command): Command {
  return command
    .option('--model <name...>', 'only these models')
    .option('--field <Model.field...>', 'only these fields')
    .option('--tenant <id>', 'only the rows of this tenant')
}

interface Maintenance {
  readonly operation: Operation
  readonly summary: string
  readonly more: string
}

function addMaintenance(program: Command, context: ProgramContext, { operation, summary, more }: Maintenance): void {
  const command = chosen(
    program
      .command(operation)
      .summary(summary)
      .description(`${capital(summary)}.\n\n${more}`),
  )
    .option('--dry-run', 'count what would be done, and change nothing')
    .addOption(
      new Option('--on-error <what>', 'leave a row with a problem, or stop there')
        .choices(['skip', 'stop'])
        .default('skip'),
    )
    .option('--rate <rows>', 'the most rows worked on in a second', positive)
    .option(
      '--workers <number>',
      'share the work among so many processes, and with `fieldseal worker` elsewhere',
      whole,
    )
    .addOption(
      new Option('--attempts <number>', 'how often workers try a range while the KMS or the database fails')
        .argParser(whole)
        .default(6),
    )
    .option('--restart', 'begin anew instead of going on with an unfinished run')
  if (operation !== 'verify')
    command.option('--max-lag <time or size>', 'wait while a standby is further behind: 5s, 64MB', parseMaxLag)
  if (operation === 'decrypt') command.option('--yes', 'do not ask')
  inWorld(command, context, (world, terminal, args) => runMaintain(operation, world, terminal, args as never))
}

function addWorker(program: Command, context: ProgramContext): void {
  const summary = 'take part in the work of commands with --workers that run elsewhere'
  const command = program
    .command('worker')
    .summary(summary)
    .description(
      `${capital(summary)}, with the same configuration. It waits for work until it is stopped; stopped in any way, also ` +
        'by kill -9, it loses nothing: others take over what it had begun.',
    )
    .option('--workers <number>', 'as so many processes', whole)
    .option('--drain', 'end when there is no work left, instead of waiting for more')
  inWorld(command, context, (world, terminal, args) => runWorker(world, terminal, args as never))
}

function addInit(program: Command, { stdout, stdin, exit }: ProgramContext): void {
  program
    .command('init')
    .summary('add the generator, the model of the keys and a configuration to a project')
    .description(
      'Add the generator and the model of the keys to the Prisma schema, and fieldseal.config.ts. Shows what it would ' +
        'change, and asks. What is there stays; a second run finds nothing to add.',
    )
    .option('--schema <path>', 'the file or folder of the schema; found as Prisma does unless given')
    .option('--dry-run', 'show the changes, and write nothing')
    .option('--yes', 'do not ask')
    .option('--json', 'print JSON, an event a line, for programs')
    .action(async (options: InitArguments & CommonOptions) => {
      const terminal = options.json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin)
      exit(await runInit(process.cwd(), terminal, options))
    })
}

function addStatus(program: Command, context: ProgramContext): void {
  const summary = 'show what is encrypted, under which keys, and what is not'
  const description = `${capital(summary)}.\n\nIt reads whole tables and asks no KMS. Exit code 3 if plaintext is left or an index is missing.`
  const command = chosen(program.command('status').summary(summary).description(description))
  command.option('--html <file>', 'also write a page with plots, to send or print')
  inWorld(command, context, (world, terminal, args) => runStatus(world, terminal, args as never))
}

function addDoctor(program: Command, context: ProgramContext): void {
  const summary = 'look for what is wrong or risky'
  const command = program
    .command('doctor')
    .summary(summary)
    .description(
      `${capital(summary)}: plaintext that is left, a KMS that does not answer, blind indexes that are missing or slow, old ` +
        'keys, values that also stand in the clear elsewhere, and names of fields that look as if they should be marked. ' +
        'Exit code 3 if there is a problem.',
    )
    .option('--strict', 'risks count as problems')
  inWorld(command, context, (world, terminal, args) => runDoctor(world, terminal, args as never))
}

function addKeys(program: Command, context: ProgramContext): void {
  const walks = [
    ['rotate', 'give tenants a new active key; old ones decrypt on, no row changes'],
    ['rewrap', 'put keys under the newest version of the KEK, or under another KEK; no row changes'],
  ] as const
  for (const [operation, summary] of walks) {
    const command = program
      .command(operation)
      .summary(summary)
      .description(`${capital(summary)}.`)
      .option('--tenant <id...>', 'only the keys of these tenants')
      .option('--rate <keys>', 'the most keys begun in a second; a part of what the KMS allows', positive)
      .option('--dry-run', 'count the keys, and change nothing')
    inWorld(command, context, (world, terminal, args) => runWalk(operation, world, terminal, args as never))
  }
  const shred = program
    .command('shred')
    .summary('destroy the keys of a tenant: its data cannot be read again')
    .description('Destroy the keys of a tenant, for good: what they encrypted cannot be read again. Prints a receipt.')
    .requiredOption('--tenant <id>', 'the tenant whose keys are destroyed')
    .option('--dry-run', 'count the keys and the values that would be lost, and change nothing')
    .option('--yes', 'do not ask')
  inWorld(shred, context, (world, terminal, args) => runShred(world, terminal, args as never))
  const keys = program.command('keys').summary('what is known of keys').description('What is known of keys.')
  const list = keys.command('export-metadata').description('List all keys as JSON, without what is wrapped.')
  list.option('--tenant <id>', 'only the keys of this tenant')
  inWorld(list, context, (world, _, args) => runExportMetadata(world, context.stdout, args as never))
}

function addCompletion(program: Command, { stdout, env }: ProgramContext): void {
  const print = (text: string) => void stdout.write(`${text}\n`)
  program
    .command('completion')
    .summary('print what makes your shell complete this command')
    .description(COMPLETION)
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => print(await completionScript(program.name(), shell)))
  program
    .command(SERVER, { hidden: true })
    .argument('[words...]')
    .action(() => serveCompletion(program, env, print))
}

function positive(text: string): number {
  const number = Number(text)
  if (number > 0) return number
  throw new InvalidArgumentError('It must be a number above 0.')
}

function whole(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number above 0.')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Runs the command line; never throws. */
export async function runProgram(argv: readonly string[], context: ProgramContext): Promise<void> {
  try {
    await createProgram(context).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    context.exit(explain(error))
  }
}

/** Wrong before anything was begun. */
const USAGE: ReadonlySet<unknown> = new Set(['OPTIONS_INVALID', 'TENANT_MISSING', 'TENANT_INVALID', 'SCHEMA_INVALID'])

function explain(error: unknown): ExitCode {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: unknown; message?: unknown }
  if (typeof code === 'string' && code.startsWith('commander.')) return exitCode === 0 ? EXIT.done : EXIT.usage
  console.error(`fieldseal: ${typeof code === 'string' ? `${code}: ` : ''}${String(message ?? error)}`)
  return USAGE.has(code) ? EXIT.usage : EXIT.failed
}
