import type { Command } from 'commander'
import type { ExitCode } from '../exitCode.js'
import { whileClosing } from '../interrupt.js'
import type { CommandContext } from '../loadConfig.js'
import type { Terminal } from '../terminal.js'

/** What the process gives to its commands, and takes from them. */
export interface ProgramContext {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: { write(text: string): unknown }
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  /** Opens what a configuration names; one that is looked for if `undefined`. */
  openCommandContext(config: string | undefined, env: NodeJS.ProcessEnv): Promise<CommandContext>
  exit(code: ExitCode): void
}

export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}

export async function terminalFor({ json }: CommonOptions, { stdout, stdin }: ProgramContext): Promise<Terminal> {
  const { humanTerminal, jsonTerminal } = await import('../terminal.js')
  return json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin)
}

/**
 * Adds what all commands that work on data take, and runs them in a context that is open. What runs is imported only then:
 * a shell that completes, and a help text, wait for no command.
 */
export function withCommandContext<Args>(
  command: Command,
  context: ProgramContext,
  run: (commandContext: CommandContext, terminal: Terminal, args: Args) => Promise<ExitCode>,
): Command {
  return command
    .option('--config <file>', 'the configuration; fieldseal.config.ts unless given')
    .option('--json', 'print JSON, an event a line, for programs')
    .action(async () => {
      const options = command.opts<CommonOptions & Args>()
      const terminal = await terminalFor(options, context)
      const commandContext = await context.openCommandContext(options.config, context.env)
      try {
        context.exit(await run(commandContext, terminal, options))
      } finally {
        await whileClosing(() => commandContext.close())
      }
    })
}
