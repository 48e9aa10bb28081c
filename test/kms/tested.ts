import { randomBytes, randomUUID } from 'node:crypto'
import { localKms } from 'fieldseal/local-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import {
  emulatorCounterpart,
  type KmsEmulator,
  type KmsSetting,
  type KmsUnderTest,
  NO_COUNTERPART,
  startKmsEmulator,
  type TestedKms,
} from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'

const CODES = {
  throttled: 'RequestLimitExceeded',
  denied: 'UnauthorizedOperation',
  expired: 'AuthFailure.TokenFailure',
}

export const testedTencent: TestedKms = {
  name: 'tencentKms',
  start: async () => {
    const keyIds = [randomUUID(), randomUUID()] as const
    const emulator = await startKmsEmulator({ keys: keyIds.map((keyId, i) => ({ alias: `key-${i}`, keyId })) })
    const client = new sdk.v20190118.Client(emulator.clientConfig({ reqTimeout: 3 }))
    return {
      ...emulatorCounterpart([emulator], CODES),
      ...keyStatesOf(emulator),
      keyIds,
      kmsOf: (setting) => tencentKms({ client, keyId: keyIds[0], ...setting }),
      secrets: [emulator.credential.secretKey],
      close: () => emulator.close(),
    }
  },
}

type KeyStates = Pick<KmsUnderTest, 'disable' | 'enable' | 'rotate' | 'scheduleDeletion' | 'destroy'>

function keyStatesOf({ keys }: KmsEmulator): KeyStates {
  const schedule = (keyId: string) => {
    keys.change(keyId, 'disable')
    keys.change(keyId, 'scheduleDeletion')
  }
  return {
    disable: (keyId) => keys.change(keyId, 'disable'),
    enable: (keyId) => keys.change(keyId, 'enable'),
    rotate: (keyId) => keys.rotate(keyId),
    scheduleDeletion: schedule,
    destroy: (keyId) => {
      schedule(keyId)
      keys.update(keyId, { deletionDate: 1 })
    },
  }
}

export const testedLocal: TestedKms = {
  name: 'localKms',
  start: () => {
    const keyIds = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')] as const
    const kmsOf = ({ keyId = keyIds[0], formerKeyIds }: KmsSetting = {}) => {
      if (typeof keyId === 'string' && formerKeyIds === undefined) return localKms({ key: keyId })
      throw new TypeError('It has one KEK.')
    }
    return { keyIds, secrets: keyIds, kmsOf, close: () => undefined }
  },
  lacks: [...NO_COUNTERPART, 'formerKeyIds', 'keyIdOf'],
}
