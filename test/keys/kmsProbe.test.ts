import { describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type KmsEmulator, memoryKeyStore } from 'fieldseal/testing'
import type { GeneratedDek, Kms } from '../../src/keys/kms.js'
import { probeKms } from '../../src/keys/kmsProbe.js'
import { north, south, twoRegions } from '../kms/regions.js'
import { emulatedKms } from '../support/clinic.js'

twoRegions()

const at = (region: KmsEmulator): Kms => emulatedKms(region, { maxRetries: 0, timeout: 2_000 })
const deny = (region: KmsEmulator, action: string) =>
  region.faults.add({ kind: 'error', code: 'UnauthorizedOperation.Unauthorized', action, times: 'always' })
const failures = async (kms: Kms, values = false) =>
  (await probeKms(kms, 'acme', values)).map(({ kms, action, error }) => `${kms} ${action} ${error.code}`)
const contexts = ({ calls }: KmsEmulator) => calls.log.map(({ encryptionContext }) => JSON.parse(encryptionContext!))

describe('a trial of a KMS', () => {
  it('makes and unwraps a DEK whose context says that it is for a check, and zeroes all of it', async () => {
    const kms = at(north)
    const seen: Buffer[] = []
    const kept = <T extends Buffer | GeneratedDek>(made: T): T => {
      seen.push('dek' in made ? made.dek : made)
      return made
    }
    const watched: Kms = {
      name: 'watched',
      generate: async (identity) => kept(await kms.generate(identity)),
      unwrap: async (wrapped, identity) => kept(await kms.unwrap(wrapped, identity)),
    }
    expect(await failures(watched)).toEqual([])
    expect(north.calls.byAction).toEqual({ GenerateDataKey: 1, Decrypt: 1 })
    const [made, opened] = contexts(north)
    expect(made).toEqual({ key: expect.any(String), purpose: 'check', tenant: 'acme' })
    expect(opened).toEqual(made)
    expect(seen.map((bytes) => bytes.equals(Buffer.alloc(32)))).toEqual([true, true])
  })

  it('tells which of making and unwrapping is denied, and does not go on without a DEK', async () => {
    const denied = deny(north, 'GenerateDataKey')
    expect(await failures(at(north))).toEqual(['tencent generate KMS_DENIED'])
    expect(north.calls.byAction).toEqual({ GenerateDataKey: 1 })
    denied()
    deny(north, 'Decrypt')
    expect(await failures(at(north))).toEqual(['tencent unwrap KMS_DENIED'])
  })

  it('tells that a KMS opens what it made to something else', async () => {
    const kms = at(north)
    const liar: Kms = { ...kms, unwrap: async () => Buffer.alloc(32, 7) }
    expect(await failures(liar)).toEqual(['tencent unwrap KMS_REFUSED'])
  })

  it('tries values only where there are some', async () => {
    deny(north, 'Encrypt')
    expect(await failures(at(north))).toEqual([])
    expect(await failures(at(north), true)).toEqual(['tencent encrypt KMS_DENIED'])
    north.faults.clear()
    north.calls.reset()
    expect(await failures(at(north), true)).toEqual([])
    expect(north.calls.byAction).toEqual({ GenerateDataKey: 1, Decrypt: 2, Encrypt: 1 })
  })

  it('tries each of several KMSs, also to wrap what another one made', async () => {
    const both = redundantKms({ members: { north: at(north), south: at(south) } })
    expect(await failures(both)).toEqual([])
    deny(north, 'Encrypt')
    deny(south, 'GenerateDataKey')
    expect(await failures(both)).toEqual(['redundant/north wrap KMS_DENIED', 'redundant/south generate KMS_DENIED'])
  })

  it('asks the KMS under a hierarchy as it is asked for intermediate keys, and makes none', async () => {
    const store = memoryKeyStore()
    const grouped = hierarchicalKms({ kms: at(north), group: (tenant) => `group of ${tenant}` })(store)
    expect(await failures(grouped)).toEqual([])
    expect(store.rows).toEqual([])
    expect(contexts(north).map(({ purpose, tenant }) => `${purpose} ${tenant}`)).toEqual([
      'check group of acme',
      'check group of acme',
    ])
    deny(north, 'GenerateDataKey')
    expect(await failures(grouped)).toEqual(['hierarchy generate KMS_DENIED'])
  })

  it('tries each of several KMSs under a hierarchy, for the group as well', async () => {
    const both = redundantKms({ members: { north: at(north), south: at(south) } })
    const grouped = hierarchicalKms({ kms: both, group: (tenant) => `group of ${tenant}` })(memoryKeyStore())
    expect(await failures(grouped)).toEqual([])
    expect(new Set(contexts(south).map(({ purpose, tenant }) => `${purpose} ${tenant}`))).toEqual(
      new Set(['check group of acme']),
    )
    deny(south, 'GenerateDataKey')
    expect(await failures(grouped)).toEqual(['hierarchy/south generate KMS_DENIED'])
  })
})
