import { randomUUID } from 'node:crypto'
import { CryptographyClient } from '@azure/keyvault-keys'
import { azureKms } from 'fieldseal/azure-kms'
import { type AzureKmsEmulator, type AzureKmsEmulatorOptions, startAzureKmsEmulator } from 'fieldseal/testing'
import type { DekIdentity, Kms, ValueKms } from '../../../src/keys/kms.js'
import type { AzureClientOf } from '../../../src/kms/azure/azureClient.js'
import type { AzureKmsOptions } from '../../../src/kms/azure/azureOptions.js'
import { onTestFinished } from '../../support/onTestFinished.js'

export function identity(tenant = 'acme'): DekIdentity {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

/** As docs/kms/azure.md has it. */
export function clientOf(emulator: AzureKmsEmulator, credential = emulator.credential): AzureClientOf {
  return (key) => new CryptographyClient(key, credential, emulator.clientOptions())
}

export function kmsOf(emulator: AzureKmsEmulator, options: Partial<AzureKmsOptions> = {}): Kms & ValueKms {
  return azureKms({ client: clientOf(emulator), keyId: emulator.keyId, ...options }) as Kms & ValueKms
}

export async function startEmulator(options: AzureKmsEmulatorOptions = {}): Promise<AzureKmsEmulator> {
  const emulator = await startAzureKmsEmulator(options)
  onTestFinished(() => emulator.close())
  return emulator
}

export async function start(options: Partial<AzureKmsOptions> = {}, emulatorOptions: AzureKmsEmulatorOptions = {}) {
  const emulator = await startEmulator(emulatorOptions)
  return { emulator, kms: kmsOf(emulator, options) }
}
