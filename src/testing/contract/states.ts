import assert from 'node:assert/strict'
import { ACTIONS } from './actions.js'
import type { KmsCapability } from './kmsUnderTest.js'
import { assertBytes, type Cell, type Section, type Trial } from './trial.js'

interface State {
  readonly needs: readonly KmsCapability[]
  readonly begin: (trial: Trial) => Promise<unknown>
  readonly usable: boolean
}

const ENABLED: State = { needs: [], begin: async () => undefined, usable: true }

/** The states that a KEK can be in, and whether it can be used then. */
const STATES: { readonly [state: string]: State } = {
  'an enabled KEK': ENABLED,
  'a rotated KEK': { needs: ['rotate'], begin: async ({ counterpart, own }) => counterpart.rotate(own), usable: true },
  'a disabled KEK': {
    needs: ['disable'],
    begin: async ({ counterpart, own }) => counterpart.disable(own),
    usable: false,
  },
  'a KEK that is enabled again': {
    needs: ['disable'],
    begin: async ({ counterpart, own }) => {
      await counterpart.disable(own)
      await counterpart.enable(own)
    },
    usable: true,
  },
  'a KEK whose deletion is scheduled': {
    needs: ['scheduleDeletion'],
    begin: async ({ counterpart, own }) => counterpart.scheduleDeletion(own),
    usable: false,
  },
  'a destroyed KEK': {
    needs: ['destroy'],
    begin: async ({ counterpart, own }) => counterpart.destroy(own),
    usable: false,
  },
}

/** Each state of a KEK, met by each action. */
export const states: Section = {
  title: 'with',
  cells: [
    ...Object.entries(STATES).flatMap(([state, { needs, begin, usable }]) =>
      Object.entries(ACTIONS).map(([name, action]): Cell => {
        return {
          title: usable ? `${state}, ${name} works` : `${state}, ${name} is KMS_KEY_UNUSABLE`,
          needs: [...needs, ...action.needs],
          run: async (trial) => {
            const prepared = await trial.prepared()
            await begin(trial)
            const act = () => action.run(trial.kmsOf(), prepared)
            if (usable) await trial.timely(act())
            else await trial.refused(act, ['KMS_KEY_UNUSABLE'])
          },
        }
      }),
    ),
    {
      title: 'a rotated KEK, a rewrap gives another text with the same DEK, once',
      needs: ['rotate', 'rewrap'],
      run: async (trial) => {
        const { wrapped, identity, dek } = await trial.prepared()
        await trial.counterpart.rotate(trial.own)
        const moved = await trial.timely(trial.kmsOf().rewrap!(wrapped, identity))
        assert.notEqual(moved.wrapped, wrapped.wrapped, 'It is under the older version still.')
        assertBytes(await trial.kmsOf().unwrap(moved, identity), dek, 'The rewrapped DEK')
        assertBytes(await trial.kmsOf().unwrap(wrapped, identity), dek, 'The DEK under the older version')
        assert.equal((await trial.kmsOf().rewrap!(moved, identity)).wrapped, moved.wrapped, 'It was moved again.')
      },
    },
    {
      title: "a disabled KEK of one tenant, another tenant's works",
      needs: ['disable', 'keyIdOf'],
      run: async (trial) => {
        const keyId = (tenant: string) => (tenant === 'globex' ? trial.other : trial.own)
        const prepared = await trial.prepared(trial.kmsOf({ keyId }))
        await trial.counterpart.disable(trial.other)
        await trial.timely(ACTIONS.unwrap!.run(trial.kmsOf({ keyId }), prepared))
        await trial.timely(ACTIONS.generate!.run(trial.kmsOf({ keyId }), prepared))
      },
    },
  ],
}
