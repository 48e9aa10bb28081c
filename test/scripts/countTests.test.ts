import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'

const folder = mkdtempSync(join(tmpdir(), 'fieldseal-counts-'))
afterAll(() => rmSync(folder, { recursive: true }))

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status) => ({ status })),
})
const report = (results: readonly object[], counts: object = {}) =>
  JSON.stringify({
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: results,
    ...counts,
  })

it.each<[string, string | undefined, string, string]>([
  ['of a run in which all passed', report([file('passed', 'passed')]), '0', '3 0 0'],
  ['with what was skipped or is to be written', report([], { numPendingTests: 2, numTodoTests: 1 }), '0', '3 0 3'],
  ['of tests that failed', report([file('failed', 'failed', 'failed')], { numFailedTests: 2 }), '1', '3 2 0'],
  ['with a file that did not load', report([file('failed')]), '1', '3 1 0'],
  ['with a file that failed after its tests', report([file('failed', 'passed')]), '1', '3 1 0'],
  ['of a run that failed and does not say in what', report([]), '1', '3 1 0'],
  ['of a run that left no report', undefined, '1', '0 1 0'],
  ['of a run that left half a report', '{ "numPassedTests": 3,', '0', '0 1 0'],
])('the counts %s', (_, text, status, counts) => {
  const path = join(folder, 'report.json')
  rmSync(path, { force: true })
  if (text !== undefined) writeFileSync(path, text)
  const output = execFileSync(process.execPath, ['scripts/lib/count-tests.mjs', path, status], { encoding: 'utf8' })
  expect(output.trim()).toBe(counts)
})
