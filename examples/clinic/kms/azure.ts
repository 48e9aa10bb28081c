import { CryptographyClient } from '@azure/keyvault-keys'
import { azureKms } from 'fieldseal/azure-kms'
import { startAzureKmsEmulator } from 'fieldseal/testing'
import { callsOf, type DemoKms } from './demoKms.js'

export async function openAzure(): Promise<DemoKms> {
  const emulator = await startAzureKmsEmulator()
  return {
    keys: azureKms({
      client: (key) => new CryptographyClient(key, emulator.credential, emulator.clientOptions()),
      keyId: emulator.keyId,
    }),
    description: `emulated Azure Managed HSM, ${new URL(emulator.keyId).origin}`,
    takeCalls: callsOf(emulator.calls),
    farewell: 'KMS emulator stopped',
    close: () => emulator.close(),
  }
}
