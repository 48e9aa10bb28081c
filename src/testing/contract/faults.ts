import assert from 'node:assert/strict'
import type { ErrorCode } from '../../errors.js'
import { ACTIONS } from './actions.js'
import type { KmsCapability, KmsSetting } from './kmsUnderTest.js'
import { type Cell, dekIdentity, type Section, type Trial } from './trial.js'

interface Trouble {
  readonly needs: readonly KmsCapability[]
  readonly begin: (trial: Trial) => unknown
  readonly codes: readonly ErrorCode[]
  readonly setting: KmsSetting
}

const ONE_RETRY: KmsSetting = { timeout: 3_000, attemptTimeout: 1_500, maxRetries: 1 }
const IMPATIENT: KmsSetting = { timeout: 400, attemptTimeout: 400, maxRetries: 0 }

/** What a service or the way to it can do, for as long as anyone asks. */
const TROUBLES: { readonly [trouble: string]: Trouble } = {
  'throttled without end': {
    needs: ['throttle'],
    begin: ({ counterpart }) => counterpart.throttle('always'),
    codes: ['KMS_THROTTLED'],
    setting: ONE_RETRY,
  },
  'in an outage': {
    needs: ['outage'],
    begin: ({ counterpart }) => counterpart.outage(),
    codes: ['KMS_UNAVAILABLE'],
    setting: ONE_RETRY,
  },
  'answered later than its deadline': {
    needs: ['slow'],
    begin: ({ counterpart }) => counterpart.slow(60_000),
    codes: ['KMS_UNAVAILABLE'],
    setting: IMPATIENT,
  },
  'cut off in the middle of each answer': {
    needs: ['hangUp'],
    begin: ({ counterpart }) => counterpart.hangUp(),
    codes: ['KMS_UNAVAILABLE', 'KMS_REFUSED'],
    setting: IMPATIENT,
  },
  'answered without the end': {
    needs: ['truncate'],
    begin: ({ counterpart }) => counterpart.truncate(),
    codes: ['KMS_UNAVAILABLE', 'KMS_REFUSED'],
    setting: IMPATIENT,
  },
  denied: {
    needs: ['deny'],
    begin: ({ counterpart }) => counterpart.deny(),
    codes: ['KMS_DENIED'],
    setting: ONE_RETRY,
  },
  'made with expired credentials': {
    needs: ['expireCredentials'],
    begin: ({ counterpart }) => counterpart.expireCredentials(),
    codes: ['KMS_DENIED'],
    setting: ONE_RETRY,
  },
}

/** A call that hangs in spite of its deadline is no use to who set that. */
const GRACE = 4_000

/** Each trouble, met by each action. */
export const faults: Section = {
  title: 'a call',
  cells: [
    ...Object.entries(TROUBLES).flatMap(([trouble, { needs, begin, codes, setting }]) =>
      Object.entries(ACTIONS).map(([name, action]): Cell => {
        return {
          title: `that is ${trouble} is ${codes.join(' or ')} in time, and works afterwards (${name})`,
          needs: [...needs, ...action.needs],
          run: async (trial) => {
            const prepared = await trial.prepared()
            const kms = trial.kmsOf(setting)
            await begin(trial)
            const limit = Math.min(trial.patience, 2 * setting.timeout! + GRACE)
            await trial.refused(() => action.run(kms, prepared), codes, limit)
            await trial.counterpart.clear()
            await trial.timely(action.run(kms, prepared))
          },
        }
      }),
    ),
    ...Object.entries(ACTIONS).map(([name, action]): Cell => {
      return {
        title: `that is throttled twice works all the same (${name})`,
        needs: ['throttle', ...action.needs],
        run: async (trial) => {
          const prepared = await trial.prepared()
          await trial.counterpart.throttle(2)
          await trial.timely(action.run(trial.kmsOf({ maxRetries: 5 }), prepared))
        },
      }
    }),
    {
      title: 'waits for its turn where "concurrency" others are in flight, and has it',
      needs: ['slow', 'calls'],
      run: async (trial) => {
        const kms = trial.kmsOf({ concurrency: 3, timeout: 20_000, attemptTimeout: 20_000 })
        await trial.counterpart.slow(40)
        const all = Array.from({ length: 12 }, () => kms.generate(dekIdentity()))
        assert.equal((await trial.timely(Promise.all(all))).length, 12)
        const { maxInFlight } = trial.counterpart.calls()
        assert.ok(maxInFlight <= 3, `${maxInFlight} requests were in flight at once.`)
      },
    },
  ],
}
