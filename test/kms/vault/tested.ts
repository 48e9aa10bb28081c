import type { KmsSetting, KmsUnderTest, TestedKms, VaultEmulator, VaultProduct } from 'fieldseal/testing'
import { emulatorCounterpart, startVaultEmulator } from 'fieldseal/testing'
import { type VaultKmsOptions, vaultKms } from 'fieldseal/vault'
import nodeVault from 'node-vault'

const DERIVED = { derived: true } as const
const CODES = {
  throttled: 'rate limit quota exceeded',
  denied: 'permission denied',
  expired: 'invalid token',
}

type Connection = (emulator: VaultEmulator, token: string) => Partial<VaultKmsOptions>

/** With the client of this library. */
export const overHttp: Connection = ({ url }, token) => ({ address: url, token: () => token })

/** With the client that most have. */
export const overNodeVault: Connection = ({ url }, token) => ({
  client: nodeVault({ endpoint: url, token }),
})

/** A `vaultKms` over an emulator. */
export function testedVault(name: string, product: VaultProduct, connection: Connection): TestedKms {
  return {
    name,
    start: async () => {
      const keys = { 'transit/own': DERIVED, 'transit/other': DERIVED }
      const tokens = [{ id: 'hvs.for-the-contract', policies: ['both'] }]
      const policies = { both: { 'transit/*': ['read', 'update'] } } as const
      const emulator = await startVaultEmulator({ product, keys, tokens, policies })
      const keyIds: KmsUnderTest['keyIds'] = ['transit/own', 'transit/other']
      const options = connection(emulator, tokens[0]!.id)
      return {
        ...emulatorCounterpart([emulator], CODES),
        ...(product === 'openbao' && {
          disable: (keyId: string) => emulator.keys.softDelete(keyId, true),
          enable: (keyId: string) => emulator.keys.softDelete(keyId, false),
        }),
        rotate: (keyId) => emulator.keys.rotate(keyId),
        destroy: (keyId) => {
          emulator.keys.configure(keyId, { deletion_allowed: true })
          emulator.keys.delete(keyId)
        },
        keyIds,
        kmsOf: (setting?: KmsSetting) => vaultKms({ ...options, keyId: keyIds[0], ...setting }),
        secrets: [tokens[0]!.id],
        close: () => emulator.close(),
      }
    },
    lacks: product === 'openbao' ? ['scheduleDeletion'] : ['scheduleDeletion', 'disable'],
  }
}
