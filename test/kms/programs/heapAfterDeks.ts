/**
 * Makes and unwraps DEKs through the real SDK, takes a heap snapshot into the file named by the first argument, and
 * prints the DEKs, each byte inverted, so that nothing but a leak puts one of them into the heap.
 */
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { writeHeapSnapshot } from 'node:v8'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { localKms } from '../../../src/kms/localKms.js'
import { tencentKms } from '../../../src/kms/tencent/tencentKms.js'
import { startKmsEmulator } from '../../../src/testing/tencent/kmsEmulator.js'

const canary = Buffer.from('a string that must be found, or the search is blind')
const found = canary.toString('base64')

const emulator = await startKmsEmulator()
const client = new sdk.v20190118.Client(emulator.clientConfig())
const services = [tencentKms({ client, keyId: emulator.keyId }), localKms({ keyFile: process.argv[3] })]
const inverted: Buffer[] = []

for (const kms of services) {
  for (let round = 0; round < 10; round += 1) {
    const identity = { key: randomUUID(), purpose: 'encrypt', tenant: `tenant ${round}` } as const
    const { dek, ...wrapped } = await kms.generate(identity)
    const unwrapped = await kms.unwrap(wrapped, identity)
    inverted.push(Buffer.from(dek.map((byte) => byte ^ 0xff)))
    dek.fill(0)
    unwrapped.fill(0)
  }
}

for (let turn = 0; turn < 5; turn += 1) {
  await setImmediate()
  globalThis.gc?.()
}
writeHeapSnapshot(process.argv[2])
console.log(JSON.stringify({ inverted: inverted.map((dek) => dek.toString('hex')), found, services: services.length }))
await emulator.close()
