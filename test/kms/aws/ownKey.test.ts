import { describe, expect, it } from '@jest/globals'
import { awsKms } from 'fieldseal/aws-kms'
import { AwsAccount, type KeyPolicy } from 'fieldseal/testing'
import { refusal } from '../../support/refusal.js'
import { clientOf, identity, start, started, wrappedOf } from './emulated.js'

/** Two regions of one account, with a multi-Region key in both. */
async function twoRegions() {
  const north = await started({ keys: [{ multiRegion: true }] })
  north.account.replicate(north.keys.find(north.keyId), 'eu-west-1')
  const south = await started({ region: 'eu-west-1', account: north.account })
  return { north, south, clients: { north: clientOf(north), south: clientOf(south) } }
}

describe('awsKms, which keys are a tenant’s own', () => {
  it('takes a key by its id or by its ARN, whichever way the row was written', async () => {
    const { emulator, client } = await start()
    const whose = identity()
    const adapters = [emulator.keyId, emulator.keyArn].map((keyId) => awsKms({ client, keyId }))
    for (const writer of adapters) {
      const { dek, ...wrapped } = await writer.generate(whose)
      expect(wrapped.kekId).toBe(emulator.keyArn)
      for (const reader of adapters) expect((await reader.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    }
  })

  it('refuses a DEK under a key that is none of the tenant’s before any request', async () => {
    const { emulator, client, kms } = await start()
    const other = emulator.keys.create().arn
    const whose = identity()
    const planted = await awsKms({ client, keyId: other }).wrap!(Buffer.alloc(32, 0x41), whose)
    emulator.calls.reset()
    for (const call of [() => kms.unwrap(planted, whose), () => kms.rewrap!(planted, whose)]) {
      expect(await refusal(call)).toMatchObject({
        code: 'KMS_KEY_UNUSABLE',
        message: expect.stringMatching(/which awsKms does not name for tenant "acme".*formerKeyIds/),
      })
    }
    expect(emulator.calls.count()).toBe(0)
  })

  it('asks AWS with the name that the options give, so that a row which claims the tenant’s key gains nothing', async () => {
    const { emulator, client, kms } = await start()
    const other = emulator.keys.create().arn
    const whose = identity()
    const planted = await awsKms({ client, keyId: other }).wrap!(Buffer.alloc(32, 0x41), whose)
    const claimed = { ...planted, kekId: emulator.keyArn }
    for (const call of [() => kms.unwrap(claimed, whose), () => kms.rewrap!(claimed, whose)]) {
      expect(await refusal(call)).toMatchObject({
        code: 'KMS_REFUSED',
        message: expect.stringContaining('IncorrectKeyException'),
      })
    }
  })

  it('refuses a row whose account or region was changed, though the key’s id is the tenant’s', async () => {
    const { emulator, kms } = await start()
    const whose = identity()
    const wrapped = wrappedOf(await kms.generate(whose))
    for (const [from, to] of [
      ['111122223333', '444455556666'],
      ['eu-central-1', 'us-east-1'],
    ] as const) {
      const moved = { ...wrapped, kekId: wrapped.kekId.replace(from, to) }
      expect(await refusal(() => kms.unwrap(moved, whose))).toMatchObject({ code: 'KMS_REFUSED' })
      expect(await refusal(() => kms.rewrap!(moved, whose))).toMatchObject({ code: 'KMS_REFUSED' })
    }
    expect(emulator.keys.list).toHaveLength(1)
  })

  it('opens what is under a former key, and rewraps it under the current one', async () => {
    const { emulator, client, kms } = await start()
    const whose = identity()
    const { dek, ...old } = await kms.generate(whose)
    const keyId = emulator.keys.create().arn
    const moved = awsKms({ client, keyId, formerKeyIds: [emulator.keyId] })
    expect((await moved.unwrap(old, whose)).equals(dek)).toBe(true)
    const next = await moved.rewrap!(old, whose)
    expect(next.kekId).toBe(keyId)
    expect((await awsKms({ client, keyId }).unwrap(next, whose)).equals(dek)).toBe(true)
    emulator.keys.setState(emulator.keyId, 'Disabled')
    expect((await moved.unwrap(next, whose)).equals(dek)).toBe(true)
    expect(await refusal(() => moved.unwrap(old, whose))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
  })

  it('gives each tenant a key of its own, which disabled reaches that tenant only', async () => {
    const { emulator, client } = await start()
    const keys = new Map([
      ['acme', emulator.keyArn],
      ['globex', emulator.keys.create().arn],
    ])
    const kms = awsKms({ client, keyId: async (tenant) => keys.get(tenant) ?? '' })
    const [acme, globex] = [identity('acme'), identity('globex')]
    const [ofAcme, ofGlobex] = [await kms.generate(acme), await kms.generate(globex)]
    expect([ofAcme.kekId, ofGlobex.kekId]).toEqual([...keys.values()])
    emulator.keys.setState(emulator.keys.find(ofGlobex.kekId).keyId, 'Disabled')
    expect(await refusal(() => kms.unwrap(ofGlobex, globex))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    expect((await kms.unwrap(ofAcme, acme)).equals(ofAcme.dek)).toBe(true)
    expect(await refusal(() => kms.unwrap(ofAcme, globex))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
  })

  it.each([
    [
      'keyId gives an alias',
      { keyId: () => 'alias/app' },
      /keyId function of awsKms gave an alias.*give the id or the ARN/,
    ],
    ['keyId gives nothing', { keyId: () => '' }, /keyId function of awsKms gave no key id/],
    ['keyId fails', { keyId: () => Promise.reject(new Error('no such tenant')) }, /keyId function of awsKms failed/],
    [
      'formerKeyIds gives an alias',
      { formerKeyIds: () => ['alias/app'] },
      /formerKeyIds function of awsKms gave an alias/,
    ],
    [
      'formerKeyIds gives no list',
      { formerKeyIds: () => 'key' as never },
      /formerKeyIds function of awsKms gave no list/,
    ],
  ])('says so when %s', async (_, options, message) => {
    const { emulator, kms } = await start(options)
    const wrapped = { wrapped: 'YmxvYg==', kekId: emulator.keyArn }
    expect(await refusal(() => kms.unwrap(wrapped, identity()))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(message),
    })
    expect(emulator.calls.count()).toBe(0)
  })
})

describe('awsKms, the key of a customer in an account of theirs', () => {
  /** As docs/kms/aws.md tells customers to write it. */
  const policy: KeyPolicy = ({ permission, accountId, encryptionContext }) =>
    accountId === '111122223333' && encryptionContext.tenant === 'acme' && permission !== 'kms:Encrypt'

  async function withCustomer() {
    const account = new AwsAccount({ accountId: '444455556666' })
    const theirs = account.region('eu-central-1').create({ policy })
    const ours = await started({ otherAccounts: [account] })
    const client = clientOf(ours)
    const kms = awsKms({ client, keyId: (tenant) => (tenant === 'acme' ? theirs.arn : ours.keyArn) })
    return { ours, theirs, client, kms }
  }

  it('serves that tenant: makes, unwraps and rewraps', async () => {
    const { kms, theirs } = await withCustomer()
    const whose = identity('acme')
    const { dek, ...wrapped } = await kms.generate(whose)
    expect(wrapped.kekId).toBe(theirs.arn)
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    expect(await kms.rewrap!(wrapped, whose)).toEqual(wrapped)
  })

  it('lets itself be used for no other tenant, whatever our options say', async () => {
    const { client, theirs } = await withCustomer()
    const wrong = awsKms({ client, keyId: theirs.arn })
    expect(await refusal(() => wrong.generate(identity('globex')))).toMatchObject({
      code: 'KMS_DENIED',
      message: expect.stringMatching(/AccessDeniedException.*kms:GenerateDataKey.*policy of the key/),
    })
  })

  it('stops that tenant, and nobody else, when the customer disables it or takes the policy back', async () => {
    const { kms, theirs } = await withCustomer()
    const [acme, globex] = [identity('acme'), identity('globex')]
    const [ofAcme, ofGlobex] = [await kms.generate(acme), await kms.generate(globex)]
    theirs.state = 'Disabled'
    expect(await refusal(() => kms.unwrap(ofAcme, acme))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    Object.assign(theirs, { state: 'Enabled', policy: undefined })
    expect(await refusal(() => kms.unwrap(ofAcme, acme))).toMatchObject({ code: 'KMS_DENIED' })
    expect((await kms.unwrap(ofGlobex, globex)).equals(ofGlobex.dek)).toBe(true)
    theirs.policy = policy
    expect((await kms.unwrap(ofAcme, acme)).equals(ofAcme.dek)).toBe(true)
  })
})

describe('awsKms, a multi-Region key', () => {
  it('is opened in another region by the replica, named by its id or by its ARN there, before and after a rotation', async () => {
    const { north, south, clients } = await twoRegions()
    const whose = identity()
    const writer = awsKms({ client: clients.north, keyId: north.keyArn })
    const readers = [south.keyId, south.keyArn, north.keyId].map((keyId) => awsKms({ client: clients.south, keyId }))
    expect(south.keyArn).toBe(north.keyArn.replace(north.region, 'eu-west-1'))
    const made = [await writer.generate(whose)]
    north.keys.rotate(north.keyId)
    made.push(await writer.generate(whose))
    for (const { dek, ...wrapped } of made) {
      expect(wrapped.kekId).toBe(north.keyArn)
      for (const reader of readers) expect((await reader.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    }
    expect(south.calls.byAction).toEqual({ Decrypt: 6 })
  })

  it('needs no rewrap in another region, and is rewrapped there after a rotation', async () => {
    const { north, south, clients } = await twoRegions()
    const whose = identity()
    const { dek, ...wrapped } = await awsKms({ client: clients.north, keyId: north.keyArn }).generate(whose)
    const kms = awsKms({ client: clients.south, keyId: south.keyArn })
    expect(await kms.rewrap!(wrapped, whose)).toEqual(wrapped)
    north.keys.rotate(north.keyId)
    const next = await kms.rewrap!(wrapped, whose)
    expect(next.kekId).toBe(south.keyArn)
    expect((await awsKms({ client: clients.north, keyId: north.keyId }).unwrap(next, whose)).equals(dek)).toBe(true)
  })

  it('works on in one region while it is disabled, or out of reach, in the other', async () => {
    const { north, south, clients } = await twoRegions()
    const whose = identity()
    const { dek, ...wrapped } = await awsKms({ client: clients.north, keyId: north.keyId }).generate(whose)
    const kms = awsKms({ client: clients.south, keyId: south.keyArn })
    north.keys.setState(north.keyId, 'Disabled')
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
    await north.close()
    expect((await kms.unwrap(wrapped, whose)).equals(dek)).toBe(true)
  })

  it('is no other account’s key of the same id', async () => {
    const { north, south, clients } = await twoRegions()
    const whose = identity()
    const wrapped = wrappedOf(await awsKms({ client: clients.north, keyId: north.keyArn }).generate(whose))
    const foreign = { ...wrapped, kekId: wrapped.kekId.replace('111122223333', '444455556666') }
    const kms = awsKms({ client: clients.south, keyId: south.keyArn })
    expect(await refusal(() => kms.unwrap(foreign, whose))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    expect(south.calls.count()).toBe(0)
  })

  it('that is none stays in its region', async () => {
    const north = await started()
    const south = await started({ region: 'eu-west-1', account: north.account, keys: [{ description: 'of its own' }] })
    const whose = identity()
    const wrapped = wrappedOf(await awsKms({ client: clientOf(north), keyId: north.keyId }).generate(whose))
    const kms = awsKms({ client: clientOf(south), keyId: south.keyArn, formerKeyIds: [north.keyArn] })
    expect(await refusal(() => kms.unwrap(wrapped, whose))).toMatchObject({
      code: 'KMS_KEY_UNUSABLE',
      message: expect.stringMatching(/NotFoundException.*region or account of the client/),
    })
  })
})
