import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { tencentKms } from 'fieldseal/tencent-kms'
import { memoryKeyStore } from 'fieldseal/testing'
import { kms as sdk } from 'tencentcloud-sdk-nodejs-kms/tencentcloud/services/kms/index.js'
import { valueContext } from '../../src/keys/encryptionContext.js'
import { encryptsValues, type Kms, type ValueIdentity, type ValueKms } from '../../src/keys/kms.js'
import { type FailedAttempt, withRetryListener } from '../../src/keys/retries.js'
import { emulatedKms } from '../support/clinic.js'
import { refusal, refusalCode } from '../support/refusal.js'
import { lose, north, south, twoRegions } from './regions.js'

twoRegions()

const KEK = Buffer.alloc(32, 7).toString('base64')
const here: ValueIdentity = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }

function ofValues(kms: Kms): ValueKms {
  if (!encryptsValues(kms)) throw new Error(`${kms.name} encrypts no values`)
  return kms
}

const impatient = { maxRetries: 0, timeout: 2_000 }
const makers: readonly (readonly [name: string, make: () => Kms])[] = [
  ['tencentKms', () => emulatedKms(north)],
  ['localKms', () => localKms({ key: KEK })],
  ['hierarchicalKms over tencentKms', () => hierarchicalKms({ kms: emulatedKms(north) })(memoryKeyStore())],
  ['redundantKms', () => redundantKms({ members: { north: emulatedKms(north), local: localKms({ key: KEK }) } })],
]

describe.each(makers)('%s, values', (_, make) => {
  it('come back as they were, of every length up to 4,096 bytes, each time as another text', async () => {
    const kms = ofValues(make())
    for (const length of [1, 2, 3, 4095, 4096]) {
      const value = randomBytes(length)
      const copy = Buffer.from(value)
      const texts = await Promise.all([1, 2].map(() => kms.encrypt(value, here)))
      expect(value).toEqual(copy)
      expect(texts[0]).not.toBe(texts[1])
      for (const text of texts) expect(await kms.decrypt(text, here)).toEqual(value)
    }
  })

  it('are refused with another tenant, field or digest', async () => {
    const kms = ofValues(make())
    const text = await kms.encrypt(Buffer.from('value'), here)
    for (const change of [{ tenant: 'globex' }, { field: 'User.note' }, { aad: 'other' }]) {
      expect(await refusalCode(() => kms.decrypt(text, { ...here, ...change }))).toBe('KMS_REFUSED')
    }
  })

  it('are refused when anything of the text was changed, and no error holds the value', async () => {
    const kms = ofValues(make())
    const text = await kms.encrypt(Buffer.from('top secret'), here)
    const change = fc.tuple(fc.nat(text.length - 1), fc.integer({ min: 33, max: 126 }))
    await fc.assert(
      fc.asyncProperty(change, async ([at, code]) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
        // The service reads base64, whose last character has bits that belong to no byte.
        if (changed === text || (kms.name === 'tencent' && isSameBase64(changed, text))) return
        const outcome = await kms.decrypt(changed, here).catch((error: unknown) => error)
        // With several members, another one may still have its text.
        if (Buffer.isBuffer(outcome)) {
          expect([kms.name, outcome.toString()]).toEqual(['redundant', 'top secret'])
          return
        }
        expect(['KMS_REFUSED', 'KMS_KEY_UNUSABLE']).toContain((outcome as { code: string }).code)
        expect(String((outcome as Error).message)).not.toContain('top secret')
      }),
      { numRuns: 60 },
    )
  })

  it('refuse a tenant id that their encryption context cannot hold', async () => {
    const long = { ...here, tenant: 'ä'.repeat(500) }
    expect(await refusalCode(() => ofValues(make()).encrypt(Buffer.from('x'), long))).toBe('TENANT_INVALID')
    const text = await ofValues(make()).encrypt(Buffer.from('x'), here)
    expect(await refusalCode(() => ofValues(make()).decrypt(text, long))).toBe('TENANT_INVALID')
  })
})

/** Of the same bytes, and of no character that is none of base64's. */
function isSameBase64(one: string, other: string): boolean {
  const isBase64 = /^[\w+/-]+=*$/.test(one)
  return isBase64 && Buffer.from(one, 'base64').equals(Buffer.from(other, 'base64'))
}

describe('the encryption context of a value', () => {
  it('is canonical JSON with sorted names and texts only, apart from those of DEKs', () => {
    expect(valueContext({ tenant: 'ac"me', field: 'User.apiKey', aad: 'x' })).toBe(
      '{"aad":"x","field":"User.apiKey","purpose":"value","tenant":"ac\\"me"}',
    )
  })

  it('is what the KMS gets, with Encrypt and with Decrypt', async () => {
    const kms = ofValues(emulatedKms(north))
    await kms.decrypt(await kms.encrypt(Buffer.from('x'), here), here)
    expect(north.calls.log.map(({ action, encryptionContext }) => [action, encryptionContext])).toEqual(
      ['Encrypt', 'Decrypt'].map((action) => [action, valueContext(here)]),
    )
  })
})

describe('tencentKms, values', () => {
  it('asks keyId for the tenant, for reading too, and refuses what a key encrypted that it does not name', async () => {
    const other = north.keys.create({ alias: `other-${Date.now()}` }).keyId
    const asked: string[] = []
    const options = { client: new sdk.v20190118.Client(north.clientConfig()) }
    const kms = ofValues(
      tencentKms({
        ...options,
        keyId: (tenant) => {
          asked.push(tenant)
          return tenant === 'acme' ? north.keyId : other
        },
      }),
    )
    const text = await kms.encrypt(Buffer.from('x'), here)
    expect(await kms.decrypt(text, here)).toEqual(Buffer.from('x'))
    expect(asked).toEqual(['acme', 'acme'])
    const forged = await ofValues(tencentKms({ ...options, keyId: other })).encrypt(Buffer.from('x'), here)
    const error = await refusal(() => kms.decrypt(forged, here))
    expect([error.code, error.message]).toEqual(['KMS_REFUSED', expect.stringContaining(`names the key ${other}`)])
  })

  it.each([
    ['no key', { Plaintext: 'eA==' }],
    ['another key', { KeyId: 'another', Plaintext: 'eA==' }],
    ['nothing', { KeyId: 'k' }],
    ['no text', { KeyId: 'k', Plaintext: 7 }],
    ['an empty value', { KeyId: 'k', Plaintext: '' }],
    ['base64 that is not canonical', { KeyId: 'k', Plaintext: 'eB==' }],
    ['a value above 4,096 bytes', { KeyId: 'k', Plaintext: Buffer.alloc(4097).toString('base64') }],
  ])('refuses an answer of Decrypt with %s, without quoting it', async (_, answer) => {
    const client = { GenerateDataKey: async () => ({}), Decrypt: async () => answer }
    const error = await refusal(() => ofValues(tencentKms({ client, keyId: 'k' })).decrypt('blob', here))
    expect(error.code).toBe('KMS_REFUSED')
    expect(error.message).not.toContain('eA==')
  })

  it.each([
    ['no key', { CiphertextBlob: 'b' }],
    ['another key', { KeyId: 'another', CiphertextBlob: 'b' }],
    ['no blob', { KeyId: 'k' }],
    ['an empty blob', { KeyId: 'k', CiphertextBlob: '' }],
  ])('refuses an answer of Encrypt with %s', async (_, answer) => {
    const client = { GenerateDataKey: async () => ({}), Decrypt: async () => ({}), Encrypt: async () => answer }
    const kms = ofValues(tencentKms({ client, keyId: 'k' }))
    expect(await refusalCode(() => kms.encrypt(Buffer.from('x'), here))).toBe('KMS_REFUSED')
  })

  it('refuses a client without Encrypt, and former key ids that are none', async () => {
    const client = { GenerateDataKey: async () => ({}), Decrypt: async () => ({}) }
    const kms = ofValues(tencentKms({ client, keyId: 'k' }))
    expect(await refusalCode(() => kms.encrypt(Buffer.from('x'), here))).toBe('OPTIONS_INVALID')
    for (const formerKeyIds of ['k', [''], [7], {}]) {
      expect(() => tencentKms({ client, keyId: 'k', formerKeyIds: formerKeyIds as never })).toThrow(
        expect.objectContaining({ code: 'OPTIONS_INVALID', message: expect.stringContaining('"formerKeyIds"') }),
      )
    }
  })

  it('encrypts none when DEKs are to come sealed, since a sealed answer has no room for a value', () => {
    expect(encryptsValues(emulatedKms(north, { sealed: true }))).toBe(false)
  })

  it('says of a refused value what it may be, and nothing of DEKs', async () => {
    const kms = ofValues(emulatedKms(north, impatient))
    const text = await kms.encrypt(Buffer.from('x'), here)
    const error = await refusal(() => kms.decrypt(text, { ...here, tenant: 'globex' }))
    expect(error.message).toContain('belongs to another tenant, field or row')
    expect(error.message).not.toContain('DEK')
  })
})

describe('localKms, values', () => {
  it('are not opened by another KEK, which the error names', async () => {
    const text = await ofValues(localKms({ key: KEK })).encrypt(Buffer.from('x'), here)
    const error = await refusal(() =>
      ofValues(localKms({ key: randomBytes(32).toString('base64') })).decrypt(text, here),
    )
    expect([error.code, error.message]).toEqual([
      'KMS_KEY_UNUSABLE',
      expect.stringMatching(/by the KEK "local:[0-9a-f]{16}", and localKms was given the KEK local:/),
    ])
  })
})

describe('redundantKms, values', () => {
  const both = (minimum = 1) =>
    ofValues(
      redundantKms({
        members: { north: emulatedKms(north, impatient), south: emulatedKms(south, impatient) },
        minimum,
      }),
    )
  const membersOf = (text: string) => Object.keys(JSON.parse(text.slice('fsmv1.'.length)))

  it('are encrypted by all members and decrypted by any, the first that answers', async () => {
    const text = await both().encrypt(Buffer.from('x'), here)
    expect(membersOf(text)).toEqual(['north', 'south'])
    expect(await both().decrypt(text, here)).toEqual(Buffer.from('x'))
    expect([north.calls.byAction, south.calls.byAction]).toEqual([{ Encrypt: 1, Decrypt: 1 }, { Encrypt: 1 }])
    lose(north)
    expect(await both().decrypt(text, here)).toEqual(Buffer.from('x'))
    lose(south)
    expect(await refusalCode(() => both().decrypt(text, here))).toBe('KMS_UNAVAILABLE')
  })

  it('are encrypted without a member that is lost, unless "minimum" asks for more', async () => {
    lose(south)
    expect(membersOf(await both().encrypt(Buffer.from('x'), here))).toEqual(['north'])
    expect(await refusalCode(() => both(2).encrypt(Buffer.from('x'), here))).toBe('KMS_UNAVAILABLE')
  })

  it.each(['', 'fsmv1.', 'fsmv1.[]', 'fsmv1.{"north":1}', 'fsmv1.null', 'fsm1.{}', 'other'])(
    'refuses %j, which it has not made',
    async (text) => {
      expect(await refusalCode(() => both().decrypt(text, here))).toBe('KMS_REFUSED')
    },
  )

  it('says which members it would need, and cannot encrypt when one of them cannot', async () => {
    expect(await refusalCode(() => both().decrypt('fsmv1.{"east":"x"}', here))).toBe('KMS_KEY_UNUSABLE')
    const { encrypt: _, ...none } = localKms({ key: KEK })
    expect(encryptsValues(redundantKms({ members: { north: emulatedKms(north), local: none } }))).toBe(false)
  })
})

describe('retries of a call', () => {
  async function told(work: () => Promise<unknown>): Promise<FailedAttempt[]> {
    const failed: FailedAttempt[] = []
    await withRetryListener((one) => failed.push(one), work).catch(() => undefined)
    return failed
  }

  it('are told one by one, with code and reason, to whoever made the call, and to nobody else', async () => {
    const kms = ofValues(emulatedKms(north))
    north.faults.add({ kind: 'error', code: 'RequestLimitExceeded' })
    north.faults.add({ kind: 'hangUp', when: 'before' })
    const [mine, others] = await Promise.all([
      told(() => kms.encrypt(Buffer.from('x'), here)),
      told(async () => undefined),
    ])
    expect(mine).toEqual([
      { attempt: 1, code: 'KMS_THROTTLED', reason: 'RequestLimitExceeded' },
      { attempt: 2, code: 'KMS_UNAVAILABLE', reason: 'socket hang up' },
    ])
    expect(others).toEqual([])
  })

  it('are not told of the last attempt, of a failure that is final, and once where one retry is worth it', async () => {
    const kms = ofValues(emulatedKms(north, { maxRetries: 2 }))
    const attempt = (code: string) => {
      north.faults.clear()
      north.faults.add({ kind: 'error', code, times: 'always' })
      return told(() => kms.encrypt(Buffer.from('x'), here))
    }
    expect((await attempt('InternalError')).map((one) => one.attempt)).toEqual([1, 2])
    expect(await attempt('UnauthorizedOperation')).toEqual([])
    expect((await attempt('AuthFailure.TokenFailure')).map(({ code }) => code)).toEqual(['KMS_DENIED'])
  })
})
