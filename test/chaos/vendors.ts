import { type Faults, startAwsKmsEmulator, startKmsEmulator, startVaultEmulator } from 'fieldseal/testing'
import type { KmsSetup } from './protocol.js'

/** An emulated KMS of the chaos run. */
export interface Vendor {
  /** What a process needs to reach it. */
  readonly setup: KmsSetup
  readonly faults: Faults
  close(): Promise<void>
}

const START: { readonly [Name in KmsSetup['vendor']]: () => Promise<Vendor> } = {
  tencent: async () => {
    const { endpoint, credential, keyId, faults, close } = await startKmsEmulator()
    return { setup: { vendor: 'tencent', endpoint, credential, keyId }, faults, close }
  },
  aws: async () => {
    const { clientConfig, keyArn: keyId, faults, close } = await startAwsKmsEmulator()
    return { setup: { vendor: 'aws', client: clientConfig(), keyId }, faults, close }
  },
  vault: async () => {
    const { url: address, token, keyId, faults, close } = await startVaultEmulator()
    return { setup: { vendor: 'vault', address, token, keyId }, faults, close }
  },
}

/** @throws TypeError for a name that is none */
export async function startVendors(names: readonly string[]): Promise<readonly Vendor[]> {
  const unknown = names.find((name) => !Object.hasOwn(START, name))
  if (unknown !== undefined) throw new TypeError(`--kms knows ${Object.keys(START).join(', ')}, not ${unknown}`)
  if (new Set(names).size < names.length) throw new TypeError('--kms names a KMS twice')
  return Promise.all(names.map((name) => START[name as KmsSetup['vendor']]()))
}
