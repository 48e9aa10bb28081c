import { KeyManagementServiceClient } from '@google-cloud/kms'
import { googleKms } from 'fieldseal/google-kms'
import { startGoogleKmsEmulator } from 'fieldseal/testing'
import { callsOf, type DemoKms } from './demoKms.js'

export async function openGoogle(): Promise<DemoKms> {
  const emulator = await startGoogleKmsEmulator()
  const client = new KeyManagementServiceClient(emulator.clientOptions())
  return {
    keys: googleKms({ client, keyId: emulator.keyId }),
    description: `emulated Google Cloud KMS, gRPC on ${emulator.host}:${emulator.port}`,
    takeCalls: callsOf(emulator.calls),
    farewell: 'KMS emulator stopped',
    close: async () => {
      await client.close()
      await emulator.close()
    },
  }
}
