import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import type { VaultEmulator } from 'fieldseal/testing'
import nodeVault from 'node-vault'
import { refusal } from '../../support/refusal.js'
import { connect, identity, startEmulator } from './start.js'

function clientOf({ url, token, ca }: VaultEmulator, options: nodeVault.VaultOptions = {}) {
  return nodeVault({ endpoint: url, token, ...(ca !== undefined && { requestOptions: { ca } }), ...options })
}

describe('vaultKms over node-vault', () => {
  it('does all that it does, over TLS, with the token that the client has', async () => {
    const emulator = await startEmulator({ tls: true })
    const kms = connect(emulator, { client: clientOf(emulator) })
    const who = identity()
    const { dek, ...wrapped } = await kms.generate(who)
    expect((await kms.unwrap(wrapped, who)).equals(dek)).toBe(true)
    emulator.keys.rotate('transit/fieldseal')
    const moved = await kms.rewrap!(wrapped, who)
    expect((await kms.unwrap(moved, who)).equals(dek)).toBe(true)
    const taken = await kms.wrap!(dek, who)
    expect((await kms.unwrap(taken, who)).equals(dek)).toBe(true)
  })

  it('asks once for a hundred, and fails none for another, though the client throws for such an answer', async () => {
    const emulator = await startEmulator()
    const kms = connect(emulator, { client: clientOf(emulator) })
    const all = Array.from({ length: 100 }, (_, i) => identity(`t-${i}`))
    const made = await Promise.all(all.map((who) => kms.generate(who)))
    emulator.calls.reset()
    const wrong = all.map((who, i) => (i === 3 ? identity('somebody') : who))
    const outcomes = await Promise.allSettled(made.map((each, i) => kms.unwrap(each, wrong[i]!)))
    expect(outcomes.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []))).toEqual([3])
    expect(emulator.calls.byAction).toEqual({ decrypt: 1 })
    const none = await Promise.allSettled(made.map((each) => kms.unwrap(each, identity('somebody'))))
    for (const outcome of none) expect(outcome).toMatchObject({ reason: { code: 'KMS_REFUSED' } })
  })

  it('takes the namespace of the client', async () => {
    const emulator = await startEmulator({
      namespaces: ['team-a'],
      mounts: ['team-a/transit'],
      keys: { 'team-a/transit/k': { derived: true } },
    })
    const client = clientOf(emulator, { namespace: 'team-a', token: emulator.rootToken })
    expect((await connect(emulator, { client, keyId: 'k' }).generate(identity())).kekId).toBe('team-a/transit/k')
  })

  it('shows nothing of what the client throws: its errors hold requests and answers', async () => {
    const emulator = await startEmulator()
    const kms = connect(emulator, { client: clientOf(emulator), maxRetries: 0 })
    await kms.generate(identity())
    const dek = randomBytes(32)
    for (const fault of [
      { kind: 'status', status: 500 },
      { kind: 'hangUp', when: 'before' },
      { kind: 'truncate' },
    ] as const) {
      emulator.faults.add(fault)
      const error = await refusal(() => kms.wrap!(dek, identity()))
      const shown = inspect(error, { depth: 12, showHidden: true })
      expect(shown).not.toContain(dek.toString('base64'))
      expect(shown).not.toContain(emulator.token)
    }
  })

  it('has the client end what takes too long', async () => {
    const emulator = await startEmulator()
    const kms = connect(emulator, { client: clientOf(emulator), timeout: 300, maxRetries: 0 })
    emulator.faults.add({ kind: 'hold' })
    expect(await refusal(() => kms.generate(identity()))).toMatchObject({ code: 'KMS_UNAVAILABLE' })
    await emulator.calls.until(({ inFlight }) => inFlight === 0)
  })
})
