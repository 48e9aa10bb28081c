import { FieldsealError } from '../errors.js'

/** Something wrong in the schema: `Model.field`, and what is wrong; what to do. */
export interface Problem {
  readonly place: string
  readonly text: string
}

/** Told what is wrong with one thing, and what to do. */
export type Report = (problem: string) => void

export type ReportAt = (place: string, text: string) => void

/** What one rule says about one subject: nothing, or what is wrong; what to do. */
export type Rule<Subject> = (subject: Subject) => string | undefined

/** Reports what every rule of a table says about the subject. */
export function applyRules<Subject>(
  rules: readonly Rule<Subject>[],
  subject: Subject,
  place: string,
  reportAt: ReportAt,
): void {
  for (const rule of rules) {
    const text = rule(subject)
    if (text !== undefined) reportAt(place, text)
  }
}

/** One error that lists all problems, a line each. */
export function schemaError(where: string, problems: readonly Problem[], footer: string): FieldsealError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  const lines = problems.map(({ place, text }) => `  ${place}: ${text}`)
  const message = [`fieldseal found ${count} in ${where}:`, '', ...lines, ...(footer ? ['', footer] : [])]
  return new FieldsealError('SCHEMA_INVALID', message.join('\n'))
}
