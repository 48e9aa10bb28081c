import type { Command } from 'commander'
import type { ExitCode } from '../exitCode.js'
import type { World } from '../loadConfig.js'
import { humanTerminal, jsonTerminal, type Terminal } from '../terminal.js'

/** What the process gives to its commands, and takes from them. */
export interface ProgramContext {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: { write(text: string): unknown }
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  /** Opens what a configuration names; one that is looked for if `undefined`. */
  openWorld(config: string | undefined, env: NodeJS.ProcessEnv): Promise<World>
  exit(code: ExitCode): void
}

export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
}

export function terminalFor({ json }: CommonOptions, { stdout, stdin }: ProgramContext): Terminal {
  return json ? jsonTerminal(stdout) : humanTerminal(stdout, stdin)
}

/** Adds what all commands that work on data take, and runs them in an open world. */
export function inWorld<Args>(
  command: Command,
  context: ProgramContext,
  run: (world: World, terminal: Terminal, args: Args) => Promise<ExitCode>,
): Command {
  return command
    .option('--config <file>', 'the configuration; fieldseal.config.ts unless given')
    .option('--json', 'print JSON, an event a line, for programs')
    .action(async (options: CommonOptions & Args) => {
      const terminal = terminalFor(options, context)
      const world = await context.openWorld(options.config, context.env)
      try {
        context.exit(await run(world, terminal, options))
      } finally {
        await world.close()
      }
    })
}
