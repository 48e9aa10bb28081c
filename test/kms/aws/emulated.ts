import { randomUUID } from 'node:crypto'
import { KMS } from '@aws-sdk/client-kms'
import { type AwsKmsOptions, awsKms } from 'fieldseal/aws-kms'
import { type AwsKmsEmulator, type AwsKmsEmulatorOptions, startAwsKmsEmulator } from 'fieldseal/testing'
import type { DekIdentity, WrappedDek } from '../../../src/keys/kms.js'
import { onTestFinished } from '../../support/onTestFinished.js'

export function identity(tenant = 'acme'): DekIdentity {
  return { key: randomUUID(), purpose: 'encrypt', tenant }
}

/** An emulator that ends with the running test. */
export async function started(options: AwsKmsEmulatorOptions = {}): Promise<AwsKmsEmulator> {
  const emulator = await startAwsKmsEmulator(options)
  onTestFinished(() => emulator.close())
  return emulator
}

/** The SDK's client of an emulator, which ends with the running test. */
export function clientOf(emulator: AwsKmsEmulator, config: Parameters<AwsKmsEmulator['clientConfig']>[0] = {}): KMS {
  const client = new KMS(emulator.clientConfig(config))
  onTestFinished(() => client.destroy())
  return client
}

/** An adapter of an emulator of its own. */
export async function start(options: Partial<AwsKmsOptions> = {}, emulatorOptions: AwsKmsEmulatorOptions = {}) {
  const emulator = await started(emulatorOptions)
  const client = clientOf(emulator)
  const kms = awsKms({ client, keyId: emulator.keyId, ...options })
  return { emulator, client, kms }
}

/** A wrapped DEK without the DEK. */
export function wrappedOf({ wrapped, kekId }: WrappedDek): WrappedDek {
  return { wrapped, kekId }
}
