import { KMS } from '@aws-sdk/client-kms'
import { awsKms } from 'fieldseal/aws-kms'
import {
  type AwsKmsEmulator,
  emulatorCounterpart,
  type KmsUnderTest,
  startAwsKmsEmulator,
  type TestedKms,
} from 'fieldseal/testing'
import type { Kms } from '../../../src/keys/kms.js'

type KeyIds = KmsUnderTest['keyIds']

const CODES = {
  throttled: 'ThrottlingException',
  denied: 'AccessDeniedException',
  expired: 'ExpiredTokenException',
}

/** What the emulators of one or more regions of an account, with keys of the same ids, let a test do. */
function awsCounterpart(regions: readonly AwsKmsEmulator[]): Omit<KmsUnderTest, 'keyIds' | 'kmsOf'> {
  const idOf = (keyId: string) => keyId.split('/').at(-1)!
  const each = (work: (region: AwsKmsEmulator) => unknown) => regions.forEach((region) => void work(region))
  const faults = emulatorCounterpart(regions, CODES)
  const given = regions.map(({ credentials }) => credentials.list)
  return {
    ...faults,
    disable: (keyId) => each(({ keys }) => keys.setState(idOf(keyId), 'Disabled')),
    enable: (keyId) => each(({ keys }) => keys.setState(idOf(keyId), 'Enabled')),
    rotate: (keyId) => regions[0]!.keys.rotate(idOf(keyId)),
    scheduleDeletion: (keyId) => each(({ keys }) => keys.scheduleDeletion(idOf(keyId))),
    destroy: (keyId) => each(({ keys }) => keys.update(idOf(keyId), { deletionDate: 1 })),
    deny: () => each(({ credentials, credential }) => credentials.permit(credential.accessKeyId, [])),
    expireCredentials: () => each(({ credentials, credential }) => credentials.expire(credential.accessKeyId)),
    clear: () => {
      faults.clear()
      regions.forEach(({ credentials }, i) => void credentials.replace(given[i]!))
    },
    secrets: regions.map(({ credential }) => credential.secretAccessKey),
    close: () => Promise.all(regions.map((region) => region.close())),
  }
}

export const testedAws: TestedKms = {
  name: 'awsKms',
  start: async () => {
    const emulator = await startAwsKmsEmulator({ keys: [{}, {}] })
    const keyIds = emulator.keys.list.map(({ arn }) => arn) as unknown as KeyIds
    const client = new KMS(emulator.clientConfig())
    return {
      ...awsCounterpart([emulator]),
      keyIds,
      kmsOf: (setting) => awsKms({ client, keyId: keyIds[0], ...setting }),
    }
  },
}

/** What is wrapped in one region is opened in the other. */
export const testedAwsRegions: TestedKms = {
  name: 'awsKms with multi-Region keys, in two regions',
  start: async () => {
    const north = await startAwsKmsEmulator({ keys: [{ multiRegion: true }, { multiRegion: true }] })
    for (const key of north.keys.list) north.account.replicate(key, 'eu-west-1')
    const south = await startAwsKmsEmulator({ region: 'eu-west-1', account: north.account })
    const keyIds = north.keys.list.map(({ keyId }) => keyId) as unknown as KeyIds
    const clients = [north, south].map((region) => new KMS(region.clientConfig()))
    return {
      ...awsCounterpart([north, south]),
      keyIds,
      kmsOf: (setting) => {
        const kmsIn = (client: KMS) => awsKms({ client, keyId: keyIds[0], ...setting })
        const [making, opening] = clients.map(kmsIn) as [Kms, Kms]
        return { ...opening, generate: making.generate, wrap: making.wrap!, encrypt: making.encrypt! }
      },
    }
  },
}
