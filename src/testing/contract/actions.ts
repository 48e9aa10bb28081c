import assert from 'node:assert/strict'
import type { Kms } from '../../keys/kms.js'
import type { KmsCapability } from './kmsUnderTest.js'
import { assertBytes, dekIdentity, type Prepared } from './trial.js'

/** Something that a `Kms` does, and that its answer is right. */
export interface Action {
  readonly needs: readonly KmsCapability[]
  readonly run: (kms: Kms, prepared: Prepared) => Promise<void>
}

/** All that a `Kms` can be asked for. */
export const ACTIONS: { readonly [name: string]: Action } = {
  generate: {
    needs: [],
    run: async (kms) => {
      const { dek, wrapped, kekId } = await kms.generate(dekIdentity())
      assert.equal(dek.length, 32, 'The DEK is not 32 bytes.')
      assertText(wrapped)
      assertText(kekId)
    },
  },
  unwrap: {
    needs: [],
    run: async (kms, { wrapped, identity, dek }) => assertBytes(await kms.unwrap(wrapped, identity), dek, 'The DEK'),
  },
  wrap: {
    needs: ['wrap'],
    run: async (kms, { dek, identity }) => {
      const wrapped = await kms.wrap!(dek, identity)
      assertText(wrapped.wrapped)
      assertText(wrapped.kekId)
    },
  },
  rewrap: {
    needs: ['rewrap'],
    run: async (kms, { wrapped, identity }) => assertText((await kms.rewrap!(wrapped, identity)).wrapped),
  },
  encrypt: {
    needs: ['values'],
    run: async (kms, { value, valueIdentity }) => assertText(await kms.encrypt!(value, valueIdentity)),
  },
  decrypt: {
    needs: ['values'],
    run: async (kms, { ciphertext, valueIdentity, value }) =>
      assertBytes(await kms.decrypt!(ciphertext, valueIdentity), value, 'The value'),
  },
}

function assertText(text: unknown): void {
  assert.ok(typeof text === 'string' && text !== '', 'A text is missing in the answer.')
}
