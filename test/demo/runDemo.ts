import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningDemo {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Runs the demo as `npm start -- <args>` does, once the set-up has been done. */
export function startDemo(args: readonly string[], env: { readonly [variable: string]: string } = {}): RunningDemo {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/clinic/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, TENCENTCLOUD_SECRET_ID: '', TENCENTCLOUD_SECRET_KEY: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exit = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  // A test may go away from the output.
  const ended = Promise.all([exit, text(child.stdout).catch(() => ''), text(child.stderr)])
  return { child, ended: ended.then(([[code, signal], stdout, stderr]) => ({ code, signal, stdout, stderr })) }
}

export function runDemo(args: readonly string[], env?: { readonly [variable: string]: string }): Promise<Ended> {
  return startDemo(args, env).ended
}
