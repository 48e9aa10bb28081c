import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createDatabase, type TestDatabase } from '../support/database.js'

const run = promisify(execFile)
const jest = ['node_modules/jest/bin/jest.js', '--config', 'jest.commonjs.config.cjs', '--ci', '--runInBand']

let database: TestDatabase
beforeAll(async () => {
  await run(process.execPath, ['scripts/setup.mjs'])
  database = await createDatabase()
})
afterAll(() => database?.drop())

it('the built package passes the tests of a CommonJS project under Jest', async () => {
  const env = { ...process.env, DATABASE_URL: database.url, NODE_OPTIONS: '' }
  const ended = await run(process.execPath, jest, { env, timeout: 100_000 }).catch((failed) => failed)
  expect(ended).toMatchObject({ stderr: expect.stringMatching(/^Tests: +4 passed, 4 total$/m) })
})
