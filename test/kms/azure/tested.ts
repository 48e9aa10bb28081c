import { CryptographyClient } from '@azure/keyvault-keys'
import { azureKms } from 'fieldseal/azure-kms'
import {
  type AzureKmsEmulator,
  type Counterpart,
  type Fault,
  type FaultKind,
  type KmsUnderTest,
  startAzureKmsEmulator,
  type TestedKms,
} from 'fieldseal/testing'
import { RAW_MESSAGE } from '../../../src/testing/contract/secrecy.js'

const ACTIONS = ['encrypt', 'decrypt'] as const

/** Trouble with what is asked for; the challenge that goes before it, with no body, is part of no answer. */
function counterpartOf({ faults, calls, tokens, keys }: AzureKmsEmulator): Counterpart {
  const add = (fault: FaultKind, times: Fault['times'] = 'always') => {
    for (const action of ACTIONS) faults.add({ ...fault, action, times })
  }
  return {
    disable: (keyId) => keys.update(keyId, { enabled: false }),
    enable: (keyId) => keys.update(keyId, { enabled: true }),
    rotate: (keyId) => keys.rotate(keyId),
    scheduleDeletion: (keyId) => keys.delete(keyId),
    destroy: (keyId) => {
      keys.delete(keyId)
      keys.purge(keyId)
    },
    throttle: (times) => add({ kind: 'error', code: 'Throttled', message: RAW_MESSAGE }, times),
    outage: () => faults.add({ kind: 'hangUp', when: 'before', times: 'always' }),
    slow: (ms) => add({ kind: 'delay', ms }),
    hangUp: () => add({ kind: 'hangUp', when: 'body' }),
    truncate: () => add({ kind: 'truncate' }),
    alter: (body) => add({ kind: 'body', body }),
    deny: () => add({ kind: 'error', code: 'AccessDenied', message: RAW_MESSAGE }),
    expireCredentials: () => tokens.expire(),
    calls: () => ({ count: calls.count(), maxInFlight: calls.maxInFlight }),
    clear: () => {
      faults.clear()
      tokens.renew()
    },
  }
}

async function start(): Promise<KmsUnderTest> {
  const emulator = await startAzureKmsEmulator({
    keys: [{ name: 'own' }, { name: 'other' }],
    principals: [{ id: 'app' }],
  })
  const keyIds = [emulator.idOf('own'), emulator.idOf('other')] as const
  return {
    keyIds,
    kmsOf: (setting = {}) =>
      azureKms({
        client: (key) => new CryptographyClient(key, emulator.credential, emulator.clientOptions()),
        keyId: keyIds[0],
        ...setting,
      }),
    ...counterpartOf(emulator),
    secrets: [emulator.tokens.issue({ principal: 'app' })],
    close: () => emulator.close(),
  }
}

export const testedAzure: TestedKms = { name: 'azureKms', start }
