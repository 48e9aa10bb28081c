// @ts-check
const { AsyncLocalStorage } = require('node:async_hooks')
const { TestEnvironment } = require('jest-environment-node')
const { trackStorages } = require('./asyncStorages.cjs')

const disableStorages = trackStorages(AsyncLocalStorage)

/** Node.js's, which leaves nothing behind that would be a burden to the next test file of its worker. */
module.exports = class extends TestEnvironment {
  /** @override */
  async teardown() {
    await super.teardown()
    disableStorages()
  }
}
