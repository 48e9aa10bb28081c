import type { Command } from 'commander'
import { candidates } from './candidates.js'

export const SHELLS = ['bash', 'zsh', 'fish'] as const

export type Shell = (typeof SHELLS)[number]

/** Asked by the scripts for what can stand under the cursor. */
export const SERVER = 'completion-server'

/** It prompts when it installs, which this does not: loaded here, nothing else waits for it. */
const tabtab = () => import('@pnpm/tabtab').then(({ default: library }) => library)

/** What the shell has to run to complete the command. */
export async function completionScript(name: string, shell: Shell): Promise<string> {
  const { getCompletionScript } = await tabtab()
  const script = await getCompletionScript({ name, completer: name, shell })
  return shell === 'fish' ? withoutEval(script) : script
}

/** In fish, words with a `;` or a `(` in them would be run. */
function withoutEval(script: string): string {
  return script.replace(
    /\(eval env .*? SHELL=fish/,
    '(env DEBUG= COMP_CWORD=$words COMP_LINE="$cmd " COMP_POINT=$cursor SHELL=fish',
  )
}

/** Answers a script. Shells show nothing where there is nothing, or files. */
export async function serveCompletion(program: Command, env: NodeJS.ProcessEnv, print: (line: string) => void) {
  const { getShellFromEnv, log, logFiles, parseEnv } = await tabtab()
  const shell = getShellFromEnv(env)
  const before = parseEnv(env).partial.split(/\s+/)
  const words = before.slice(before.lastIndexOf(program.name()) + 1)
  const current = words.pop() ?? ''
  const found = await candidates(program, words, current, namesHere)
  // In bash, files are what is completed where nothing is found.
  if (found === 'files') return shell === 'bash' ? undefined : logFiles()
  log([...found], shell, print)
}

async function namesHere() {
  const { schemaNames } = await import('./schemaNames.js')
  return schemaNames(process.cwd())
}
