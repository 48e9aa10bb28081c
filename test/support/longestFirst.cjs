// @ts-check
const { relative } = require('node:path')
const { default: Sequencer } = require('@jest/test-sequencer')

/**
 * The files that take longest, in this order: they start and wait for many processes. Begun last, one of them would be
 * left alone in the end, and all cores but one idle.
 */
const LONG = [
  'test/migration/migration.test.ts',
  'test/cli/workers.test.ts',
  'test/prisma/generator/generate.test.ts',
  'test/examples/recipes.test.ts',
  'test/examples/docker.test.ts',
  'test/examples/nextjs.test.ts',
  'test/package/package.test.ts',
  'test/package/quickstart.test.ts',
  'test/demo/demo.test.ts',
  'test/cli/commands.test.ts',
  'test/docs/documents.test.ts',
  'test/differential/differential.test.ts',
  'test/faults/secrecy.test.ts',
  'test/faults/tampering/progress.test.ts',
  'test/prisma/sameAnswer.test.ts',
  'test/maintenance/keys/rotateBlindIndexes.test.ts',
  'test/maintenance/keys/rotateIndexKeys.test.ts',
  'test/kms/moving/moving.test.ts',
  'test/kms/google/heap.test.ts',
  'test/scripts/setup.test.ts',
  'test/cli/rights.test.ts',
  'test/maintenance/standby.test.ts',
  'test/maintenance/beside.test.ts',
  'test/processes/news.test.ts',
  'test/cli/hostileText.test.ts',
  'test/faults/tampering/workers.test.ts',
  'test/faults/tampering/keysTable.test.ts',
  'test/chaos/chaos.test.ts',
  'test/chaos/redundancy.test.ts',
  'test/kms/tenant/customers.test.ts',
]

class LongestFirst extends Sequencer {
  /**
   * @override
   * @param {import('@jest/test-result').Test[]} tests
   */
  async sort(tests) {
    /** @param {import('@jest/test-result').Test} test */
    const place = ({ path, context }) => {
      const position = LONG.indexOf(relative(context.config.rootDir, path).replaceAll('\\', '/'))
      return position === -1 ? LONG.length : position
    }
    return [...(await super.sort(tests))].sort((a, b) => place(a) - place(b))
  }
}

module.exports = Object.assign(LongestFirst, { LONG })
