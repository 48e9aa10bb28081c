import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { TransitKeySettings, VaultEmulatorOptions } from 'fieldseal/testing'
import { encryptionContext } from '../../../src/keys/encryptionContext.js'
import type { DekIdentity, Kms, WrappedDek } from '../../../src/keys/kms.js'
import { probeKms } from '../../../src/keys/kmsProbe.js'
import { refusal } from '../../support/refusal.js'
import { connect, identity, start, startEmulator, valueIdentity } from './start.js'

interface Made {
  readonly who: DekIdentity
  readonly dek: Buffer
  readonly wrapped: WrappedDek
}

async function make(kms: Kms, tenants: number): Promise<Made[]> {
  const all = Array.from({ length: tenants }, (_, i) => identity(`tenant-${i}`))
  return Promise.all(
    all.map(async (who) => {
      const { dek, ...wrapped } = await kms.generate(who)
      return { who, dek, wrapped }
    }),
  )
}

function outcomesOf(kms: Kms, made: readonly Made[]) {
  return Promise.allSettled(made.map(({ wrapped, who }) => kms.unwrap(wrapped, who)))
}

describe('vaultKms', () => {
  it('names the KEK by its whole path, and has Vault derive from the encryption context', async () => {
    const { emulator, kms } = await start()
    const who = identity()
    const { wrapped, kekId } = await kms.generate(who)
    expect(kekId).toBe('transit/fieldseal')
    expect(wrapped).toMatch(/^vault:v1:[A-Za-z0-9+/]+=*$/)
    expect(emulator.calls.log.at(-1)).toMatchObject({
      action: 'datakey',
      keyId: 'transit/fieldseal',
      encryptionContext: encryptionContext(who),
      result: 'ok',
    })
  })

  it('takes no text that Vault itself would take in another form', async () => {
    const { emulator, kms } = await start()
    const [{ who, wrapped }] = (await make(kms, 1)) as [Made]
    const before = emulator.calls.count()
    const payload = wrapped.wrapped.slice('vault:v1:'.length)
    for (const text of [`vault:v01:${payload}`, `vault:v0:${payload}`, `vault:v+1:${payload}`, `VAULT:v1:${payload}`])
      expect(await refusal(() => kms.unwrap({ ...wrapped, wrapped: text }, who))).toMatchObject({ code: 'KMS_REFUSED' })
    expect(emulator.calls.count()).toBe(before)
  })

  it('is found good by a trial with the least of policies, values included', async () => {
    const { kms } = await start()
    expect(await probeKms(kms, 'acme', true)).toEqual([])
  })
})

describe('vaultKms, many cold tenants', () => {
  it('asks once for a hundred', async () => {
    const { emulator, kms } = await start()
    const made = await make(kms, 1_000)
    emulator.calls.reset()
    const outcomes = await outcomesOf(connect(emulator), made)
    expect(outcomes.every((each, i) => each.status === 'fulfilled' && each.value.equals(made[i]!.dek))).toBe(true)
    expect(emulator.calls.byAction).toEqual({ 'keys/read': 1, decrypt: 10 })
  })

  it.each(['vault', 'openbao'] as const)('does not let one that is wrong fail the others (%s)', async (product) => {
    const { kms } = await start({}, { product })
    const made = await make(kms, 100)
    const swapped = made.map((each, i) => (i === 7 || i === 8 ? { ...each, wrapped: made[15 - i]!.wrapped } : each))
    const outcomes = await outcomesOf(kms, swapped)
    expect(outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([7, 8])
    expect(await refusal(() => kms.unwrap(swapped[7]!.wrapped, swapped[7]!.who))).toMatchObject({
      code: 'KMS_REFUSED',
      message: expect.stringContaining('message authentication failed'),
    })
  })

  it('tells each of all that fail', async () => {
    const { kms } = await start()
    const made = await make(kms, 3)
    const outcomes = await outcomesOf(
      kms,
      made.map((each, i) => ({ ...each, who: made[(i + 1) % 3]!.who })),
    )
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KMS_REFUSED' } })
  })

  it('asks again for the whole request when Vault is busy, and tells all when that does not end', async () => {
    const { emulator, kms } = await start({ maxRetries: 1 })
    const made = await make(kms, 100)
    emulator.calls.reset()
    emulator.faults.add({ kind: 'error', code: 'rate limit quota exceeded', times: 1 })
    expect((await outcomesOf(kms, made)).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(emulator.calls.count('decrypt')).toBe(2)
    emulator.faults.add({ kind: 'error', code: 'rate limit quota exceeded', times: 'always' })
    for (const outcome of await outcomesOf(kms, made))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'KMS_THROTTLED' } })
  })

  it('rewraps a hundred at once, and finds the one that Vault gives up on all for', async () => {
    const { emulator, kms } = await start()
    const made = await make(kms, 100)
    emulator.keys.rotate('transit/fieldseal')
    const wrong = made.map((each, i) => (i === 42 ? { ...each, who: identity('somebody') } : each))
    emulator.calls.reset()
    const outcomes = await Promise.allSettled(wrong.map(({ wrapped, who }) => kms.rewrap!(wrapped, who)))
    expect(outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([42])
    expect(outcomes[42]).toMatchObject({ reason: { code: 'KMS_REFUSED' } })
    expect(emulator.calls.count('rewrap')).toBeLessThan(16)
    const [moved] = outcomes.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    expect(moved!.wrapped).toMatch(/^vault:v2:/)
    expect((await kms.unwrap(moved!, made[0]!.who)).equals(made[0]!.dek)).toBe(true)
  })

  it('keeps KEKs apart: one request for each of them', async () => {
    const keys = { 'transit/a': { derived: true }, 'transit/b': { derived: true } }
    const emulator = await startEmulator({ keys })
    const keyId = (tenant: string) => (Number(tenant.slice(-1)) % 2 === 0 ? 'a' : 'b')
    const kms = connect(emulator, { keyId, token: emulator.rootToken })
    const made = await make(kms, 40)
    emulator.calls.reset()
    expect((await outcomesOf(kms, made)).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(emulator.calls.count('decrypt')).toBe(2)
    expect(new Set(emulator.calls.log.map(({ keyId }) => keyId))).toEqual(new Set(['transit/a', 'transit/b']))
  })

  it('refuses an answer about fewer, or with the answers of others', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    const made = await make(kms, 3)
    const results = (change: (list: object[]) => object[]) => (answer: string) => {
      const json = JSON.parse(answer) as { data: { batch_results: object[] } }
      return JSON.stringify({ ...json, data: { batch_results: change(json.data.batch_results) } })
    }
    for (const change of [(list: object[]) => list.slice(1), (list: object[]) => [...list].reverse()]) {
      emulator.faults.add({ kind: 'body', body: results(change) })
      const refused = (await outcomesOf(kms, made)).filter(({ status }) => status === 'rejected')
      expect(refused.length).toBeGreaterThanOrEqual(2)
      for (const each of refused) expect(each).toMatchObject({ reason: { code: 'KMS_REFUSED' } })
    }
  })
})

describe('vaultKms, a transit key', () => {
  const wrongs: readonly (readonly [string, TransitKeySettings])[] = [
    ['is not derived', {}],
    ['is exportable', { derived: true, exportable: true }],
    ['allows plaintext backups', { derived: true, allow_plaintext_backup: true }],
    ['encrypts convergently', { derived: true, convergent_encryption: true }],
    ['is not of the type aes256-gcm96', { derived: true, type: 'aes128-gcm96' }],
  ]

  it.each(wrongs)(
    'that %s is refused at its first use, with the command that makes a right one',
    async (why, settings) => {
      const { emulator, kms } = await start({}, { keys: { 'transit/fieldseal': settings } })
      const [wrapped, who] = [
        { wrapped: `vault:v1:${randomBytes(60).toString('base64')}`, kekId: 'transit/fieldseal' },
        identity(),
      ]
      const works = [
        () => kms.generate(who),
        () => kms.unwrap(wrapped, who),
        () => kms.wrap!(randomBytes(32), who),
        () => kms.rewrap!(wrapped, who),
        () => kms.encrypt!(randomBytes(8), valueIdentity()),
      ]
      for (const work of works) {
        expect(await refusal(work)).toMatchObject({
          code: 'KMS_KEY_UNUSABLE',
          message: expect.stringContaining(why),
        })
      }
      const { message } = await refusal(works[0]!)
      expect(message).toContain('vault write -f transit/keys/NAME type=aes256-gcm96 derived=true')
      expect(Object.keys(emulator.calls.byAction)).toEqual(['keys/read'])
      expect((await probeKms(kms, 'acme', false)).map(({ error }) => error.code)).toEqual(['KMS_KEY_UNUSABLE'])
    },
  )

  it('is looked at once for everybody', async () => {
    const { emulator, kms } = await start()
    await make(kms, 50)
    await make(kms, 50)
    expect(emulator.calls.count('keys/read')).toBe(1)
  })

  it('that is not there is not made by using it', async () => {
    const emulator = await startEmulator()
    const kms = connect(emulator, { token: emulator.rootToken, keyId: 'forgotten' })
    for (const work of [() => kms.generate(identity()), () => kms.wrap!(randomBytes(32), identity())])
      expect(await refusal(work)).toMatchObject({
        code: 'KMS_KEY_UNUSABLE',
        message: expect.stringContaining('correct keyId'),
      })
    expect(emulator.keys.paths).toEqual(['transit/fieldseal'])
  })

  it('whose old versions are disallowed, or trimmed, is unusable for what is under them', async () => {
    const { emulator, kms } = await start()
    const [{ wrapped, who }] = (await make(kms, 1)) as [Made]
    emulator.keys.rotate('transit/fieldseal')
    emulator.keys.configure('transit/fieldseal', { min_decryption_version: 2, min_encryption_version: 2 })
    for (const work of [() => kms.unwrap(wrapped, who), () => kms.rewrap!(wrapped, who)])
      expect(await refusal(work)).toMatchObject({
        code: 'KMS_KEY_UNUSABLE',
        message: expect.stringContaining('min_decryption_version'),
      })
    emulator.keys.trim('transit/fieldseal', 2)
    expect(await refusal(() => kms.unwrap(wrapped, who))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
    await kms.generate(who)
  })

  it('under its newest version is what a rewrap gives back as it was', async () => {
    const { emulator, kms } = await start()
    const [{ wrapped, who }] = (await make(kms, 1)) as [Made]
    expect(await kms.rewrap!(wrapped, who)).toBe(wrapped)
    emulator.keys.rotate('transit/fieldseal')
    const moved = await kms.rewrap!(wrapped, who)
    expect(moved.wrapped).toMatch(/^vault:v2:/)
    expect(await kms.rewrap!(moved, who)).toBe(moved)
  })
})

describe('vaultKms, mounts and namespaces', () => {
  const settings = { derived: true }
  const world: VaultEmulatorOptions = {
    namespaces: ['team-a', 'team-a/app', 'team-b'],
    mounts: ['team-a/transit', 'team-a/app/kms', 'team-b/transit', 'byok/customer'],
    keys: {
      'team-a/transit/k': settings,
      'team-a/app/kms/k': settings,
      'team-b/transit/k': settings,
      'byok/customer/k': settings,
    },
  }

  it('name one key in one way, whichever part of its path the header has', async () => {
    const emulator = await startEmulator(world)
    const token = emulator.rootToken
    const who = identity()
    const inside = connect(emulator, { token, namespace: 'team-a/', keyId: 'k' })
    const outside = connect(emulator, { token, keyId: 'team-a/transit/k' })
    const { dek, ...wrapped } = await inside.generate(who)
    expect(wrapped.kekId).toBe('team-a/transit/k')
    expect((await outside.unwrap(wrapped, who)).equals(dek)).toBe(true)
  })

  it('below that of the client are reached by mount/name, and former ones too', async () => {
    const emulator = await startEmulator(world)
    const options = { token: emulator.rootToken, namespace: 'team-a' }
    const who = identity()
    const before = await connect(emulator, { ...options, keyId: 'k' }).generate(who)
    const kms = connect(emulator, { ...options, keyId: 'app/kms/k', formerKeyIds: ['k'] })
    expect((await kms.unwrap(before, who)).equals(before.dek)).toBe(true)
    const moved = await kms.rewrap!(before, who)
    expect(moved.kekId).toBe('team-a/app/kms/k')
    expect((await kms.unwrap(moved, who)).equals(before.dek)).toBe(true)
  })

  it('do not let the row of one open under the same name in another', async () => {
    const emulator = await startEmulator(world)
    const token = emulator.rootToken
    const planted = await connect(emulator, { token, namespace: 'team-b', keyId: 'k' }).generate(identity())
    const kms = connect(emulator, { token, namespace: 'team-a', keyId: 'k' })
    expect(await refusal(() => kms.unwrap(planted, identity()))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
  })

  it('give each customer a key of their own, in a mount of their own', async () => {
    const emulator = await startEmulator(world)
    const keyId = (tenant: string) => (tenant === 'customer' ? 'byok/customer/k' : 'team-a/transit/k')
    const kms = connect(emulator, { token: emulator.rootToken, keyId })
    expect((await kms.generate(identity('customer'))).kekId).toBe('byok/customer/k')
    emulator.keys.configure('byok/customer/k', { deletion_allowed: true })
    emulator.keys.delete('byok/customer/k')
    await kms.generate(identity('other'))
    expect(await refusal(() => kms.generate(identity('customer')))).toMatchObject({ code: 'KMS_KEY_UNUSABLE' })
  })
})

describe('vaultKms, values', () => {
  it('go together as well, and name their key', async () => {
    const { emulator, kms } = await start()
    const values = Array.from({ length: 100 }, () => randomBytes(40))
    const who = valueIdentity()
    const ciphertexts = await Promise.all(values.map((value) => kms.encrypt!(value, who)))
    const opened = await Promise.all(ciphertexts.map((ciphertext) => kms.decrypt!(ciphertext, who)))
    expect(opened.every((value, i) => value.equals(values[i]!))).toBe(true)
    expect(ciphertexts[0]).toMatch(/^transit\/fieldseal:vault:v1:/)
    expect(emulator.calls.byAction).toEqual({ 'keys/read': 1, encrypt: 1, decrypt: 1 })
    expect(kms.concurrency).toBe(2_000)
  })
})
