import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
import { localKms } from 'fieldseal/local-kms'
import { redundantKms } from 'fieldseal/redundant-kms'
import { type MemoryKeyStore, memoryKeyStore } from 'fieldseal/testing'
import type { DekIdentity, Kms } from '../../../src/keys/kms.js'
import { rewrap } from '../../../src/maintenance/keys/rewrap.js'
import { identity, start } from './start.js'

const local = () => localKms({ key: randomBytes(32).toString('base64') })

async function insert(store: MemoryKeyStore, whose: DekIdentity, kms: Kms): Promise<Buffer> {
  const { dek, ...made } = await kms.generate(whose)
  const row = { id: whose.key, tenant: whose.tenant, purpose: 'encrypt', kms: kms.name, ...made } as const
  await store.insert({ ...row, version: 1, state: 'active', messages: 0 })
  return dek
}

/** The DEK of the one row. */
async function opened(store: MemoryKeyStore, kms: Kms, whose: DekIdentity): Promise<Buffer> {
  const { wrapped, kekId, kms: name } = store.rows[0]!
  return kms.unwrap({ wrapped: wrapped!, kekId, kms: name }, whose)
}

describe('azureKms, with others', () => {
  it('takes DEKs over from another KMS by a rewrap, moves them to a newer version, and gives them away again', async () => {
    const { emulator, kms } = await start()
    const [store, whose, before, after] = [memoryKeyStore(), identity(), local(), local()]
    const dek = await insert(store, whose, before)
    expect(await rewrap(kms, store, { from: before })).toMatchObject({ changed: 1, failed: [] })
    expect(store.rows[0]).toMatchObject({ kms: 'azure', kekId: expect.stringContaining(emulator.keyId) })
    expect(await opened(store, kms, whose)).toEqual(dek)
    expect(await rewrap(kms, store)).toMatchObject({ changed: 0, failed: [] })
    emulator.keys.rotate('fieldseal')
    expect(await rewrap(kms, store)).toMatchObject({ changed: 1, failed: [] })
    expect(store.rows[0]!.kekId).toBe(`${emulator.keyId}/${emulator.keys.version('fieldseal').version}`)
    expect(await opened(store, kms, whose)).toEqual(dek)
    expect(await rewrap(after, store, { from: kms })).toMatchObject({ changed: 1, failed: [] })
    expect(await opened(store, after, whose)).toEqual(dek)
  })

  it('is a member of redundantKms, which goes on without it', async () => {
    const { emulator, kms } = await start({ maxRetries: 0 })
    const other = local()
    const both = redundantKms({ members: { azure: kms, local: other } })
    const whose = identity()
    const { dek, ...wrapped } = await both.generate(whose)
    expect(await both.unwrap(wrapped, whose)).toEqual(dek)
    emulator.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
    expect(await both.unwrap(wrapped, whose)).toEqual(dek)
  })

  it('wraps the intermediate keys of hierarchicalKms', async () => {
    const { emulator, kms } = await start()
    const store = memoryKeyStore()
    const whose = Array.from({ length: 20 }, (_, number) => identity(`tenant-${number}`))
    const made = await Promise.all(whose.map((each) => hierarchicalKms({ kms, shards: 2 })(store).generate(each)))
    const cold = hierarchicalKms({ kms, shards: 2 })(store)
    emulator.calls.reset()
    for (const [at, { dek, ...wrapped }] of made.entries()) expect(await cold.unwrap(wrapped, whose[at]!)).toEqual(dek)
    expect(emulator.calls.count('decrypt')).toBe(2)
  })
})
