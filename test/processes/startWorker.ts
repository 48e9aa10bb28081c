import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClinicUnderTest } from '../support/clinic.js'
import type { Job, WorkerSetup } from './worker.js'

const program = fileURLToPath(new URL('worker.ts', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))

/** An app in another process, on the same database and KMS. */
export interface Worker {
  ask(job: Job): Promise<unknown>
  /** As a machine that loses its power. */
  kill(): Promise<void>
  stop(): Promise<void>
  /** What it has printed so far. */
  output(): string
}

export async function startWorker(
  { database, emulator }: ClinicUnderTest,
  env: { readonly [variable: string]: string } = {},
): Promise<Worker> {
  const { endpoint, credential, keyId } = emulator
  const setup: WorkerSetup = { url: database.url, endpoint, credential, keyId }
  const child = fork(program, [JSON.stringify(setup)], {
    cwd: root,
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, ...env },
    silent: true,
  })
  const printed: string[] = []
  child.stdout?.on('data', (chunk) => printed.push(String(chunk)))
  child.stderr?.on('data', (chunk) => printed.push(String(chunk)))
  const ended = once(child, 'exit')
  const started = await Promise.race([once(child, 'message'), ended])
  if (started[0] !== 'ready') throw new Error(`the worker ended before it began: ${printed.join('')}`)
  let jobs = 0
  return {
    ask(job) {
      jobs += 1
      const id = jobs
      return new Promise((resolve, reject) => {
        child.on('message', (answer: { id: number; result?: unknown; error?: string }) => {
          if (answer.id === id) answer.error === undefined ? resolve(answer.result) : reject(new Error(answer.error))
        })
        void ended.then(() => reject(new Error('the worker has ended')))
        child.send({ id, job })
      })
    },
    output: () => printed.join(''),
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async stop() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}
