import { randomBytes } from 'node:crypto'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tenantKms } from 'fieldseal/tenant-kms'
import {
  type Counterpart,
  type KmsCapability,
  type KmsSetting,
  type KmsUnderTest,
  memoryKeyStore,
  type TestedKms,
} from 'fieldseal/testing'
import type { Kms } from '../../src/keys/kms.js'

/** Whose argument is the id of a KEK. */
const OF_KEYS = ['disable', 'enable', 'rotate', 'scheduleDeletion', 'destroy'] as const
const OF_ALL = [
  'throttle',
  'outage',
  'slow',
  'hangUp',
  'truncate',
  'alter',
  'deny',
  'expireCredentials',
  'clear',
] as const

const OWN = 'own'
const OTHER = 'other'

/**
 * `redundantKms` over several KMSs, all of which have the same trouble at once. Its KEKs are `own` and `other`: each of
 * them is one in each member.
 */
export function redundantOver(...tested: readonly TestedKms[]): TestedKms {
  const start = async (): Promise<KmsUnderTest> => {
    const subjects = await Promise.all(tested.map((each) => each.start()))
    const kmsOf = (setting: KmsSetting = {}) => {
      const members = subjects.map((subject, i) => [`member-${i}`, subject.kmsOf(ofMember(subject, setting))])
      return redundantKms({ members: Object.fromEntries(members) as { [name: string]: Kms } })
    }
    return {
      ...counterpartOf(subjects),
      keyIds: [OWN, OTHER],
      kmsOf,
      secrets: subjects.flatMap(({ secrets = [] }) => secrets),
      close: () => Promise.all(subjects.map((subject) => subject.close())),
    }
  }
  const lacks = new Set<KmsCapability>(['strictText', ...tested.flatMap((each) => each.lacks ?? [])])
  lacks.delete('rewrap')
  return { name: `redundantKms over ${tested.map(({ name }) => name).join(' and ')}`, start, lacks: [...lacks] }
}

function idOf({ keyIds }: KmsUnderTest, name: string): string {
  return name === OTHER ? keyIds[1] : keyIds[0]
}

function ofMember(subject: KmsUnderTest, { keyId, formerKeyIds, ...setting }: KmsSetting): KmsSetting {
  const ids = (names: readonly string[]) => names.map((name) => idOf(subject, name))
  const one =
    typeof keyId === 'function' ? (tenant: string) => idOf(subject, keyId(tenant)) : idOf(subject, keyId ?? OWN)
  const former = typeof formerKeyIds === 'function' ? (tenant: string) => ids(formerKeyIds(tenant)) : formerKeyIds
  return { ...setting, keyId: one, ...(former && { formerKeyIds: Array.isArray(former) ? ids(former) : former }) }
}

/** What all subjects have, done to all of them. */
function counterpartOf(subjects: readonly KmsUnderTest[]): Partial<Counterpart> {
  const all = OF_ALL.filter((name) => subjects.every((subject) => subject[name]))
  const ofKeys = OF_KEYS.filter((name) => subjects.every((subject) => subject[name]))
  const counted = subjects.every(({ calls }) => calls)
  return {
    ...Object.fromEntries(all.map((name) => [name, (given: never) => doAll(subjects, (each) => each[name]!(given))])),
    ...Object.fromEntries(
      ofKeys.map((name) => [name, (key: string) => doAll(subjects, (each) => each[name]!(idOf(each, key)))]),
    ),
    ...(counted && { calls: () => callsOf(subjects) }),
  }
}

function doAll(subjects: readonly KmsUnderTest[], act: (subject: KmsUnderTest) => unknown): Promise<unknown> {
  return Promise.all(subjects.map(act))
}

function callsOf(subjects: readonly KmsUnderTest[]): ReturnType<Counterpart['calls']> {
  const each = subjects.map(({ calls }) => calls!())
  return {
    count: each.reduce((sum, { count }) => sum + count, 0),
    maxInFlight: Math.max(...each.map(({ maxInFlight }) => maxInFlight)),
  }
}

/** `hierarchicalKms` over a KMS. Its intermediate keys are rows of a keys table, of which there is one for each KEK. */
export function hierarchicalOver(tested: TestedKms): TestedKms {
  const start = async (): Promise<KmsUnderTest> => {
    const { rotate: _, ...subject } = await tested.start()
    const stores = new Map(subject.keyIds.map((keyId) => [keyId, memoryKeyStore()]))
    const kmsOf = ({ keyId = subject.keyIds[0], formerKeyIds, ...setting }: KmsSetting = {}): Kms => {
      if (typeof keyId !== 'string' || formerKeyIds)
        throw new TypeError('Rows of intermediate keys are rewrapped for that.')
      return hierarchicalKms({ kms: subject.kmsOf({ ...setting, keyId }) })(stores.get(keyId)!)
    }
    return { ...subject, kmsOf }
  }
  const lacks = new Set<KmsCapability>([...(tested.lacks ?? []), 'formerKeyIds', 'keyIdOf', 'rotate'])
  for (const own of ['wrap', 'rewrap'] as const) lacks.delete(own)
  return { name: `hierarchicalKms over ${tested.name}`, start, lacks: [...lacks] }
}

/** `tenantKms` where one member serves the tenants, and the other one is a customer's. */
export function tenantOver(tested: TestedKms): TestedKms {
  const start = async (): Promise<KmsUnderTest> => {
    const subject = await tested.start()
    const customers = localKms({ key: randomBytes(32).toString('base64') })
    const kmsOf = (setting?: KmsSetting) =>
      tenantKms({ members: { ours: subject.kmsOf(setting), 'acme-own': customers }, memberOf: () => 'ours' })
    return { ...subject, kmsOf }
  }
  const lacks = (tested.lacks ?? []).filter((capability) => capability !== 'wrap' && capability !== 'rewrap')
  return { name: `tenantKms with ${tested.name}`, start, lacks }
}
