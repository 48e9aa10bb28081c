import type { DemoKms } from '../kms/demoKms.js'
import { count, section, table } from '../terminal.js'

/** Notes, part by part, which KMS calls the app made. */
export class CallBook {
  readonly #take: DemoKms['takeCalls']
  readonly #parts: { readonly what: string; readonly values: number; readonly calls: ReadonlyMap<string, number> }[] =
    []

  constructor({ takeCalls }: Pick<DemoKms, 'takeCalls'>) {
    this.#take = takeCalls
  }

  /** Ends a part: all calls since the last one belong to it. */
  note(what: string, values: number): void {
    this.#parts.push({ what, values, calls: this.#take() })
  }

  get total(): number {
    return this.#parts.reduce((sum, { calls }) => sum + all(calls), 0)
  }

  report(): void {
    section(
      'The KMS calls that this took',
      'A DEK is unwrapped once per process, and then held in memory for 5 minutes.',
    )
    const actions = [...new Set(this.#parts.flatMap(({ calls }) => [...calls.keys()]))]
    const rows = this.#parts.map(({ what, values, calls }) => [
      what,
      count(values),
      ...actions.map((action) => String(calls.get(action) ?? 0)),
    ])
    const width = Math.min(18, Math.floor(36 / actions.length))
    table([48, 10, ...actions.slice(1).map(() => width)], ['what the app did', 'values', ...actions], rows)
  }
}

function all(calls: ReadonlyMap<string, number>): number {
  return [...calls.values()].reduce((sum, number) => sum + number, 0)
}
