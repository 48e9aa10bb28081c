import type { Command } from 'commander'
import type { ExitCode } from '../exitCode.js'
import { openWorld, type World } from '../loadConfig.js'
import { humanTerminal, jsonTerminal, type Terminal } from '../terminal.js'

/** What the process gives to its commands, and takes from them. */
export interface ProgramContext {
  readonly stdout: NodeJS.WriteStream
  readonly stdin: NodeJS.ReadStream
  readonly env: NodeJS.ProcessEnv
  exit(code: ExitCode): void
}

export interface CommonOptions {
  readonly config?: string
  readonly json?: boolean
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
