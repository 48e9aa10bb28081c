import type { DemoKms, KmsCalls } from '../kms.js'
import { count, section, table } from '../terminal.js'

const ACTIONS = ['GenerateDataKey', 'Decrypt'] as const

/** Notes, part by part, which KMS calls the app made. */
export class CallBook {
  readonly #calls: KmsCalls
  readonly #parts: { readonly what: string; readonly values: number; readonly calls: ReadonlyMap<string, number> }[] =
    []

  constructor({ calls }: Pick<DemoKms, 'calls'>) {
    this.#calls = calls
  }

  /** Ends a part: all calls since the last one belong to it. */
  note(what: string, values: number): void {
    this.#parts.push({ what, values, calls: new Map(this.#calls) })
    this.#calls.clear()
  }

  get total(): number {
    return this.#parts.reduce((sum, { calls }) => sum + all(calls), 0)
  }

  report(): void {
    section(
      'The KMS calls that this took',
      'A DEK is unwrapped once per process, and then held in memory for 5 minutes.',
    )
    const rows = this.#parts.map(({ what, values, calls }) => [
      what,
      count(values),
      ...ACTIONS.map((action) => String(calls.get(action) ?? 0)),
    ])
    table([48, 10, 18], ['what the app did', 'values', ...ACTIONS], rows)
  }
}

function all(calls: ReadonlyMap<string, number>): number {
  return [...calls.values()].reduce((sum, number) => sum + number, 0)
}
