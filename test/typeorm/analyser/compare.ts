import { isDeepStrictEqual } from 'node:util'
import type { Statement } from './randomStatement.js'
import type { Tally } from './tally.js'
import type { Outcome, Row, Twins } from './twins.js'

/** The sides do not agree. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch'
}

/** Runs a statement on both sides. @throws Mismatch */
export async function compare({ plain, encrypted }: Twins, statement: Statement, tally: Tally): Promise<void> {
  const { text, values, writes } = statement
  const given = JSON.stringify(values)
  const actual = await encrypted.run(text, values, writes)
  if (JSON.stringify(values) !== given) throw new Mismatch(`the values that were given were changed\n${text}`)
  const expected = await plain.run(text, values, writes)
  tally.add(statement, expected.answer, actual.answer)
  const why = disagreement(statement, expected, actual)
  if (why !== undefined) throw new Mismatch(`${why}\n${text}\n${JSON.stringify(values)}`)
}

function disagreement({ ordered }: Statement, expected: Outcome, actual: Outcome): string | undefined {
  const { answer } = actual
  if (answer.kind === 'refused')
    return answer.sent.length > 0 ? `refused after SQL (${answer.message}):\n${answer.sent.join('\n')}` : undefined
  if (expected.answer.kind !== 'answered')
    return answer.kind === 'answered'
      ? `PostgreSQL refuses it (${shown(expected.answer)}), and it was answered`
      : undefined
  if (answer.kind === 'failed') return `PostgreSQL answers it, and it failed: ${answer.message}`
  const [theirs, ours] = [expected.answer, answer].map(({ rows }) => comparable(rows, ordered))
  if (JSON.stringify(ours).includes('fs1.')) return `a ciphertext in the answer: ${JSON.stringify(ours)}`
  if (!isDeepStrictEqual(theirs, ours))
    return `rows\nplain:     ${JSON.stringify(theirs)}\nencrypted: ${JSON.stringify(ours)}`
  if (expected.answer.affected !== answer.affected && answer.affected !== undefined)
    return `affected rows: plain ${expected.answer.affected}, encrypted ${answer.affected}`
  const [before, after] = [expected, actual].map(({ tables }) => tables.map((rows) => comparable(rows, true)))
  if (!isDeepStrictEqual(before, after))
    return `tables\nplain:     ${JSON.stringify(before)}\nencrypted: ${JSON.stringify(after)}`
  return actual.flaws.length > 0 ? `what is stored: ${actual.flaws.join(', ')}` : undefined
}

function shown(answer: Outcome['answer']): string {
  return 'message' in answer ? answer.message : ''
}

/** Without the columns of indexes, which hold something on one side alone; of JSON, keys have no order. */
function comparable(rows: readonly Row[], ordered: boolean): unknown[] {
  const plain = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([name]) => !/(Index|Tokens)$/.test(name))
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([name, value]) => [name, sorted(value)]),
    ),
  )
  return ordered ? plain : plain.map((row) => JSON.stringify(row)).sort()
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]))
}
