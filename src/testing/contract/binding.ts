import type { DekIdentity, ValueIdentity } from '../../keys/kms.js'
import { type Cell, dekIdentity, newValueIdentity, type Section } from './trial.js'

const OTHER_DEKS: { readonly [what: string]: Partial<DekIdentity> } = {
  'another DEK id': { key: '0f8fad5b-d9cb-469f-a165-70867728950e' },
  'another purpose': { purpose: 'index' },
  'the purpose of intermediate keys': { purpose: 'wrap' },
  'the purpose of trying the KMS': { purpose: 'check' },
  'another tenant': { tenant: 'globex' },
  'the tenant of keys that serve all': { tenant: '*' },
  'a tenant that begins alike': { tenant: 'acme2' },
  'a tenant in other letters': { tenant: 'ACME' },
  'a tenant with what looks like the end of a context': { tenant: 'acme","x":"' },
}

const OTHER_VALUES: { readonly [what: string]: Partial<ValueIdentity> } = {
  'another digest of bound values': { aad: 'A'.repeat(43) },
  'another field': { field: 'User.apiToken' },
  'another tenant': { tenant: 'globex' },
}

/** What is made for one is opened for no other. */
export const binding: Section = {
  title: 'the identity',
  cells: [
    ...Object.entries(OTHER_DEKS).flatMap(([what, part]): Cell[] => [
      {
        title: `of a DEK binds it: it is not unwrapped with ${what}`,
        run: async (trial) => {
          const { wrapped, identity } = await trial.prepared()
          await trial.refused(() => trial.kmsOf().unwrap(wrapped, dekIdentity({ ...identity, ...part })), REFUSED)
        },
      },
      {
        title: `of a DEK binds it: it is not rewrapped with ${what}`,
        needs: ['rewrap'],
        run: async (trial) => {
          const { wrapped, identity } = await trial.prepared()
          await trial.refused(() => trial.kmsOf().rewrap!(wrapped, dekIdentity({ ...identity, ...part })), REFUSED)
        },
      },
    ]),
    {
      title: 'of a DEK that is taken over binds it, too',
      needs: ['wrap'],
      run: async (trial) => {
        const { dek, identity } = await trial.prepared()
        const wrapped = await trial.kmsOf().wrap!(Buffer.from(dek), identity)
        for (const part of Object.values(OTHER_DEKS))
          await trial.refused(() => trial.kmsOf().unwrap(wrapped, dekIdentity({ ...identity, ...part })), REFUSED)
      },
    },
    {
      title: 'binds a DEK after a rewrap as before',
      needs: ['rewrap', 'rotate'],
      run: async (trial) => {
        const { wrapped, identity } = await trial.prepared()
        await trial.counterpart.rotate(trial.own)
        const moved = await trial.kmsOf().rewrap!(wrapped, identity)
        for (const part of Object.values(OTHER_DEKS))
          await trial.refused(() => trial.kmsOf().unwrap(moved, dekIdentity({ ...identity, ...part })), REFUSED)
      },
    },
    ...Object.entries(OTHER_VALUES).map(([what, part]): Cell => {
      return {
        title: `of a value binds it: it is not decrypted with ${what}`,
        needs: ['values'],
        run: async (trial) => {
          const { ciphertext, valueIdentity } = await trial.prepared()
          await trial.refused(
            () => trial.kmsOf().decrypt!(ciphertext, newValueIdentity({ ...valueIdentity, ...part })),
            REFUSED,
          )
        },
      }
    }),
    {
      title: 'keeps DEKs and values apart: neither opens as the other',
      needs: ['values'],
      run: async (trial) => {
        const { wrapped, identity, ciphertext, valueIdentity } = await trial.prepared()
        const codes = ['KMS_REFUSED', 'KMS_KEY_UNUSABLE'] as const
        await trial.refused(() => trial.kmsOf().decrypt!(wrapped.wrapped, valueIdentity), codes)
        await trial.refused(() => trial.kmsOf().unwrap({ ...wrapped, wrapped: ciphertext }, identity), codes)
      },
    },
  ],
}

const REFUSED = ['KMS_REFUSED'] as const
