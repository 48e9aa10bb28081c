import { randomUUID } from 'node:crypto'
import { KeyManagementServiceClient } from '@google-cloud/kms'
import type { DekIdentity, ValueIdentity } from '../../../src/keys/kms.js'
import { googleKms } from '../../../src/kms/google/googleKms.js'
import type { GoogleKmsOptions } from '../../../src/kms/google/googleOptions.js'
import {
  type GoogleKmsEmulator,
  type GoogleKmsEmulatorOptions,
  startGoogleKmsEmulator,
} from '../../../src/testing/google/googleKmsEmulator.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { OTHER, OWN } from './names.js'

export { OTHER, OWN }

export function identity(tenant = 'acme'): DekIdentity {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

export function valueIdentity(tenant = 'acme'): ValueIdentity {
  return { aad: 'a'.repeat(43), field: 'User.apiKey', tenant }
}

/** An emulator that ends with the test. */
export async function startEmulator(options: GoogleKmsEmulatorOptions = {}): Promise<GoogleKmsEmulator> {
  const emulator = await startGoogleKmsEmulator({ keys: [OWN, OTHER], ...options })
  onTestFinished(() => emulator.close())
  return emulator
}

/** Google's own client, which ends with the test. */
export function clientOf(
  emulator: GoogleKmsEmulator,
  as: Parameters<GoogleKmsEmulator['clientOptions']>[0] = {},
): KeyManagementServiceClient {
  const client = new KeyManagementServiceClient(emulator.clientOptions(as))
  onTestFinished(() => client.close())
  return client
}

/** All that a test of the adapter needs. */
export async function start(options: Partial<GoogleKmsOptions> = {}, emulatorOptions: GoogleKmsEmulatorOptions = {}) {
  const emulator = await startEmulator(emulatorOptions)
  const client = clientOf(emulator)
  return { emulator, client, kms: googleKms({ client, keyId: OWN, ...options }) }
}
