import type { Statement } from './randomStatement.js'
import type { Answer } from './twins.js'

/** What a run met, to be printed: nobody believes a test of which nobody knows what it tried. */
export class Tally {
  cases = 0
  /** By the encrypted side. */
  answered = 0
  refused = 0
  /** By PostgreSQL, on both sides. */
  failed = 0
  /** Of what was refused, what PostgreSQL would refuse too. */
  refusedByBoth = 0
  withRows = 0
  readonly features = new Map<string, [answered: number, refused: number]>()
  readonly reasons = new Map<string, number>()

  add(statement: Statement, expected: Answer, actual: Answer): void {
    this.cases += 1
    if (actual.kind === 'failed') this.failed += 1
    if (actual.kind === 'refused') this.#addRefusal(expected, actual)
    if (actual.kind === 'answered') {
      this.answered += 1
      if (actual.rows.length > 0) this.withRows += 1
    }
    if (actual.kind === 'failed') return
    for (const feature of statement.features) {
      const counts = this.features.get(feature) ?? [0, 0]
      counts[actual.kind === 'answered' ? 0 : 1] += 1
      this.features.set(feature, counts)
    }
  }

  toString(): string {
    const features = [...this.features].map(([name, [answered, refused]]) => `${name} ${answered}/${refused}`)
    const reasons = [...this.reasons].sort(([, one], [, other]) => other - one).map(([why, count]) => `${count} ${why}`)
    return [
      `${this.cases} cases: ${this.answered} answered (${this.withRows} with rows), ${this.refused} refused (${this.refusedByBoth} by PostgreSQL too), ${this.failed} failed on both sides`,
      `  answered/refused: ${features.sort().join(', ')}`,
      `  refusals: ${reasons.slice(0, 40).join('\n            ')}`,
    ].join('\n')
  }

  #addRefusal(expected: Answer, { code, message }: Extract<Answer, { kind: 'refused' }>): void {
    this.refused += 1
    if (expected.kind === 'failed') this.refusedByBoth += 1
    const why = `${code} ${message.replace(/\b\w+\.\w+\b/g, '…').slice(0, 70)}`
    this.reasons.set(why, (this.reasons.get(why) ?? 0) + 1)
  }
}
