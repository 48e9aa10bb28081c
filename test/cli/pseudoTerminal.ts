import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { platform } from 'node:os'
import { stripVTControlCharacters } from 'node:util'
import { eventually } from '../support/eventually.js'

/** A program in a terminal of its own, with somebody at the keys. */
export interface PseudoTerminal {
  /** All that it has shown, without colours and movements of the cursor. */
  shown(): string
  /** Waits until it shows something that it has not shown when keys were pressed last. */
  sees(text: string): Promise<void>
  press(...keys: readonly (keyof typeof KEYS)[]): void
  /** The code that it ends with. */
  readonly ended: Promise<number | null>
  kill(): void
}

const KEYS = {
  enter: '\r',
  space: ' ',
  up: '\x1b[A',
  down: '\x1b[B',
  left: '\x1b[D',
  right: '\x1b[C',
  interrupt: '\x03',
}

/**
 * Runs a program as in a window of so many columns, by the program `script`, which Linux and macOS have.
 *
 * @param words the program and its arguments
 */
export function pseudoTerminal(
  words: readonly string[],
  { columns, cwd, env }: { readonly columns: number; readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): PseudoTerminal {
  const command = `stty cols ${columns} rows 40; exec ${words.map((word) => `'${word}'`).join(' ')}`
  const args = platform() === 'darwin' ? ['-q', '/dev/null', 'sh', '-c', command] : ['-qefc', command, '/dev/null']
  // Without CI and the like, which make a terminal one that nobody looks at.
  const child = spawn('script', args, { cwd, env: { ...env, CI: undefined, TERM: 'xterm-256color', SHELL: '/bin/sh' } })
  let output = ''
  let seen = 0
  child.stdout.on('data', (chunk) => {
    output += String(chunk)
  })
  const shown = () => stripVTControlCharacters(output)
  return {
    shown,
    sees: (text) =>
      eventually(
        () => {
          if (!shown().slice(seen).includes(text)) throw new Error(`no "${text}" in:\n${shown().slice(seen)}`)
        },
        { timeout: 60_000 },
      ),
    press(...keys) {
      seen = shown().length
      for (const key of keys) child.stdin.write(KEYS[key])
    },
    ended: once(child, 'close').then(([code]) => code),
    kill: () => child.kill(),
  }
}
