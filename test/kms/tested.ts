import { randomBytes, randomUUID } from 'node:crypto'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tenantKms } from 'fieldseal/tenant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import {
  emulatorCounterpart,
  type KmsEmulator,
  type KmsSetting,
  type KmsUnderTest,
  memoryKeyStore,
  NO_COUNTERPART,
  startKmsEmulator,
  type TestedKms,
} from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import type { Kms } from '../../src/keys/kms.js'

type KeyIds = KmsUnderTest['keyIds']

/** What the emulators of one or more regions, with the same KEKs, let a test do. */
function tencentCounterpart(regions: readonly KmsEmulator[]): Omit<KmsUnderTest, 'keyIds' | 'kmsOf'> {
  const change = (keyId: string, ...transitions: Parameters<KmsEmulator['keys']['change']>[1][]) => {
    for (const { keys } of regions) for (const transition of transitions) keys.change(keyId, transition)
  }
  const codes = {
    throttled: 'RequestLimitExceeded',
    denied: 'UnauthorizedOperation',
    expired: 'AuthFailure.TokenFailure',
  }
  return {
    ...emulatorCounterpart(regions, codes),
    disable: (keyId) => change(keyId, 'disable'),
    enable: (keyId) => change(keyId, 'enable'),
    rotate: (keyId) => regions.map(({ keys }) => keys.rotate(keyId)),
    scheduleDeletion: (keyId) => change(keyId, 'disable', 'scheduleDeletion'),
    destroy: (keyId) => {
      change(keyId, 'disable', 'scheduleDeletion')
      for (const { keys } of regions) keys.update(keyId, { deletionDate: 1 })
    },
    secrets: regions.map(({ credential }) => credential.secretKey),
    close: () => Promise.all(regions.map((region) => region.close())),
  }
}

async function startRegions(count: number): Promise<{ regions: KmsEmulator[]; keyIds: KeyIds }> {
  const keyIds: KeyIds = [randomUUID(), randomUUID()]
  const keys = keyIds.map((keyId, i) => ({ alias: `key-${i}`, keyId }))
  const regions = await Promise.all(Array.from({ length: count }, () => startKmsEmulator({ keys })))
  return { regions, keyIds }
}

function clientOf(region: KmsEmulator) {
  return new sdk.v20190118.Client(region.clientConfig({ reqTimeout: 3 }))
}

export const testedTencent: TestedKms = {
  name: 'tencentKms',
  start: async () => {
    const { regions, keyIds } = await startRegions(1)
    const client = clientOf(regions[0]!)
    return {
      ...tencentCounterpart(regions),
      keyIds,
      kmsOf: (setting) => tencentKms({ client, keyId: keyIds[0], ...setting }),
    }
  },
}

export const testedLocal: TestedKms = {
  name: 'localKms',
  start: () => {
    const keyIds: KeyIds = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')]
    return {
      keyIds,
      secrets: keyIds,
      kmsOf: (setting) => localKms({ key: onlyKeyId(keyIds, setting) }),
      close: () => {},
    }
  },
  lacks: [...NO_COUNTERPART, 'formerKeyIds', 'keyIdOf'],
}

function onlyKeyId(keyIds: KeyIds, { keyId = keyIds[0], formerKeyIds }: KmsSetting = {}): string {
  if (typeof keyId === 'string' && formerKeyIds === undefined) return keyId
  throw new TypeError('It has one KEK.')
}

export const testedRedundant: TestedKms = {
  name: 'redundantKms',
  start: async () => {
    const { regions, keyIds } = await startRegions(2)
    const [north, south] = regions.map(clientOf) as [ReturnType<typeof clientOf>, ReturnType<typeof clientOf>]
    const member = (client: typeof north, setting?: KmsSetting) => tencentKms({ client, keyId: keyIds[0], ...setting })
    return {
      ...tencentCounterpart(regions),
      keyIds,
      kmsOf: (setting) => redundantKms({ members: { north: member(north, setting), south: member(south, setting) } }),
    }
  },
  lacks: ['strictText'],
}

/** Its intermediate keys are rows of a keys table, of which there is one for each KEK. */
export const testedHierarchical: TestedKms = {
  name: 'hierarchicalKms',
  start: async () => {
    const { regions, keyIds } = await startRegions(1)
    const client = clientOf(regions[0]!)
    const stores = new Map(keyIds.map((keyId) => [keyId, memoryKeyStore()]))
    const kmsOf = (setting?: KmsSetting): Kms => {
      const keyId = onlyKeyId(keyIds, setting)
      return hierarchicalKms({ kms: tencentKms({ client, ...setting, keyId }) })(stores.get(keyId)!)
    }
    const { rotate: _, ...counterpart } = tencentCounterpart(regions)
    return { ...counterpart, keyIds, kmsOf }
  },
  lacks: ['formerKeyIds', 'keyIdOf', 'rotate'],
}

/** Tenants are served by one member; the other one is a customer's. */
export const testedTenant: TestedKms = {
  name: 'tenantKms',
  start: async () => {
    const subject = await testedTencent.start()
    const customers = localKms({ key: randomBytes(32).toString('base64') })
    return {
      ...subject,
      kmsOf: (setting) =>
        tenantKms({ members: { tencent: subject.kmsOf(setting), 'acme-own': customers }, memberOf: () => 'tencent' }),
    }
  },
}
