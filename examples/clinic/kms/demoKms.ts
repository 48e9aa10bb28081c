import type { Kms } from 'fieldseal'

/** A KMS to wrap the keys with, and what was asked of it. */
export interface DemoKms {
  readonly keys: Kms
  /** For people: what it is. */
  readonly description: string
  /** How often each action was asked for since this was last called. */
  takeCalls(): ReadonlyMap<string, number>
  /** What became of it, after `close`. */
  readonly farewell: string
  close(): Promise<void>
}

/** Counts calls where nobody else does. */
export class CallCounter {
  readonly #calls = new Map<string, number>()

  count(action: string): void {
    this.#calls.set(action, (this.#calls.get(action) ?? 0) + 1)
  }

  readonly take: DemoKms['takeCalls'] = () => {
    const taken = new Map(this.#calls)
    this.#calls.clear()
    return taken
  }
}

/** What emulators count. */
interface EmulatedCalls {
  readonly byAction: { readonly [action: string]: number }
  reset(): void
}

export function callsOf(calls: EmulatedCalls): DemoKms['takeCalls'] {
  return () => {
    const taken = new Map(Object.entries(calls.byAction))
    calls.reset()
    return taken
  }
}
