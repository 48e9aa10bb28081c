/**
 * Makes and unwraps one DEK through the real SDK and takes heap snapshots while it is on its way: when the answer has
 * come, when the DEK has been handed out and not been zeroed yet, and at the end. Prints the wrapped DEK.
 *
 * Arguments: the endpoint and the key id of an emulator, `sealed` or `plain`, a folder.
 */
import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { writeHeapSnapshot } from 'node:v8'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { Dek } from '../../../src/keys/dek.js'
import { tencentKms } from '../../../src/kms/tencent/tencentKms.js'

const [endpoint, keyId, mode, folder] = process.argv.slice(2) as [string, string, string, string]
const snapshot = (moment: string) => writeHeapSnapshot(join(folder, `${mode}-${moment}.heapsnapshot`))

const httpProfile = { protocol: 'http://', endpoint, agent: new Agent() } as const
const credential = { secretId: 'AKIDemulator', secretKey: 'emulator-secret-key' }
const client = new sdk.v20190118.Client({ credential, region: 'ap-guangzhou', profile: { httpProfile } })
const request = client.request.bind(client)
const watched = Object.assign(client, {
  async request(...[action, body, options]: Parameters<typeof request>) {
    const answer = await request(action, body, options)
    snapshot(`${action}-answered`)
    return answer
  },
})

const kms = tencentKms({ client: watched, keyId, sealed: mode === 'sealed', attemptTimeout: 120_000, timeout: 120_000 })
const identity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' } as const
const { dek, ...wrapped } = await kms.generate(identity)
snapshot('generated')
dek.fill(0)
const unwrapped = await kms.unwrap(wrapped, identity)
snapshot('unwrapped')
const held = new Dek(identity, unwrapped)
snapshot('held')
console.log(JSON.stringify({ identity: { ...identity, key: held.id }, wrapped }))
