import { randomUUID } from 'node:crypto'
import { startVaultEmulator, type VaultEmulator, type VaultEmulatorOptions } from 'fieldseal/testing'
import { type VaultKms, type VaultKmsOptions, vaultKms } from 'fieldseal/vault'
import type { DekIdentity, ValueIdentity } from '../../../src/keys/kms.js'
import { onTestFinished } from '../../support/onTestFinished.js'

/** How long a busy machine may take, in milliseconds. */
const PATIENCE = 60_000

export function identity(tenant = 'acme'): DekIdentity {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

export function valueIdentity(tenant = 'acme'): ValueIdentity {
  return { aad: 'a'.repeat(43), field: 'User.apiKey', tenant }
}

export async function startEmulator(options: VaultEmulatorOptions = {}): Promise<VaultEmulator> {
  const emulator = await startVaultEmulator(options)
  onTestFinished(() => emulator.close())
  return emulator
}

/** A `vaultKms` that ends with the test. */
export function connect(emulator: VaultEmulator, options: Partial<VaultKmsOptions> = {}): VaultKms {
  const { login, agent, client } = options
  const by = client ? {} : { address: emulator.url, ...(login || agent ? {} : { token: () => emulator.token }) }
  const { timeout = PATIENCE, attemptTimeout = Math.min(PATIENCE, timeout) } = options
  const kms = vaultKms({ ...by, keyId: 'fieldseal', ...options, timeout, attemptTimeout })
  onTestFinished(() => kms.close())
  return kms
}

export async function start(options: Partial<VaultKmsOptions> = {}, emulated: VaultEmulatorOptions = {}) {
  const emulator = await startEmulator(emulated)
  return { emulator, kms: connect(emulator, options) }
}
