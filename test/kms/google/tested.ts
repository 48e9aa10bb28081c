import { KeyManagementServiceClient } from '@google-cloud/kms'
import { googleKms } from 'fieldseal/google-kms'
import { emulatorCounterpart, startGoogleKmsEmulator, type TestedKms } from 'fieldseal/testing'
import { OTHER, OWN } from './names.js'

/** `googleKms` over Google's own client and the emulator. */
export const testedGoogle: TestedKms = {
  name: 'googleKms',
  start: async () => {
    const emulator = await startGoogleKmsEmulator({ keys: [OWN, OTHER] })
    const { faults, keyRings, permissions, tokens } = emulator
    const client = new KeyManagementServiceClient(emulator.clientOptions())
    const codes = { throttled: 'RESOURCE_EXHAUSTED', denied: 'PERMISSION_DENIED', expired: 'UNAUTHENTICATED' }
    return {
      ...emulatorCounterpart([emulator], codes),
      keyIds: [OWN, OTHER],
      kmsOf: (setting) => googleKms({ client, keyId: OWN, ...setting }),
      disable: (keyId) => keyRings.disable(keyId),
      enable: (keyId) => keyRings.enable(keyId),
      rotate: (keyId) => keyRings.rotate(keyId),
      scheduleDeletion: (keyId) => keyRings.destroy(keyId),
      destroy: (keyId) => keyRings.destroyNow(keyId),
      deny: () => {
        for (const use of ['useToEncrypt', 'useToDecrypt']) permissions.revoke(`cloudkms.cryptoKeyVersions.${use}`)
      },
      expireCredentials: () => tokens.expire(),
      clear: () => {
        faults.clear()
        permissions.restore()
        tokens.renew()
      },
      secrets: [emulator.accounts[0]!.private_key],
      close: async () => {
        await client.close()
        await emulator.close()
      },
    }
  },
}
