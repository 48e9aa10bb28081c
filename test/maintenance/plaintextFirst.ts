import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import { addPlaintext, empty, type Migration, openMigration } from './migration.js'

/** Of the test file that called `plaintextFirst`; there as soon as its hooks and tests run. */
export let migration: Migration

/**
 * Lets each test of a file begin with plaintext in all tables, and no trace of earlier tests.
 *
 * @param settle waits for what a test has left running, before tables are emptied and before the database goes
 */
export function plaintextFirst(settle: () => Promise<unknown> = async () => {}): void {
  beforeAll(async () => {
    migration = await openMigration()
  })
  beforeEach(async () => {
    await settle()
    await empty(migration)
    await addPlaintext(migration.plain)
  })
  afterAll(async () => {
    await settle()
    await migration?.close()
  })
}
