/**
 * Makes and unwraps one DEK through Google's SDK and takes heap snapshots while it is on its way: when an answer has come,
 * and when the DEK has been handed out and not been zeroed yet. Prints the wrapped DEK.
 *
 * Arguments: a file with where the emulator is, a folder, and `text` to have the DEK on the heap on purpose.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeHeapSnapshot } from 'node:v8'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import type { GoogleKmsClient } from '../../../src/kms/google/googleClient.js'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import { Sdk, type ServiceAccountKey } from '../../../src/testing/google/sdk.js'

interface Place {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly account: ServiceAccountKey
  readonly keyId: string
}

const [file, folder, mode] = process.argv.slice(2) as [string, string, string]
const snapshot = (moment: string) => writeHeapSnapshot(join(folder, `${mode}-${moment}.heapsnapshot`))
const answered = (action: string) => mode === 'text' || snapshot(`${action}-answered`)

const { host, port, ca, account, keyId } = JSON.parse(readFileSync(file, 'utf8')) as Place
const sdk = new Sdk()
const authClient = sdk.accountClient(account)
const real = new KeyManagementServiceClient({
  apiEndpoint: host,
  port,
  'grpc.ssl_target_name_override': 'localhost',
  authClient: authClient as never,
  sslCreds: sdk.channelCredentials(ca, authClient) as never,
})
const watched: GoogleKmsClient = {
  async encrypt(request, options) {
    const answer = await real.encrypt(request, options)
    answered('encrypt')
    return answer
  },
  async decrypt(request, options) {
    const answer = await real.decrypt(request, options)
    answered('decrypt')
    return answer
  },
}

const kms = googleKms({ client: watched, keyId, attemptTimeout: 120_000, timeout: 120_000 })
const identity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' } as const
const { dek, ...wrapped } = await kms.generate(identity)
dek.fill(0)
const unwrapped = await kms.unwrap(wrapped, identity)
const kept = mode === 'text' ? unwrapped.toString('base64') : ''
snapshot('unwrapped')
console.log(JSON.stringify({ identity, wrapped, kept: kept.length }))
await real.close()
