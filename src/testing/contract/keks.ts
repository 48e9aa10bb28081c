import assert from 'node:assert/strict'
import type { DekIdentity, WrappedDek } from '../../keys/kms.js'
import type { KmsCapability } from './kmsUnderTest.js'
import { assertBytes, type Cell, dekIdentity, type Section, type Trial } from './trial.js'

const UNUSABLE = ['KMS_KEY_UNUSABLE'] as const
const REFUSED = ['KMS_KEY_UNUSABLE', 'KMS_REFUSED'] as const

/** What opens a wrapped DEK. */
const OPENING: { readonly [name: string]: Opening } = {
  unwrap: { needs: [], run: (trial, wrapped, identity) => trial.kmsOf().unwrap(wrapped, identity) },
  rewrap: { needs: ['rewrap'], run: (trial, wrapped, identity) => trial.kmsOf().rewrap!(wrapped, identity) },
}

interface Opening {
  readonly needs: readonly KmsCapability[]
  readonly run: (trial: Trial, wrapped: WrappedDek, identity: DekIdentity) => Promise<unknown>
}

/** Who can write the keys table, and may use any KEK of the service, gains nothing by it. */
export const keks: Section = {
  title: 'a DEK under',
  cells: [
    ...Object.entries(OPENING).flatMap(([name, { needs, run }]): Cell[] => [
      {
        title: `somebody else's KEK, for the very identity, is KMS_KEY_UNUSABLE (${name})`,
        needs,
        run: async (trial) => {
          const planted = await plant(trial)
          await trial.refused(() => run(trial, planted, PLANTED), UNUSABLE)
        },
      },
      {
        title: `somebody else's KEK is refused where its row claims the tenant's own (${name})`,
        needs,
        run: async (trial) => {
          const { kekId } = await trial.kmsOf().generate(PLANTED)
          const planted = { ...(await plant(trial)), kekId }
          await trial.refused(() => run(trial, planted, PLANTED), REFUSED)
        },
      },
      {
        title: `the tenant's own KEK is refused where its row claims somebody else's, or none (${name})`,
        needs,
        run: async (trial) => {
          const { wrapped, identity } = await trial.prepared()
          const { kekId } = await plant(trial)
          for (const claimed of [kekId, '', 'no such key', `${wrapped.kekId} `, wrapped.kekId.slice(0, -1)])
            await trial.refused(() => run(trial, { ...wrapped, kekId: claimed }, identity), REFUSED)
        },
      },
      {
        title: `somebody else's KEK is refused before any request is sent (${name})`,
        needs: [...needs, 'calls'],
        run: async (trial) => {
          const planted = await plant(trial)
          const { count } = trial.counterpart.calls()
          await trial.refused(() => run(trial, planted, PLANTED), UNUSABLE)
          assert.equal(trial.counterpart.calls().count, count, 'A request was sent.')
        },
      },
    ]),
    {
      title: 'a former KEK opens while that is named, and is moved by a rewrap',
      needs: ['formerKeyIds', 'rewrap'],
      run: async (trial) => {
        const { wrapped, identity, dek } = await trial.prepared()
        const moving = { keyId: trial.other, formerKeyIds: [trial.own] }
        assertBytes(await trial.kmsOf(moving).unwrap(wrapped, identity), dek, 'The DEK under the former KEK')
        const moved = await trial.timely(trial.kmsOf(moving).rewrap!(wrapped, identity))
        assert.notEqual(moved.kekId, wrapped.kekId, 'It is under the same KEK as before.')
        assertBytes(await trial.kmsOf({ keyId: trial.other }).unwrap(moved, identity), dek, 'The moved DEK')
        await trial.refused(() => trial.kmsOf({ keyId: trial.other }).unwrap(wrapped, identity), UNUSABLE)
      },
    },
    {
      title: 'a former KEK of one tenant is none of another tenant',
      needs: ['formerKeyIds', 'keyIdOf'],
      run: async (trial) => {
        const [acme, globex] = [dekIdentity(), dekIdentity({ tenant: 'globex' })]
        const before = trial.kmsOf({ keyId: trial.other })
        const [theirs, ours] = [await before.generate(acme), await before.generate(globex)]
        const formerKeyIds = (tenant: string) => (tenant === 'acme' ? [trial.other] : [])
        const now = () => trial.kmsOf({ formerKeyIds })
        assertBytes(await now().unwrap(theirs, acme), theirs.dek, 'The DEK')
        await trial.refused(() => now().unwrap(ours, globex), UNUSABLE)
      },
    },
    {
      title: 'the KEK of one tenant is refused for another, and each opens its own',
      needs: ['keyIdOf'],
      run: async (trial) => {
        const keyId = (tenant: string) => (tenant === 'globex' ? trial.other : trial.own)
        const [acme, globex] = [dekIdentity(), dekIdentity({ tenant: 'globex' })]
        const each = await Promise.all([acme, globex].map((identity) => trial.kmsOf({ keyId }).generate(identity)))
        assert.notEqual(each[0]!.kekId, each[1]!.kekId, 'Both are under one KEK.')
        assertBytes(await trial.kmsOf({ keyId }).unwrap(each[0]!, acme), each[0]!.dek, 'The DEK of one')
        assertBytes(await trial.kmsOf({ keyId }).unwrap(each[1]!, globex), each[1]!.dek, 'The DEK of the other')
        const planted = await trial.kmsOf({ keyId: trial.other }).generate(acme)
        await trial.refused(() => trial.kmsOf({ keyId }).unwrap(planted, acme), UNUSABLE)
      },
    },
    {
      title: 'the KEK that its tenant has now is what is made, taken over and named',
      needs: ['wrap'],
      run: async (trial) => {
        const { dek, kekId } = await trial.kmsOf().generate(PLANTED)
        const wrapped = await trial.kmsOf().wrap!(dek, PLANTED)
        assert.equal(wrapped.kekId, kekId)
        await trial.refused(() => trial.kmsOf({ keyId: trial.other }).unwrap(wrapped, PLANTED), UNUSABLE)
      },
    },
    {
      title: 'or a value under, somebody else’s KEK: the value is not decrypted',
      needs: ['values'],
      run: async (trial) => {
        const { ciphertext, valueIdentity } = await trial.prepared(trial.kmsOf({ keyId: trial.other }))
        await trial.refused(() => trial.kmsOf().decrypt!(ciphertext, valueIdentity), REFUSED)
      },
    },
    {
      title: 'or a value under, a former KEK: the value is decrypted while that is named',
      needs: ['values', 'formerKeyIds'],
      run: async (trial) => {
        const { ciphertext, valueIdentity, value } = await trial.prepared()
        const moving = { keyId: trial.other, formerKeyIds: [trial.own] }
        assertBytes(await trial.kmsOf(moving).decrypt!(ciphertext, valueIdentity), value, 'The value')
      },
    },
  ],
}

const PLANTED = dekIdentity()

/** A DEK that somebody knows who may use another KEK of the service. */
async function plant(trial: Trial): Promise<WrappedDek> {
  const { dek, ...wrapped } = await trial.timely(trial.kmsOf({ keyId: trial.other }).generate(PLANTED))
  trial.known(dek)
  return Object.freeze(wrapped)
}
