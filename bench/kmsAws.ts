import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import type { AwsClientConfig } from 'fieldseal/testing'
import { DekCache } from '../src/keys/cache/dekCache.js'
import { encryptionContext } from '../src/keys/encryptionContext.js'
import { KeyRing } from '../src/keys/keyRing.js'
import type { StoredKey } from '../src/keys/keyStore.js'
import type { Kms } from '../src/keys/kms.js'
import { warm } from '../src/maintenance/keys/warm.js'
import { atOnce, inTurns } from './besideSdk.js'
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
    if (quota === 0) console.log(await besideSdk(started))
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

const PIECE = 1_000

/** The same Decrypts by `awsKms` and by the SDK alone. */
async function besideSdk({ config, keyArn }: Started): Promise<string> {
  const client = new KMS(config)
  const store = mapKeyStore()
  const { ring } = ringOf(awsKms({ client, keyId: keyArn }), store)
  for (let i = 0; i < TENANTS.length; i += 100)
    await Promise.all(TENANTS.slice(i, i + 100).map((tenant) => ring.active.get(tenant, 'encrypt')))
  const rows = await store.list({ tenants: TENANTS, purpose: 'encrypt' }, { limit: TENANTS.length })
  const kms = awsKms({ client, keyId: keyArn })
  const identityOf = ({ id, tenant }: StoredKey) => ({ key: id, purpose: 'encrypt', tenant }) as const
  const ours = atOnce(async (row: StoredKey) => {
    const dek = await kms.unwrap({ wrapped: row.wrapped!, kekId: row.kekId }, identityOf(row))
    dek.fill(0)
  })
  const bare = atOnce((row: StoredKey) =>
    client.decrypt({
      KeyId: keyArn,
      CiphertextBlob: Buffer.from(row.wrapped!, 'base64'),
      EncryptionContext: JSON.parse(encryptionContext(identityOf(row))) as Record<string, string>,
    }),
  )
  const pieces = Array.from({ length: rows.length / PIECE }, (_, i) => rows.slice(i * PIECE, (i + 1) * PIECE))
  await inTurns(pieces.slice(0, 2), ours, bare)
  const spent = await inTurns(pieces, ours, bare)
  client.destroy()
  const ratio = (spent.ours / spent.bare).toFixed(2)
  return `AWS KMS, 10,000 Decrypts: awsKms ${spent.ours.toFixed(2)} ms of the processor each, the SDK alone ${spent.bare.toFixed(2)} ms: ${ratio} times`
}

function ringOf(kms: Kms, store: ReturnType<typeof mapKeyStore>) {
  const cache = new DekCache({ ttl: 3_600_000, max: 20_000 })
  return { cache, ring: new KeyRing({ kms, store, cache }) }
}
