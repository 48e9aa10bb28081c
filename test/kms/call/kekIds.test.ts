import { describe, expect, it } from '@jest/globals'
import { KekIds, type KekIdsOptions, named } from '../../../src/kms/call/kekIds.js'
import { refusal } from '../../support/refusal.js'

const isKeyId = (value: unknown): value is string => typeof value === 'string' && value.startsWith('keys/')
const identity = { key: 'the-dek', purpose: 'encrypt', tenant: 'acme' } as const

function kekIds(options: Partial<KekIdsOptions> = {}): KekIds {
  return new KekIds({ adapter: 'vendorKms', keyIdIs: 'the name of a key', keyId: 'keys/1', isKeyId, ...options })
}

describe('KekIds', () => {
  it.each<[string, Partial<KekIdsOptions>, RegExp]>([
    ['a keyId that is none of the service', { keyId: 'alias' }, /"keyId" of vendorKms must be the name of a key, or a/],
    ['no keyId', { keyId: undefined as never }, /"keyId"/],
    ['former ids that are none of the service', { formerKeyIds: ['keys/2', 'x'] }, /"formerKeyIds" of vendorKms/],
    ['one former id in place of a list', { formerKeyIds: 'keys/2' as never }, /"formerKeyIds"/],
  ])('cannot be made with %s', (_, options, message) => {
    expect(() => kekIds(options)).toThrow(
      expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringMatching(message) }),
    )
  })

  it('gives the current one first, and takes the former ones for the tenant’s own, too', async () => {
    const ids = kekIds({ formerKeyIds: async () => ['keys/0'] })
    expect(await ids.all('acme')).toEqual(['keys/1', 'keys/0'])
    await ids.expectOwn({ wrapped: '', kekId: 'keys/0' }, identity)
    const error = await refusal(() => ids.expectOwn({ wrapped: '', kekId: 'keys/2' }, identity))
    expect(error).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringContaining('which vendorKms does not'),
    })
  })

  it('says of which tenant a function gave what is no id of the service', async () => {
    const ids = kekIds({ keyId: () => 'alias', formerKeyIds: () => ['alias'] })
    expect(await refusal(() => ids.current('acme'))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: 'The keyId function of vendorKms gave no key id for tenant "acme".',
    })
    const former = kekIds({ formerKeyIds: () => ['alias'] })
    expect((await refusal(() => former.all('acme'))).message).toContain('gave no list of key ids')
  })
})

describe('named', () => {
  it('repeats nothing that is no key id', () => {
    expect([named('keys/1'), named('two words'), named(7), named('')]).toEqual([
      'the key keys/1',
      'no key',
      'no key',
      'no key',
    ])
  })
})
