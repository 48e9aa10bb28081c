import type { Strain } from '../../maintenance/rows/pressure.js'

/** The variable by which a worker knows that a command has started it, also when that is gone before it looks. */
export const WORKER_PROCESS_VARIABLE = 'FIELDSEAL_WORKER_PROCESS'

/** What a worker tells the command that has started it: what it waits for, and what it fails with. */
export type WorkerMessage = { readonly strain: Strain } | { readonly failure: string }

export function isSupervised(): boolean {
  return Boolean(process.env[WORKER_PROCESS_VARIABLE])
}

/** A command that is gone, or has let its workers go, hears nothing any more; that is no failure of the worker's. */
export function tellSupervisor(message: WorkerMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}

/**
 * Where a supervised worker writes what it fails with: the command says it, once for all of its workers. One that has let
 * its workers go has said already what is wrong.
 */
export function toSupervisor(): { write(text: string): void } | undefined {
  if (!isSupervised()) return undefined
  return {
    write: (text) => tellSupervisor({ failure: text.trim().replace(/^fieldseal: /, '') }),
  }
}
