import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import type { VaultKms } from 'fieldseal/vault'
import type { FieldsealError } from '../../../src/errors.js'
import type { DekIdentity, WrappedDek } from '../../../src/keys/kms.js'
import type { Fetch } from '../../../src/kms/vault/httpClient.js'
import { refusal } from '../../support/refusal.js'
import { connect, identity, startEmulator } from './start.js'

interface Dek {
  readonly identity: DekIdentity
  readonly wrapped: WrappedDek
}

async function deksOf(kms: VaultKms, count: number): Promise<Dek[]> {
  const identities = Array.from({ length: count }, () => identity())
  return Promise.all(identities.map(async (each) => ({ identity: each, wrapped: await kms.generate(each) })))
}

function errorsOf(outcomes: readonly PromiseSettledResult<unknown>[]): FieldsealError[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as FieldsealError] : []))
}

const cutOff = () =>
  Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNRESET' }) }))

/** `fetch`, but for requests of transit with one of these texts in them. */
function fetchBut(instead: (url: string, body: string) => Promise<Response> | undefined) {
  const asked: string[] = []
  const special: Fetch = (url, init) => {
    const body = typeof init.body === 'string' ? init.body : ''
    if (body.includes('batch_input')) asked.push(url)
    return instead(url, body) ?? fetch(url, init)
  }
  return { asked, fetch: special }
}

describe('a batch whose connection is cut', () => {
  it('because of one item fails that one, and no other', async () => {
    const emulator = await startEmulator()
    const deks = await deksOf(connect(emulator), 20)
    const [bad] = deks
    const { fetch } = fetchBut((_url, body) => (body.includes(bad!.wrapped.wrapped) ? cutOff() : undefined))
    const kms = connect(emulator, { fetch, maxRetries: 1 })
    const outcomes = await Promise.allSettled(deks.map((each) => kms.unwrap(each.wrapped, each.identity)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...Array(19).fill('fulfilled')])
    expect(errorsOf(outcomes)[0]).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('ECONNRESET'),
    })
  })

  it('because of the network makes two requests more than its retries', async () => {
    const emulator = await startEmulator()
    const deks = await deksOf(connect(emulator), 20)
    const { asked, fetch } = fetchBut((_url, body) => (body.includes('batch_input') ? cutOff() : undefined))
    const kms = connect(emulator, { fetch, maxRetries: 1 })
    const outcomes = await Promise.allSettled(deks.map((each) => kms.unwrap(each.wrapped, each.identity)))
    expect(new Set(errorsOf(outcomes)).size).toBe(20)
    expect(asked).toHaveLength(4)
  })
})

describe('the errors of a batch', () => {
  it('are each somebody’s own, also where many halves fail alike', async () => {
    const emulator = await startEmulator()
    const deks = await deksOf(connect(emulator), 8)
    const refused = () => Promise.resolve(Response.json({ errors: ['invalid ciphertext: no prefix'] }, { status: 400 }))
    const { fetch } = fetchBut((url) => (url.includes('/rewrap/') ? refused() : undefined))
    const denied = () => Promise.resolve(Response.json({ errors: ['permission denied'] }, { status: 403 }))
    const { fetch: denying } = fetchBut((url) => (url.includes('/keys/') ? denied() : undefined))
    for (const kms of [connect(emulator, { fetch }), connect(emulator, { fetch: denying })]) {
      const errors = errorsOf(await Promise.allSettled(deks.map((each) => kms.rewrap!(each.wrapped, each.identity))))
      expect([new Set(errors).size, new Set(errors.map(({ cause }) => cause)).size]).toEqual([8, 8])
    }
  })
})

describe('timeout', () => {
  it('is that of all halves of a batch together', async () => {
    const emulator = await startEmulator()
    const deks = await deksOf(connect(emulator), 64)
    const { fetch } = fetchBut((url, body) =>
      url.includes('/rewrap/') && body.includes(deks[0]!.wrapped.wrapped)
        ? setTimeout(500).then(() => Response.json({ errors: ['invalid ciphertext'] }, { status: 400 }))
        : undefined,
    )
    const kms = connect(emulator, { fetch, timeout: 1_200, attemptTimeout: 1_200 })
    const began = performance.now()
    const outcomes = await Promise.allSettled(deks.map((each) => kms.rewrap!(each.wrapped, each.identity)))
    expect(performance.now() - began).toBeLessThan(2_800)
    expect(errorsOf(outcomes)[0]).toMatchObject({
      code: 'KMS_UNAVAILABLE',
      message: expect.stringContaining('given up after 1200 ms'),
    })
  })

  it('is that of the keyId function, the look at the key and the request together', async () => {
    const emulator = await startEmulator()
    const slow: Fetch = async (url, init) => {
      await setTimeout(900)
      return fetch(url, init)
    }
    const keyId = () => setTimeout(900).then(() => 'fieldseal')
    const kms = connect(emulator, { fetch: slow, keyId, timeout: 1_500, attemptTimeout: 1_500 })
    const began = performance.now()
    const error = await refusal(() => kms.generate(identity()))
    expect(performance.now() - began).toBeLessThan(2_400)
    expect(error).toMatchObject({ code: 'KMS_UNAVAILABLE', message: expect.stringMatching(/^Vault, read with key/) })
  })
})
