import { Command } from 'commander'
import { printableLines } from '../printable.js'
import { addAdvise } from './arguments/advise.js'
import { addAudit } from './arguments/audit.js'
import type { ProgramContext } from './arguments/commandContext.js'
import { addCompletion } from './arguments/completion.js'
import { addDoctor } from './arguments/doctor.js'
import { addInit } from './arguments/init.js'
import { addKeys } from './arguments/keys.js'
import { addMaintenance } from './arguments/maintain.js'
import { addStatus } from './arguments/status.js'
import { addWorker } from './arguments/worker.js'
import { EXIT, type ExitCode } from './exitCode.js'
import { ownVersion } from './version.js'

const EXAMPLES = `
The way from plaintext to verified encryption, with the app running:
  $ fieldseal init                     adds what the schema and the project lack
  $ fieldseal status                   what is plaintext, what is encrypted
  $ fieldseal encrypt --dry-run        what would be done
  $ fieldseal encrypt                  does it; Ctrl-C stops it, the same command goes on
  $ fieldseal verify                   reads everything, changes nothing

Each command has its own help: fieldseal encrypt --help. Secrets come from the environment, by fieldseal.config.ts.
Exit codes: 0 done, 1 failed, 2 wrong command line or configuration, 3 done with problems, 130 interrupted.`

/** The command line: what there is, and what each is called with. */
export function createProgram(context: ProgramContext): Command {
  const program = new Command('fieldseal')
    .description('Encrypt existing data, rotate keys, and see what is encrypted.')
    .version(ownVersion(), '-V, --version', 'print the version')
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    })
  addInit(program, context)
  addMaintenance(program, context)
  addWorker(program, context)
  addStatus(program, context)
  addDoctor(program, context)
  addAdvise(program, context)
  addKeys(program, context)
  addAudit(program, context)
  addCompletion(program, context)
  return program
}

/** Runs the command line; never throws. */
export async function runProgram(argv: readonly string[], context: ProgramContext): Promise<void> {
  try {
    await createProgram(context).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    context.exit(explain(error, context))
  }
}

/** Wrong before anything was begun. */
const USAGE: ReadonlySet<unknown> = new Set(['OPTIONS_INVALID', 'TENANT_MISSING', 'TENANT_INVALID', 'SCHEMA_INVALID'])

function explain(error: unknown, { stderr }: ProgramContext): ExitCode {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: unknown; message?: unknown }
  if (typeof code === 'string' && code.startsWith('commander.')) return exitCode === 0 ? EXIT.done : EXIT.usage
  const what = String(message ?? error)
  // Those of the system have it in their message: `EACCES: permission denied, open …`.
  const prefix = typeof code === 'string' && !what.startsWith(`${code}: `) ? `${code}: ` : ''
  const text = `fieldseal: ${prefix}${what}`
  stderr.write(`${printableLines(text)}\n`)
  return USAGE.has(code) ? EXIT.usage : EXIT.failed
}
