import { describe, expect, it } from '@jest/globals'
import { clientOf, started } from '../../kms/aws/emulated.js'

const DAY = 86_400_000

function fails(name: string) {
  return expect.objectContaining({ name })
}

async function withBlob() {
  let now = Date.now()
  const emulator = await started({ now: () => now })
  const client = clientOf(emulator)
  const { keyId: KeyId } = emulator
  const { CiphertextBlob } = await client.generateDataKey({ KeyId, KeySpec: 'AES_256' })
  const ways = () => [
    client.generateDataKey({ KeyId, KeySpec: 'AES_256' }),
    client.decrypt({ CiphertextBlob }),
    client.reEncrypt({ CiphertextBlob, DestinationKeyId: KeyId }),
  ]
  const uses = async () => {
    const names = await Promise.all(
      ways().map((call) =>
        call.then(
          () => 'ok',
          (error: Error) => error.name,
        ),
      ),
    )
    return [...new Set(names)].join()
  }
  /** The SDK's clock is off by then: it sets it by the date of the first answer. */
  const pass = async (days: number) => {
    now += days * DAY
    await expect(client.listKeys({})).rejects.toEqual(fails('InvalidSignatureException'))
  }
  return { emulator, client, KeyId, CiphertextBlob, uses, pass }
}

describe('the AWS emulator, key states', () => {
  it('uses no key that is disabled, and does again once it is enabled', async () => {
    const { client, KeyId, uses } = await withBlob()
    await client.disableKey({ KeyId })
    expect(await uses()).toBe('DisabledException')
    expect((await client.describeKey({ KeyId })).KeyMetadata).toMatchObject({ Enabled: false, KeyState: 'Disabled' })
    await client.enableKey({ KeyId })
    expect(await uses()).toBe('ok')
  })

  it('deletes a key after its days, and not if the deletion is cancelled', async () => {
    const { client, KeyId, uses, pass } = await withBlob()
    await expect(client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 6 })).rejects.toEqual(
      fails('ValidationException'),
    )
    await expect(client.cancelKeyDeletion({ KeyId })).rejects.toEqual(fails('KMSInvalidStateException'))
    const scheduled = await client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })
    expect(scheduled).toMatchObject({
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
      DeletionDate: expect.any(Date),
    })
    expect(await uses()).toBe('KMSInvalidStateException')
    for (const call of [
      () => client.enableKey({ KeyId }),
      () => client.disableKey({ KeyId }),
      () => client.scheduleKeyDeletion({ KeyId }),
    ])
      await expect(call()).rejects.toEqual(fails('KMSInvalidStateException'))
    await client.cancelKeyDeletion({ KeyId })
    expect(await uses()).toBe('DisabledException')
    await client.enableKey({ KeyId })
    expect(await uses()).toBe('ok')
    await client.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })
    await pass(7)
    await expect(client.describeKey({ KeyId })).rejects.toEqual(fails('NotFoundException'))
    expect((await client.listAliases({})).Aliases).toEqual([])
  })

  it('uses no key that waits for its material, or for its custom key store', async () => {
    const { emulator, client, KeyId, uses } = await withBlob()
    const { KeyMetadata } = await client.createKey({ Origin: 'EXTERNAL' })
    expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Origin: 'EXTERNAL' })
    const imported = { KeyId: KeyMetadata?.KeyId, KeySpec: 'AES_256' } as const
    await expect(client.generateDataKey(imported)).rejects.toEqual(fails('KMSInvalidStateException'))
    await expect(client.enableKey(imported)).rejects.toEqual(fails('KMSInvalidStateException'))
    emulator.keys.setState(KeyId, 'Unavailable')
    expect(await uses()).toBe('KMSInvalidStateException')
    await client.disableKey({ KeyId })
    expect((await client.describeKey({ KeyId })).KeyMetadata?.KeyState).toBe('Unavailable')
  })

  it('encrypts nothing with a key that is for something else', async () => {
    const { client } = await withBlob()
    for (const key of [
      { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
    ] as const) {
      const { KeyMetadata } = await client.createKey(key)
      expect(KeyMetadata).toMatchObject(key)
      const request = { KeyId: KeyMetadata?.KeyId, KeySpec: 'AES_256' } as const
      await expect(client.generateDataKey(request)).rejects.toEqual(fails('InvalidKeyUsageException'))
      await expect(client.rotateKeyOnDemand(request)).rejects.toEqual(fails('UnsupportedOperationException'))
    }
  })
})

describe('the AWS emulator, rotation', () => {
  it('makes new ciphertexts with new material, and opens the old', async () => {
    const { emulator, client, KeyId, CiphertextBlob } = await withBlob()
    const [first] = emulator.keys.find(KeyId).materials
    expect(await client.rotateKeyOnDemand({ KeyId })).toMatchObject({ KeyId: emulator.keyArn })
    const made = await client.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    expect(made.KeyMaterialId).not.toBe(first?.id)
    expect((await client.decrypt({ CiphertextBlob })).KeyMaterialId).toBe(first?.id)
    expect((await client.describeKey({ KeyId })).KeyMetadata?.CurrentKeyMaterialId).toBe(made.KeyMaterialId)
    for (let times = 1; times < 25; times += 1) emulator.keys.rotate(KeyId)
    await expect(client.rotateKeyOnDemand({ KeyId })).rejects.toEqual(fails('LimitExceededException'))
  })

  it('rotates by itself after as many days as are set', async () => {
    const { emulator, client, KeyId, uses, pass } = await withBlob()
    expect(await client.getKeyRotationStatus({ KeyId })).toMatchObject({ KeyRotationEnabled: false })
    await expect(client.enableKeyRotation({ KeyId, RotationPeriodInDays: 89 })).rejects.toEqual(
      fails('ValidationException'),
    )
    await client.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 })
    expect(await client.getKeyRotationStatus({ KeyId })).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
    })
    expect(emulator.keys.list[0]?.materials).toHaveLength(1)
    await pass(181)
    expect(emulator.keys.list[0]?.materials).toHaveLength(3)
    expect(await uses()).toBe('ok')
    await client.disableKeyRotation({ KeyId })
    await pass(90)
    expect(emulator.keys.list[0]?.materials).toHaveLength(3)
  })
})

describe('the AWS emulator, names of keys', () => {
  it('knows a key by id, ARN, alias and ARN of an alias, where AWS does', async () => {
    const { emulator, client, KeyId } = await withBlob()
    const arn = emulator.keyArn.replace(/key\/.*/, 'alias/fieldseal')
    for (const name of [KeyId, emulator.keyArn, 'alias/fieldseal', arn])
      expect(await client.encrypt({ KeyId: name, Plaintext: Buffer.from('x') })).toMatchObject({
        KeyId: emulator.keyArn,
      })
    await expect(client.disableKey({ KeyId: 'alias/fieldseal' })).rejects.toEqual(fails('NotFoundException'))
    await client.disableKey({ KeyId: emulator.keyArn })
  })

  it.each([
    ['an unknown id', () => '00000000-0000-0000-0000-000000000000', 'NotFoundException'],
    ['no id', () => 'not an id', 'NotFoundException'],
    ['an unknown alias', () => 'alias/nobody', 'NotFoundException'],
    ['another region', (arn: string) => arn.replace('eu-central-1', 'us-east-1'), 'NotFoundException'],
    ['another account', (arn: string) => arn.replace('111122223333', '444455556666'), 'AccessDeniedException'],
    ['no ARN of a key', () => 'arn:aws:s3:::bucket', 'InvalidArnException'],
  ])('refuses %s', async (_, nameOf, name) => {
    const { emulator, client } = await withBlob()
    await expect(client.describeKey({ KeyId: nameOf(emulator.keyArn) })).rejects.toEqual(fails(name))
  })

  it('makes, moves, lists and deletes aliases', async () => {
    const { emulator, client, KeyId } = await withBlob()
    const { KeyMetadata } = await client.createKey({ Description: 'other' })
    const TargetKeyId = KeyMetadata?.KeyId
    await client.createAlias({ AliasName: 'alias/app', TargetKeyId })
    await expect(client.createAlias({ AliasName: 'alias/app', TargetKeyId })).rejects.toEqual(
      fails('AlreadyExistsException'),
    )
    await client.updateAlias({ AliasName: 'alias/app', TargetKeyId: KeyId })
    const listed = await client.listAliases({ KeyId })
    expect(listed.Aliases?.map(({ AliasName }) => AliasName)).toEqual(['alias/app', 'alias/fieldseal'])
    await client.deleteAlias({ AliasName: 'alias/app' })
    await expect(client.describeKey({ KeyId: 'alias/app' })).rejects.toEqual(fails('NotFoundException'))
    expect(emulator.keys.aliases).toHaveLength(1)
  })

  it('lists keys by pages', async () => {
    const { emulator, client } = await withBlob()
    for (let more = 0; more < 4; more += 1) emulator.keys.create()
    const first = await client.listKeys({ Limit: 3 })
    expect([first.Keys?.length, first.Truncated]).toEqual([3, true])
    const second = await client.listKeys({ Limit: 3, Marker: first.NextMarker })
    expect([second.Keys?.length, second.Truncated]).toEqual([2, false])
    await expect(client.listKeys({ Marker: 'nonsense' })).rejects.toEqual(fails('InvalidMarkerException'))
    await client.updateKeyDescription({ KeyId: emulator.keyId, Description: 'new' })
    expect((await client.describeKey({ KeyId: emulator.keyId })).KeyMetadata?.Description).toBe('new')
  })
})

describe('the AWS emulator, multi-Region keys', () => {
  it('replicates a primary, which has one material and states of their own in all regions', async () => {
    const north = await started({ keys: [{ multiRegion: true }] })
    const south = await started({ region: 'eu-west-1', account: north.account })
    const [inNorth, inSouth] = [clientOf(north), clientOf(south)]
    const { keyId: KeyId } = north
    expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/)
    const { ReplicaKeyMetadata } = await inNorth.replicateKey({ KeyId, ReplicaRegion: 'eu-west-1' })
    expect(ReplicaKeyMetadata).toMatchObject({
      Arn: south.keyArn,
      KeyId,
      MultiRegion: true,
      MultiRegionConfiguration: {
        MultiRegionKeyType: 'REPLICA',
        PrimaryKey: { Arn: north.keyArn, Region: 'eu-central-1' },
      },
    })
    const { CiphertextBlob, Plaintext } = await inNorth.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    await inNorth.rotateKeyOnDemand({ KeyId })
    await inNorth.disableKey({ KeyId })
    expect(await inSouth.decrypt({ CiphertextBlob })).toMatchObject({ KeyId: south.keyArn, Plaintext })
    expect(south.keys.find(KeyId).materials).toHaveLength(2)
    await expect(inSouth.rotateKeyOnDemand({ KeyId })).rejects.toEqual(fails('UnsupportedOperationException'))
    await expect(inSouth.replicateKey({ KeyId, ReplicaRegion: 'us-east-1' })).rejects.toEqual(
      fails('UnsupportedOperationException'),
    )
    await expect(inNorth.replicateKey({ KeyId, ReplicaRegion: 'eu-west-1' })).rejects.toEqual(
      fails('AlreadyExistsException'),
    )
  })

  it('knows no other region’s key, but by a replica', async () => {
    const north = await started()
    const south = await started({ region: 'eu-west-1', account: north.account, keys: [{}] })
    const { CiphertextBlob } = await clientOf(north).generateDataKey({ KeyId: north.keyId, KeySpec: 'AES_256' })
    const client = clientOf(south)
    await expect(client.decrypt({ CiphertextBlob })).rejects.toEqual(fails('AccessDeniedException'))
    await expect(client.decrypt({ CiphertextBlob, KeyId: north.keyArn })).rejects.toEqual(fails('NotFoundException'))
    await expect(client.decrypt({ CiphertextBlob, KeyId: south.keyArn })).rejects.toEqual(
      fails('IncorrectKeyException'),
    )
    await expect(clientOf(north).replicateKey({ KeyId: north.keyId, ReplicaRegion: 'eu-west-1' })).rejects.toEqual(
      fails('UnsupportedOperationException'),
    )
  })
})
