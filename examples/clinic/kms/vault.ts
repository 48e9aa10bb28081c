import { startVaultEmulator } from 'fieldseal/testing'
import { vaultKms } from 'fieldseal/vault'
import { callsOf, type DemoKms } from './demoKms.js'

export async function openVault(): Promise<DemoKms> {
  const emulator = await startVaultEmulator()
  const keys = vaultKms({ address: emulator.url, token: emulator.token, keyId: 'fieldseal' })
  return {
    keys,
    description: `emulated Vault, ${emulator.url}`,
    takeCalls: callsOf(emulator.calls),
    farewell: 'KMS emulator stopped',
    close: async () => {
      keys.close()
      await emulator.close()
    },
  }
}
