import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import { startAwsKmsEmulator } from 'fieldseal/testing'
import { callsOf, type DemoKms } from './demoKms.js'

export async function openAws(): Promise<DemoKms> {
  const emulator = await startAwsKmsEmulator()
  const client = new KMS(emulator.clientConfig())
  return {
    keys: awsKms({ client, keyId: emulator.keyArn }),
    description: `emulated AWS KMS, ${emulator.url}`,
    takeCalls: callsOf(emulator.calls),
    farewell: 'KMS emulator stopped',
    close: async () => {
      client.destroy()
      await emulator.close()
    },
  }
}
