import { describe, expect, it } from '@jest/globals'
import { ciphertextTraces, type FindCiphertext } from '../../src/keys/ciphertextTraces.js'
import type { MissingKey } from '../../src/keys/keyTraces.js'

const field = { type: 'String', required: true }
const model = (rest: object) => ({ encrypted: { name: field }, ...rest })

/** Looks for a lost key where there are rows of these models, and says which were looked into. */
async function search(models: { readonly [model: string]: object }, { hasKeys }: { readonly hasKeys: boolean }) {
  const seen: string[] = []
  let asked = 0
  const find: FindCiphertext = async ({ model, fields }, { kind }) => {
    seen.push(`${model}.${fields} ${kind}`)
    return null
  }
  const isAnyKeyThere = async () => {
    asked += 1
    return hasKeys
  }
  const key: MissingKey = { tenant: 'acme', purpose: 'encrypt', deks: async () => [], isAnyKeyThere, skipped: () => {} }
  const found = await ciphertextTraces({ format: 4, keysModel: 'Key', models } as never, find)(key)
  return { seen, asked, found }
}

describe('a lost key for values', () => {
  const models = {
    Person: model({ tenant: 'orgId' }),
    Note: model({}),
    Photo: model({}),
    Plain: model({ encrypted: {} }),
  }

  it('is looked for by the tenant column, and without one only while the keys table has no key at all', async () => {
    const all = { seen: ['Person.name column', 'Note.name all', 'Photo.name all'], found: null }
    expect(await search(models, { hasKeys: false })).toMatchObject(all)
    expect(await search(models, { hasKeys: true })).toMatchObject({ seen: ['Person.name column'], found: null })
  })

  it('has the keys table asked once for all models, and not where all have the column', async () => {
    expect((await search(models, { hasKeys: true })).asked).toBe(1)
    expect((await search({ Person: model({ tenant: 'orgId' }) }, { hasKeys: true })).asked).toBe(0)
  })

  it('is not told of by values that the KMS itself encrypts', async () => {
    const direct = { Person: { tenant: 'orgId', encrypted: { card: { ...field, mode: 'kms' }, name: field } } }
    expect((await search(direct, { hasKeys: true })).seen).toEqual(['Person.name column'])
  })
})
