import type { Answer } from './answer.js'
import type { Step } from './randomCase.js'

const OPERATIONS = [
  ...['findUnique', 'findUniqueOrThrow', 'findFirst', 'findFirstOrThrow', 'findMany', 'create', 'createMany'],
  ...['createManyAndReturn', 'update', 'updateMany', 'updateManyAndReturn', 'upsert', 'delete', 'deleteMany'],
  ...['count', 'aggregate', 'groupBy', 'findUnique …fluent', '$transaction batch', '$transaction interactive'],
]
const ERRORS = ['validation', 'P2002', 'P2003', 'P2025']
const REFUSALS = [
  ...['no index', 'few bits', 'reference', 'operator contains', 'operator gt', 'operator mode', 'distinct', 'orderBy'],
  ...['groupBy', 'bound value missing', 'bound value shared', 'bound column changed', 'computed change'],
  ...[
    'tokens find others',
    'too short for tokens',
    'part of a combined index',
    'plaintext in several forms',
    'cursor',
    'another tenant',
  ],
]

/** What a run met, to be printed: nobody believes a test of which nobody knows what it tried. */
export class Tally {
  readonly operations = new Map<string, number>()
  readonly errors = new Map<string, number>()
  readonly refusals = new Map<string, number>()
  readonly features = new Map<string, number>()
  cases = 0

  add(step: Step, answer: Answer, reasons: readonly string[]): void {
    for (const { operation, fluent } of step.calls) count(this.operations, fluent ? `${operation} …fluent` : operation)
    if (step.kind !== 'call') count(this.operations, `$transaction ${step.kind}`)
    if (answer.kind === 'failed') count(this.errors, answer.error)
    if (answer.kind === 'refused') for (const reason of reasons) count(this.refusals, `${answer.code} ${reason}`)
    if (answer.kind === 'answered') for (const reason of reasons) count(this.features, `answered although: ${reason}`)
    if (answer.kind === 'answered' && answer.results.some(isFull)) count(this.features, 'results with rows')
  }

  /** What a long run should have met and has not. */
  missing(): string[] {
    const refusals = new Set([...this.refusals.keys()].map((name) => name.slice(name.indexOf(' ') + 1)))
    return [
      ...OPERATIONS.filter((name) => !this.operations.has(name)),
      ...ERRORS.filter((name) => !this.errors.has(name)),
      ...REFUSALS.filter((name) => !refusals.has(name)),
    ]
  }

  get steps(): number {
    return [...this.operations.values()].reduce((sum, one) => sum + one, 0)
  }

  toString(): string {
    const part = (title: string, counts: ReadonlyMap<string, number>) => {
      const entries = [...counts].sort(([, a], [, b]) => b - a).map(([name, number]) => `${name} ${number}`)
      return `  ${title}: ${entries.join(', ')}`
    }
    return [
      `${this.cases} cases, ${this.steps} operations`,
      part('operations', this.operations),
      part('errors', this.errors),
      part('refusals', this.refusals),
      part('others', this.features),
    ].join('\n')
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function isFull(result: unknown): boolean {
  return Array.isArray(result) ? result.length > 0 : typeof result === 'object' && result !== null
}
