import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { expect, it } from '@jest/globals'
import { lengthPrefixed } from '../../../src/crypto/bytes.js'
import { encryptionContext } from '../../../src/keys/encryptionContext.js'
import type { DekIdentity } from '../../../src/keys/kms.js'
import { probeKms } from '../../../src/keys/kmsProbe.js'
import { messageCountOf } from '../../../src/kms/messageCount.js'
import { refusal, refusalCode } from '../../support/refusal.js'
import { onSoftHsm } from './onSoftHsm.js'

const identity: DekIdentity = { key: '0f8fad5b-d9cb-469f-a165-70867728950e', purpose: 'encrypt', tenant: 'acme' }

/** Under the key 07…07; must open for ever. */
const FROZEN = {
  wrapped: 'fsp11.DLZUaVb7_Q3HW4sKmTf1oGEcy6akLYLQqfLcKOhBKz6jmEUBVfksAOXaz2hQxx5sogQrx1MCcLQwz9DhaQ',
  kekId: 'frozen#2d123277ac528a17',
  dek: '224e116b1f8d2a7db20b9f5b53da9f41250aee2c390780afe8ba739f06e56be0',
}

await onSoftHsm('a KEK in a token', ({ user, kmsOf }) => {
  it.each<[what: string, attributes: { readonly [name: string]: boolean | number }, why: string]>([
    ['can be read', { CKA_SENSITIVE: false }, 'CKA_SENSITIVE'],
    ['can be taken out', { CKA_EXTRACTABLE: true }, 'CKA_EXTRACTABLE'],
    ['serves without a login', { CKA_PRIVATE: false }, 'CKA_PRIVATE'],
    ['may not encrypt', { CKA_ENCRYPT: false }, 'CKA_ENCRYPT'],
    ['may not decrypt', { CKA_DECRYPT: false }, 'CKA_DECRYPT'],
    ['has 16 bytes', { CKA_VALUE_LEN: 16 }, 'CKA_VALUE_LEN'],
  ])('that %s is refused, with the command that makes a right one', async (_, attributes, why) => {
    const keyId = user.createKek(randomUUID(), attributes)
    const error = await refusal(() => kmsOf({ keyId }).generate(identity))
    expect(error.code).toBe('KMS_KEY_UNUSABLE')
    expect(error.message).toContain(why)
    expect(error.message).toContain(
      `--keygen --key-type AES:32 --label "${keyId}" --sensitive --private --usage-decrypt`,
    )
  })

  it('that was made elsewhere is refused, unless that is allowed', async () => {
    user.importKek('imported', randomBytes(32))
    const error = await refusal(() => kmsOf({ keyId: 'imported' }).generate(identity))
    expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('CKA_LOCAL')])
    const kms = kmsOf({ keyId: 'imported', allowImported: true })
    const { dek, ...wrapped } = await kms.generate(identity)
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  })

  it('is refused where several have its name, and found by its CKA_ID', async () => {
    const label = randomUUID()
    for (const id of [1, 2]) user.createKek(label, { CKA_ID: Buffer.from([id]) })
    expect((await refusal(() => kmsOf({ keyId: label }).generate(identity))).message).toMatch(/several keys .* CKA_ID/)
    const kekIds = ['pkcs11:id=%01', `pkcs11:id=%02;object=${label}`].map(async (keyId) => {
      return (await kmsOf({ keyId }).generate(identity)).kekId
    })
    expect(new Set(await Promise.all(kekIds)).size).toBe(2)
  })

  it('that is not there is KMS_KEY_UNUSABLE, and serves once it is', async () => {
    const keyId = randomUUID()
    const kms = kmsOf({ keyId })
    expect((await refusal(() => kms.generate(identity))).message).toContain(`the KEK "${keyId}": the token has no such`)
    user.createKek(keyId)
    expect((await kms.generate(identity)).kekId).toMatch(new RegExp(`^${keyId}#[0-9a-f]{16}$`))
  })

  it('that is deleted and made again under its label is told apart, in the running process too', async () => {
    const keyId = user.createKek()
    const running = kmsOf({ keyId })
    const { dek: _, ...old } = await running.generate(identity)
    user.destroy(keyId)
    user.createKek(keyId)
    for (const kms of [running, kmsOf({ keyId })]) {
      const error = await refusal(() => kms.unwrap(old, identity))
      expect([error.code, error.message]).toEqual(['KMS_KEY_UNUSABLE', expect.stringContaining('made again')])
      expect((await kms.generate(identity)).kekId).not.toBe(old.kekId)
    }
  })

  it('that is renamed stays the same', async () => {
    const keyId = user.createKek()
    const { dek, ...wrapped } = await kmsOf({ keyId }).generate(identity)
    user.rename(keyId, `${keyId} 2`)
    const kms = kmsOf({ keyId: `${keyId} 2` })
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    expect(await kms.rewrap(wrapped, identity)).toEqual(wrapped)
  })

  it('that is missing among former ones keeps no other from opening what is theirs', async () => {
    const keyId = user.createKek()
    const { dek, ...wrapped } = await kmsOf({ keyId }).generate(identity)
    const kms = kmsOf({ formerKeyIds: ['gone', keyId] })
    expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
    expect((await kms.rewrap(wrapped, identity)).kekId).not.toBe(wrapped.kekId)
  })

  it('does what any other AES-256-GCM does, under the AAD of the documents', async () => {
    const key = randomBytes(32)
    user.importKek('known', key)
    const { dek, wrapped, kekId } = await kmsOf({ keyId: 'known', allowImported: true }).generate(identity)
    const body = Buffer.from(wrapped.slice('fsp11.'.length), 'base64url')
    const aad = Buffer.concat(['fieldseal/1 pkcs11', encryptionContext(identity)].map(lengthPrefixed))
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(1, 13)).setAAD(aad)
    decipher.setAuthTag(body.subarray(-16))
    expect(Buffer.concat([decipher.update(body.subarray(13, -16)), decipher.final()])).toEqual(dek)
    const block = createCipheriv('aes-256-ecb', key, null).update('fieldseal kek id', 'latin1')
    expect([body[0], kekId]).toEqual([12, `known#${block.toString('hex', 0, 8)}`])
  })

  it('opens what earlier versions wrapped', async () => {
    user.importKek('frozen', Buffer.alloc(32, 7))
    const kms = kmsOf({ keyId: 'frozen', allowImported: true })
    expect((await kms.unwrap(FROZEN, identity)).toString('hex')).toBe(FROZEN.dek)
  })

  it('encrypts no more messages than NIST SP 800-38D allows', async () => {
    const kms = kmsOf()
    const { kekId } = await kms.generate(identity)
    messageCountOf(`the KEK ${kekId}`).add(2 ** 31 - 10)
    messageCountOf(`the KEK ${kekId}`).add(2 ** 31 - 10)
    const codes: (string | undefined)[] = []
    for (let i = 0; i < 20; i += 1) codes.push(await refusalCode(() => kms.generate(identity)).catch(() => undefined))
    expect(codes.filter(Boolean).length).toBeGreaterThan(0)
    expect(new Set(codes.filter(Boolean))).toEqual(new Set(['KMS_KEY_UNUSABLE']))
  })

  it('passes the trial of a KMS, with values', async () => {
    expect(await probeKms(kmsOf(), 'acme', true)).toEqual([])
  })
})
