import { describe, expect, it } from '@jest/globals'
import type { Call } from '../../../src/kms/call/kmsCall.js'
import { TransitKeyIds } from '../../../src/kms/vault/transitKeyId.js'
import { TransitKeys } from '../../../src/kms/vault/transitKeys.js'

const RIGHT = { type: 'aes256-gcm96', derived: true, exportable: false, allow_plaintext_backup: false }
const once: Call = (_target, work) => work((attempt) => attempt(new AbortController().signal))

describe('what is known of transit keys', () => {
  it('has an end: of very many keys, those that were not used for longest are looked at again', async () => {
    const asked: string[] = []
    const send = async ({ path }: { path: string }) => {
      asked.push(path)
      return { status: 200, body: { data: RIGHT } }
    }
    const keys = new TransitKeys({ call: once, send, ids: new TransitKeyIds({ mount: 'transit', namespace: '' }) })
    const ends = performance.now() + 60_000
    const look = (i: number) => keys.expectRight(`transit/key-${i}`, ends)
    for (let i = 0; i < 10_000; i += 1) await look(i)
    await look(0)
    expect(asked).toHaveLength(10_000)
    await look(10_000)
    asked.length = 0
    await look(0)
    await look(1)
    expect(asked).toEqual(['transit/keys/key-1'])
  })
})
