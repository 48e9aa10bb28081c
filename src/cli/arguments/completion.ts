import { Argument, type Command } from 'commander'
import { completionScript, SERVER, SHELLS, type Shell, serveCompletion } from '../completion/shell.js'
import type { ProgramContext } from './commandContext.js'

const COMPLETION = `Print what makes your shell complete commands, options, models and fields: add one line to its start-up file.

  ~/.bashrc                    source <(fieldseal completion bash)
  ~/.zshrc, after compinit     source <(fieldseal completion zsh)
  ~/.config/fish/config.fish   fieldseal completion fish | source`

export function addCompletion(program: Command, { stdout, env }: ProgramContext): void {
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
