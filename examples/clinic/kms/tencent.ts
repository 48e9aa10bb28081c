import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import { tencentKms } from 'fieldseal/tencent-kms'
// By its path: as this repository has it, the package brings the SDK of all services.
import { kms } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { type KmsAddress, UsageError } from '../options.js'
import { CallCounter, type DemoKms } from './demoKms.js'

const { Client } = kms.v20190118
type KmsClient = InstanceType<typeof Client>

/** Connects to the KMS at `address`, or starts an emulator. */
export async function openTencent(address: KmsAddress | undefined): Promise<DemoKms> {
  if (!address) return startEmulator()
  const { client, takeCalls } = countingClient(address)
  const keyId = address.keyId ?? (await findKey(client, address))
  takeCalls()
  return {
    keys: tencentKms({ client, keyId }),
    takeCalls,
    description: address.endpoint.origin,
    farewell: 'KMS untouched',
    close: async () => undefined,
  }
}

async function startEmulator(): Promise<DemoKms> {
  const child = fork(fileURLToPath(new URL('./emulatorProcess.ts', import.meta.url)))
  const exited = once(child, 'exit')
  const ready = once(child, 'message') as Promise<[Started]>
  const failed = exited.then(([code]) => Promise.reject(new Error(`the KMS emulator ended with ${code}`)))
  const [started] = await Promise.race([ready, failed])
  const { client, takeCalls } = countingClient({ ...started, endpoint: new URL(started.endpoint) })
  return {
    keys: tencentKms({ client, keyId: started.keyId }),
    takeCalls,
    description: `emulated Tencent Cloud KMS in process ${child.pid}, ${started.endpoint}`,
    farewell: 'KMS emulator stopped',
    close: async () => {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

type Started = Omit<KmsAddress, 'endpoint'> & { readonly endpoint: string; readonly keyId: string }

/** The official SDK's client. Every call goes through `request`, which counts here. */
function countingClient({ endpoint, region, secretId, secretKey }: KmsAddress) {
  const calls = new CallCounter()
  class CountingClient extends Client {
    override request(...args: Parameters<KmsClient['request']>) {
      calls.count(args[0])
      return super.request(...args)
    }
  }
  // An agent of one's own: without it the SDK would send even 127.0.0.1 through http_proxy.
  const plain = endpoint.protocol === 'http:' ? { protocol: 'http://', agent: new Agent() } : {}
  const profile = { httpProfile: { endpoint: endpoint.host, ...plain } }
  return { takeCalls: calls.take, client: new CountingClient({ credential: { secretId, secretKey }, region, profile }) }
}

async function findKey(client: KmsClient, { endpoint }: KmsAddress): Promise<string> {
  const search = { SearchKeyAlias: 'fieldseal', Offset: 0, Limit: 10 }
  const { KeyMetadatas = [] } = await client
    .ListKeyDetail(search)
    .catch((error: { code?: string; message?: string }) => {
      throw new UsageError(`the KMS at ${endpoint.origin} cannot be used: ${error.code || error.message}`)
    })
  const key = KeyMetadatas.find(({ Alias }) => Alias === 'fieldseal')
  if (key?.KeyId) return key.KeyId
  throw new UsageError(
    `the KMS at ${endpoint.origin} has no key with the alias "fieldseal": name one with --kms-key-id`,
  )
}
