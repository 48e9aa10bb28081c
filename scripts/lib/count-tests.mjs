// @ts-check
// Prints "passed failed" for a JSON report of vitest and its exit status. A run without a readable report, and one
// that failed outside of every test, count as one failure.
import { readFileSync } from 'node:fs'

const [, , path = '', status = '1'] = process.argv
const { passed, failed } = count(path)
console.log(passed, failed === 0 && status !== '0' ? 1 : failed)

/** @param {string} path */
function count(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    return { passed: Number(report.numPassedTests), failed: Number(report.numFailedTests) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
