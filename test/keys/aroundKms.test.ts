import { randomBytes, randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { memoryKeyStore } from 'fieldseal/testing'
import { aroundKms } from '../../src/keys/aroundKms.js'
import { withBreaker } from '../../src/keys/breaker.js'
import { DekCache } from '../../src/keys/cache/dekCache.js'
import { KeyRing } from '../../src/keys/keyRing.js'
import type { DekIdentity, Kms, ValueIdentity, ValueKms, WrappedDek } from '../../src/keys/kms.js'
import type { KeyHolder } from '../../src/keys/notifications/keyNotification.js'
import { observedKms } from '../../src/keys/observedKms.js'
import { hierarchicalKms } from '../../src/kms/hierarchical/hierarchicalKms.js'
import { localKms } from '../../src/kms/localKms.js'
import { redundantKms } from '../../src/kms/redundant/redundantKms.js'

/** A `Kms` as users write one: everything is in the prototype, behind getters, and uses `this`. */
class ClassKms implements ValueKms {
  readonly #local = localKms({ key: randomBytes(32).toString('base64') }) as ValueKms &
    Required<Pick<Kms, 'wrap' | 'rewrap'>>
  readonly #calls: string[] = []
  readonly renewed: string[] = []

  get calls(): readonly string[] {
    return this.#calls
  }

  get name() {
    return 'class'
  }

  get reads(): readonly string[] {
    return ['before']
  }

  get concurrency() {
    return 3
  }

  get members(): { readonly [name: string]: Kms } {
    return { only: this.#local }
  }

  get holder(): KeyHolder {
    return {
      renewSoon: (tenant) => this.renewed.push(tenant),
      recheck: async () => undefined,
    }
  }

  generate(identity: DekIdentity) {
    return this.#told('generate').generate(identity)
  }

  unwrap(wrapped: WrappedDek, identity: DekIdentity) {
    return this.#told('unwrap').unwrap(wrapped, identity)
  }

  wrap(dek: Buffer, identity: DekIdentity) {
    return this.#told('wrap').wrap(dek, identity)
  }

  rewrap(wrapped: WrappedDek, identity: DekIdentity) {
    return this.#told('rewrap').rewrap(wrapped, identity)
  }

  encrypt(plaintext: Buffer, identity: ValueIdentity) {
    return this.#told('encrypt').encrypt(plaintext, identity)
  }

  decrypt(ciphertext: string, identity: ValueIdentity) {
    return this.#told('decrypt').decrypt(ciphertext, identity)
  }

  #told(call: string) {
    this.#calls.push(call)
    return this.#local
  }
}

const identity = { key: randomUUID(), purpose: 'encrypt', tenant: 'acme' } as const
const here: ValueIdentity = { aad: 'digest', field: 'User.apiKey', tenant: 'acme' }
const nobody = { emit: () => undefined, around: undefined }

const WRAPPERS: readonly (readonly [name: string, wrap: (kms: Kms) => Kms])[] = [
  ['aroundKms', (kms) => aroundKms(kms, (_, whose, call) => call(whose))],
  ['a circuit breaker', withBreaker],
  ['observation', (kms) => observedKms(kms, nobody)],
  ['both', (kms) => withBreaker(observedKms(kms, nobody))],
]

/** Uses whatever a `Kms` has. */
async function useAll(kms: Kms): Promise<void> {
  const { dek, ...wrapped } = await kms.generate(identity)
  expect(await kms.unwrap(wrapped, identity)).toEqual(dek)
  expect(await kms.unwrap(await kms.wrap!(dek, identity), identity)).toEqual(dek)
  expect(await kms.unwrap(await kms.rewrap!(wrapped, identity), identity)).toEqual(dek)
  const text = await kms.encrypt!(Buffer.from('value'), here)
  expect(await kms.decrypt!(text, here)).toEqual(Buffer.from('value'))
}

describe.each(WRAPPERS)('a Kms that is an instance of a class, inside %s', (_, wrap) => {
  it('keeps every member', async () => {
    const kms = new ClassKms()
    const { name, reads, concurrency, members, holder } = wrap(kms)
    expect([name, reads, concurrency, Object.keys(members ?? {})]).toEqual(['class', ['before'], 3, ['only']])
    holder!.renewSoon('acme')
    expect(kms.renewed).toEqual(['acme'])
    await useAll(wrap(kms))
    expect(new Set(kms.calls)).toEqual(new Set(['generate', 'unwrap', 'wrap', 'rewrap', 'encrypt', 'decrypt']))
  })

  it('has no member that the Kms lacks', () => {
    const local = localKms({ key: randomBytes(32).toString('base64') })
    const bare = wrap({ name: 'bare', generate: local.generate, unwrap: local.unwrap })
    const { reads, concurrency, members, holder, wrap: taking, rewrap, encrypt, decrypt } = bare
    expect([reads, concurrency, members, holder, taking, rewrap, encrypt, decrypt]).toEqual(Array(8).fill(undefined))
  })
})

describe('a Kms that is an instance of a class', () => {
  it('under a hierarchy is told of news, named with what it reads, and encrypts values as it does by itself', async () => {
    const kms = new ClassKms()
    const over = hierarchicalKms({ kms })(memoryKeyStore())
    expect([over.reads, over.concurrency, Object.keys(over.members!)]).toEqual([['class', 'before'], 3, ['only']])
    over.holder!.renewSoon('acme')
    expect(kms.renewed).toEqual(['acme'])
    await useAll(over)
    await over.rewrap!(await kms.generate(identity), identity)
    expect(new Set(kms.calls)).toEqual(new Set(['generate', 'unwrap', 'encrypt', 'decrypt']))
  })

  it('as one of several is told of news, wraps, rewraps and encrypts values', async () => {
    const [one, other] = [new ClassKms(), new ClassKms()]
    const both = redundantKms({ members: { one, other } })
    expect([both.concurrency, Object.keys(both.members!)]).toEqual([3, ['one', 'other']])
    both.holder!.renewSoon('acme')
    expect([one.renewed, other.renewed]).toEqual([['acme'], ['acme']])
    await useAll(both)
    expect(new Set(other.calls)).toEqual(new Set(['wrap', 'unwrap', 'rewrap', 'encrypt']))
  })

  it('serves a key ring, which reads rows of all names that it reads', async () => {
    const [kms, store] = [new ClassKms(), memoryKeyStore()]
    const ring = () => new KeyRing({ kms, store, cache: new DekCache({ ttl: 60_000, max: 10 }), observation: nobody })
    const { id } = await ring().active.get('acme', 'encrypt')
    store.tamper(id, { kms: 'before' })
    expect((await ring().active.get('acme', 'encrypt')).id).toBe(id)
    expect(ring().valueKms.concurrency).toBe(3)
  })
})
