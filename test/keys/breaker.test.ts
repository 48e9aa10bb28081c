import { expect, it } from '@jest/globals'
import { FieldsealError } from 'fieldseal'
import { withBreaker } from '../../src/keys/breaker.js'
import type { DekIdentity, Kms } from '../../src/keys/kms.js'
import { refusalCode } from '../support/refusal.js'

/** A KMS that does not answer for some tenants, and counts who asks. */
function kmsWithout(...down: readonly string[]) {
  const asked: string[] = []
  const kms: Kms = {
    name: 'partly down',
    generate: async () => ({ dek: Buffer.alloc(32, 1), wrapped: 'text', kekId: 'kek' }),
    unwrap: async (_, { tenant }) => {
      asked.push(tenant)
      if (down.includes(tenant)) throw new FieldsealError('KMS_UNAVAILABLE', 'down')
      return Buffer.alloc(32, 1)
    },
  }
  const spared = withBreaker(kms)
  const unwrap = (tenant: string) => {
    const identity: DekIdentity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant }
    return spared.unwrap({ wrapped: 'text', kekId: 'kek' }, identity)
  }
  const fail = async (tenant: string, times: number) => {
    for (let time = 0; time < times; time += 1) expect(await refusalCode(() => unwrap(tenant))).toBe('KMS_UNAVAILABLE')
  }
  return { asked, unwrap, fail, count: (tenant: string) => asked.filter((one) => one === tenant).length }
}

it('a KMS that does not answer for one tenant is spared for that tenant, and asked for all others', async () => {
  const { unwrap, fail, count } = kmsWithout('acme')
  await fail('acme', 25)
  expect(count('acme')).toBe(10)
  await expect(unwrap('globex')).resolves.toHaveLength(32)
  await fail('acme', 5)
  expect(count('acme')).toBe(10)
  await expect(unwrap('initech')).resolves.toHaveLength(32)
})

it('two tenants that fail do not keep a third from being asked', async () => {
  const { unwrap, fail, count } = kmsWithout('acme', 'globex')
  for (let turn = 0; turn < 12; turn += 1) for (const tenant of ['acme', 'globex']) await fail(tenant, 1)
  expect([count('acme'), count('globex')]).toEqual([10, 10])
  await expect(unwrap('initech')).resolves.toHaveLength(32)
})

it('a KMS that answers for none of many tenants is spared for all of them', async () => {
  const tenants = Array.from({ length: 40 }, (_, number) => `tenant ${number}`)
  const { asked, fail } = kmsWithout(...tenants)
  for (const tenant of tenants) await fail(tenant, 1)
  // The first two say nothing of the KMS; the ten after them do.
  expect(asked).toHaveLength(12)
})

it('an answer for any tenant has the count of all begin anew', async () => {
  const { asked, unwrap, fail } = kmsWithout('a', 'b', 'c', 'd')
  for (let turn = 0; turn < 5; turn += 1) {
    for (const tenant of ['a', 'b', 'c', 'd']) await fail(tenant, 1)
    await unwrap('well')
  }
  expect(asked).toHaveLength(25)
})
