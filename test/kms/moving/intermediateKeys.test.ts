import { randomUUID } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { tenantKms } from 'fieldseal/tenant-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import type { Kms } from '../../../src/keys/kms.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { onTestFinished } from '../../support/onTestFinished.js'
import { testedAws } from '../aws/tested.js'
import { ringOf } from '../ringOf.js'
import { testedTencent } from '../tested.js'

it('moves many tenants by their intermediate keys, readable for processes before, meanwhile and after', async () => {
  const [tencent, aws] = [await testedTencent.start(), await testedAws.start()]
  onTestFinished(() => Promise.all([tencent.close(), aws.close()]))
  const store = memoryKeyStore()
  const tenants = Array.from({ length: 30 }, () => `tenant-${randomUUID()}`)
  const over = (kms: Kms) => ringOf(hierarchicalKms({ kms, shards: 2 })(store), store)
  const members = () => ({ tencent: tencent.kmsOf(), aws: aws.kmsOf() })
  const before = () => tenantKms({ members: members(), memberOf: () => 'tencent', formerMembers: ['aws'] })
  const moving = () => tenantKms({ members: members(), memberOf: () => 'aws', formerMembers: ['tencent'] })
  const keysUnder = () => [...new Set(store.rows.filter(({ purpose }) => purpose === 'wrap').map(({ kms }) => kms))]

  const made = over(tencent.kmsOf())
  const ids = await Promise.all(tenants.map(async (tenant) => (await made.active.get(tenant, 'encrypt')).id))
  const expectReadable = async (kms: Kms) => {
    const ring = over(kms)
    for (const [i, tenant] of tenants.entries()) expect(await ring.loaded.load([ids[i]!], tenant)).toHaveLength(1)
  }
  for (const kms of [before(), moving()]) await expectReadable(kms)
  expect(keysUnder()).toEqual(['tencent'])
  const to = hierarchicalKms({ kms: moving(), shards: 2 })(store)
  expect(await rewrap(to, store, { rate: 1_000 })).toMatchObject({ changed: 2, failed: [] })
  expect(keysUnder()).toEqual(['aws'])
  for (const kms of [before(), moving()]) await expectReadable(kms)
  tencent.outage!()
  await expectReadable(aws.kmsOf())
})
