import { randomUUID } from 'node:crypto'
import { startVaultEmulator, type VaultEmulator } from 'fieldseal/testing'
import { vaultKms } from 'fieldseal/vault'
import type { DekIdentity, Kms, WrappedDek } from '../src/keys/kms.js'

/* What many cold tenants cost Vault: together, and one by one. */

const TENANTS = 10_000
/** What the way to a Vault in the same region takes, in milliseconds; the emulator adds it to each answer. */
const DISTANCE = 2

interface Cold {
  readonly who: DekIdentity
  readonly wrapped: WrappedDek
}

/** One request per hundred tenants, beside one request for each. */
export async function vault(): Promise<void> {
  const emulator = await startVaultEmulator()
  const kms = () =>
    vaultKms({ address: emulator.url, token: () => emulator.token, keyId: 'fieldseal', timeout: 120_000 })
  const cold = await coldTenants(kms())
  for (const distance of [0, DISTANCE]) {
    emulator.faults.clear()
    if (distance > 0) emulator.faults.add({ kind: 'delay', ms: distance, times: 'always' })
    const where = distance === 0 ? 'on this host' : `${distance} ms away`
    await measured(`together, ${where}`, emulator, () => Promise.all(cold.map(unwrapBy(kms()))))
    await measured(`20 at a time, one by one, ${where}`, emulator, () => oneByOne(cold, kms))
  }
  await emulator.close()
}

async function coldTenants(kms: Kms): Promise<Cold[]> {
  const all = Array.from({ length: TENANTS }, (_, i): DekIdentity => {
    return { key: randomUUID(), purpose: 'encrypt', tenant: `tenant-${i}` }
  })
  return Promise.all(
    all.map(async (who) => {
      const { dek, ...wrapped } = await kms.generate(who)
      dek.fill(0)
      return { who, wrapped }
    }),
  )
}

function unwrapBy(kms: Kms): (cold: Cold) => Promise<void> {
  return async ({ who, wrapped }) => {
    ;(await kms.unwrap(wrapped, who)).fill(0)
  }
}

/** As an adapter without batches would: each of 20 asks when its last one is answered, and nobody shares a request. */
async function oneByOne(cold: readonly Cold[], kms: () => Kms): Promise<void> {
  const left = [...cold]
  const worker = async () => {
    const unwrap = unwrapBy(kms())
    for (let next = left.pop(); next; next = left.pop()) await unwrap(next)
  }
  await Promise.all(Array.from({ length: 20 }, worker))
}

async function measured(what: string, { calls }: VaultEmulator, work: () => Promise<unknown>): Promise<void> {
  calls.reset()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const figures = `${calls.count('decrypt')} calls of decrypt, ${seconds.toFixed(2)} s`
  console.log(`Vault, ${TENANTS.toLocaleString('en')} cold tenants, ${what}: ${figures}`)
}
