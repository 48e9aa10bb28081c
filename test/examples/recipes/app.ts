import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import type { Workspace } from '../../package/packed.js'
import { until } from '../../support/until.js'

const started: ChildProcess[] = []

afterAll(() => {
  for (const app of started) app.kill('SIGKILL')
})

/** A process of an app. It is killed when the test file is over, if it has not ended. */
export interface App {
  readonly process: ChildProcess
  /** All that it has printed, on both of its outputs. */
  printed(): string
  /** Waits for what a pattern finds in that; its first group. */
  prints(pattern: RegExp): Promise<string>
  /** Asks it to end, as a platform does, unless it has; its exit code, or the signal that ended it. */
  stop(): Promise<number | string>
  /** As `stop`, without asking. */
  readonly ended: Promise<number | string>
}

/** Starts what is built of an app, with nothing of the tests' own in its environment but what is given. */
export function startApp(workspace: Workspace, name: string, env: NodeJS.ProcessEnv, ...args: string[]): App {
  const { PATH, HOME } = process.env
  const app = spawn(process.execPath, args, { cwd: join(workspace.folder, name), env: { PATH, HOME, ...env } })
  started.push(app)
  const ended = once(app, 'close').then(([code, signal]) => code ?? signal)
  let printed = ''
  for (const output of [app.stdout, app.stderr]) {
    output.setEncoding('utf8').on('data', (text) => {
      printed += text
    })
  }
  const prints = async (pattern: RegExp) => {
    const found = () => pattern.exec(printed)
    await until(`${name} prints ${pattern}`, () => {
      if (app.exitCode !== null && !found()) throw new Error(`${name} ended with ${app.exitCode}: ${printed}`)
      return found() !== null
    })
    return found()![1] ?? ''
  }
  const stop = () => {
    app.kill('SIGTERM')
    return ended
  }
  return { process: app, printed: () => printed, prints, stop, ended }
}
