import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import type { AwsClientConfig } from 'fieldseal/testing'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { KeyRing } from '../src/keys/keyRing.js'
import type { Kms } from '../src/keys/kms.js'
import { warm } from '../src/maintenance/keys/warm.js'
import { mapKeyStore } from './mapKeyStore.js'

interface Started {
  readonly config: AwsClientConfig
  readonly keyArn: string
  readonly url: string
}

const TENANTS = Array.from({ length: 10_000 }, (_, i) => `tenant-${i}`)
/** AWS's smallest quota, of keys in a CloudHSM key store. The others, from 10,000 a second, are more than one process asks. */
const SMALLEST_QUOTA = 1_800

/** How long 10,000 cold tenants take, at AWS's smallest quota, and as fast as one process can ask. */
export async function aws(): Promise<void> {
  for (const quota of [SMALLEST_QUOTA, 0]) {
    const emulator = fork(fileURLToPath(new URL('./awsEmulator.ts', import.meta.url)), [String(quota)], {
      execArgv: ['--import', 'tsx'],
    })
    const [started] = (await once(emulator, 'message')) as [Started]
    console.log(`AWS KMS, ${quota > 0 ? `${quota} calls a second` : 'no quota'}: ${await coldTenants(started, quota)}`)
    emulator.disconnect()
    await once(emulator, 'exit')
  }
}

async function coldTenants({ config, keyArn, url }: Started, quota: number): Promise<string> {
  const client = new KMS(config)
  const store = mapKeyStore()
  const { ring: first } = ringOf(awsKms({ client, keyId: keyArn }), store)
  for (let i = 0; i < TENANTS.length; i += 100)
    await Promise.all(TENANTS.slice(i, i + 100).map((tenant) => first.active.get(tenant, 'encrypt')))
  await fetch(`${url}/_emulator/calls`, { method: 'DELETE' })
  const cold = ringOf(awsKms({ client, keyId: keyArn }), store)
  const [began, processor] = [performance.now(), process.cpuUsage()]
  await warm(cold.ring.active, store, TENANTS, { rate: quota > 0 ? quota - 10 : 100_000, concurrency: 20 })
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(processor)
  const { total } = (await (await fetch(`${url}/_emulator/calls`)).json()) as { total: number }
  client.destroy()
  const floor = quota > 0 ? `, ${((100 * seconds * quota) / TENANTS.length).toFixed(0)} % of the quota's floor` : ''
  const speed = Math.round(TENANTS.length / seconds)
  const each = ((user + system) / 1000 / TENANTS.length).toFixed(2)
  return (
    `10,000 cold tenants in ${seconds.toFixed(1)} s (${speed} a second${floor}), ${total} calls, ` +
    `${cold.cache.size} DEKs held, ${each} ms of the processor each`
  )
}

function ringOf(kms: Kms, store: ReturnType<typeof mapKeyStore>) {
  const cache = new DekCache({ ttl: 3_600_000, max: 20_000 })
  return { cache, ring: new KeyRing({ kms, store, cache }) }
}
