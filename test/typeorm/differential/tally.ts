import type { Answer } from './answer.js'
import type { Action, Step } from './step.js'

/** What a run met, to be printed: nobody believes a test of which nobody knows what it tried. */
export class Tally {
  cases = 0
  answered = 0
  refused = 0
  failed = 0
  withRows = 0
  readonly actions = new Map<string, [answered: number, refused: number, failed: number]>()
  readonly reasons = new Map<string, number>()
  readonly errors = new Map<string, number>()
  readonly answeredAlthough = new Map<string, number>()

  add(step: Step, answer: Answer, reasons: readonly (readonly string[])[]): void {
    this[answer.kind] += 1
    const place = { answered: 0, refused: 1, failed: 2 }[answer.kind]
    for (const name of step.actions.map(nameOf)) {
      const counts = this.actions.get(name) ?? [0, 0, 0]
      counts[place]! += 1
      this.actions.set(name, counts)
    }
    if (answer.kind === 'failed') count(this.errors, answer.error)
    if (answer.kind === 'refused') for (const reason of reasons[answer.action]!) count(this.reasons, reason)
    if (answer.kind !== 'answered') return
    for (const reason of reasons.flat()) count(this.answeredAlthough, reason)
    if (answer.results.some(isFull)) this.withRows += 1
  }

  toString(): string {
    const part = (title: string, counts: ReadonlyMap<string, unknown>) =>
      `  ${title}: ${[...counts]
        .map(([name, counted]) => `${name} ${[counted].flat().join('/')}`)
        .sort()
        .join(', ')}`
    return [
      `${this.cases} cases: ${this.answered} steps answered (${this.withRows} with rows), ${this.refused} refused, ${this.failed} failed`,
      part('answered/refused/failed', this.actions),
      part('refused for', this.reasons),
      part('answered although', this.answeredAlthough),
      part('errors', this.errors),
    ].join('\n')
  }
}

function nameOf(action: Action): string {
  if (action.do === 'select') return `select ${action.builder.around ?? action.builder.end}`
  if (action.do === 'raw') return `raw ${action.form}`
  return 'way' in action ? `${action.do} ${action.way}` : action.do
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function isFull(result: unknown): boolean {
  return Array.isArray(result) ? result.length > 0 : typeof result === 'object' && result !== null
}
