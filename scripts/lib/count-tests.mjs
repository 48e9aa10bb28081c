// @ts-check
// Prints "passed failed skipped" for a JSON report of Jest and its exit status. A file that failed outside of its tests
// counts as one failure, and so does a run without a readable report, or one that failed without saying in what.
import { readFileSync } from 'node:fs'

/** @typedef {{ status: string, assertionResults: { status: string }[] }} FileResult */

const [, , path = '', status = '1'] = process.argv
const { passed, failed, skipped } = count(path)
console.log(passed, failed === 0 && status !== '0' ? 1 : failed, skipped)

/** @param {string} path */
function count(path) {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'))
    return {
      passed: Number(report.numPassedTests),
      failed: Number(report.numFailedTests) + report.testResults.filter(failedOutside).length,
      skipped: Number(report.numPendingTests) + Number(report.numTodoTests),
    }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/** @param {FileResult} file */
function failedOutside({ status, assertionResults }) {
  return status === 'failed' && assertionResults.every(({ status }) => status !== 'failed')
}
