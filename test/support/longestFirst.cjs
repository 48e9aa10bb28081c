// @ts-check
const { relative } = require('node:path')
const { default: Sequencer } = require('@jest/test-sequencer')

/**
 * The files that take longest, in this order: they start and wait for many processes. Begun last, one of them would be
 * left alone in the end, and all cores but one idle.
 */
const LONG = [
  'test/cli/workers.test.ts',
  'test/migration/migration.test.ts',
  'test/demo/demo.test.ts',
  'test/examples/recipes.test.ts',
  'test/examples/docker.test.ts',
  'test/package/quickstart.test.ts',
  'test/cli/crash.test.ts',
  'test/prisma/generator/generate.test.ts',
  'test/docs/documents.test.ts',
  'test/examples/nextjs.test.ts',
  'test/package/typeorm.test.ts',
  'test/faults/tampering/keysTable.test.ts',
  'test/faults/tampering/progress.test.ts',
  'test/kms/contract.test.ts',
  'test/differential/differential.test.ts',
  'test/cli/outages.test.ts',
  'test/cli/commands.test.ts',
  'test/cli/migrations.test.ts',
  'test/docs/runbooks/database-failover.test.ts',
  'test/package/package.test.ts',
  'test/kms/moving/moving.test.ts',
  'test/kms/vault/composed.test.ts',
  'test/kms/hierarchical/contract.test.ts',
  'test/examples/esbuild.test.ts',
  'test/cli/rights.test.ts',
  'test/cli/doctor.test.ts',
  'test/package/nestjs.test.ts',
  'test/maintenance/keys/rotateBlindIndexes.test.ts',
  'test/cli/poolers.test.ts',
  'test/prisma/sameAnswer.test.ts',
  'test/maintenance/keys/rotateIndexKeys.test.ts',
  'test/faults/tampering/workers.test.ts',
  'test/cli/dataSourceWorkers.test.ts',
  'test/scripts/embeddedPostgres.test.ts',
  'test/scripts/setup.test.ts',
  'test/scripts/schemaEngine.test.ts',
  'test/cli/advise.test.ts',
  'test/cli/report.test.ts',
  'test/processes/firstWrites.test.ts',
  'test/cli/dataSource.test.ts',
  'test/kms/redundant/contract.test.ts',
  'test/kms/tenant/contract.test.ts',
  'test/kms/vault/contract.test.ts',
  'test/docs/runbooks/kms-region-down.test.ts',
  'test/kms/redundant/oneDown.test.ts',
  'test/kms/google/heap.test.ts',
  'test/cli/former.test.ts',
  'test/maintenance/beside.test.ts',
  'test/maintenance/standby.test.ts',
  'test/docs/runbooks/keys-table-lost.test.ts',
  'test/prisma/direct.test.ts',
  'test/faults/secrecy.test.ts',
  'test/processes/news.test.ts',
  'test/cli/hostileText.test.ts',
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
