import { FieldsealError } from '../../errors.js'
import { answers } from './answers.js'
import { binding } from './binding.js'
import { absence } from './capabilities.js'
import { deks } from './deks.js'
import { faults } from './faults.js'
import { keks } from './keks.js'
import type { KmsCapability, TestedKms } from './kmsUnderTest.js'
import { states } from './states.js'
import { lenientTexts, tampering } from './tampering.js'
import { type Section, Trial } from './trial.js'
import { values } from './values.js'

/** What Jest, Vitest and `node:test` have in common. */
export interface TestRunner {
  readonly describe: (title: string, tests: () => void) => unknown
  readonly it: (title: string, test: () => Promise<void>) => unknown
}

const SECTIONS: readonly Section[] = [deks, binding, tampering, keks, states, faults, answers, values]

/**
 * The tests that every `Kms` must pass, for one of yours: that a DEK comes back and is nobody else's, that what was
 * changed, moved or planted is refused, that each state of a KEK and each trouble of the service is the right error in
 * time, and that no error shows a key, a value, a secret or a message of the service. Works under Jest, Vitest and
 * `node:test`. docs/kms/adapters.md tells how to write a `Kms` and its counterpart.
 *
 * What your `Kms` or its counterpart cannot do, name in `lacks`: its cells are left out, and one says that it is absent.
 * Each test starts a service of its own.
 *
 * @param tested the `Kms`, and how the service behind it is started
 * @param runner `describe` and `it`; the global ones unless given
 * @throws FieldsealError `OPTIONS_INVALID` where there are no global `describe` and `it`
 * @example
 * ```ts
 * import { describe, it } from 'node:test'
 * import { kms } from 'tencentcloud-sdk-nodejs-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 * import { emulatorCounterpart, startKmsEmulator, testKms } from 'fieldseal/testing'
 *
 * const start = async () => {
 *   const emulator = await startKmsEmulator({ keys: [{ alias: 'own' }, { alias: 'other' }] })
 *   const keyIds = emulator.keys.list.map((key) => key.keyId) as [string, string]
 *   const client = new kms.v20190118.Client(emulator.clientConfig())
 *   return {
 *     keyIds,
 *     kmsOf: (setting = {}) => tencentKms({ client, keyId: keyIds[0], ...setting }),
 *     ...emulatorCounterpart([emulator], {
 *       throttled: 'RequestLimitExceeded',
 *       denied: 'UnauthorizedOperation',
 *       expired: 'AuthFailure.TokenFailure',
 *     }),
 *     disable: (keyId: string) => emulator.keys.change(keyId, 'disable'),
 *     enable: (keyId: string) => emulator.keys.change(keyId, 'enable'),
 *     rotate: (keyId: string) => emulator.keys.rotate(keyId),
 *     secrets: [emulator.credential.secretKey],
 *     close: () => emulator.close(),
 *   }
 * }
 * testKms({ name: 'tencentKms', start, lacks: ['scheduleDeletion', 'destroy'] }, { describe, it })
 * ```
 */
export function testKms(tested: TestedKms, runner: TestRunner = globalRunner()): void {
  const { describe, it } = runner
  const lacks = new Set<KmsCapability>(tested.lacks)
  describe(`${tested.name}, the contract of a Kms`, () => {
    for (const { title, cells } of sectionsFor(lacks)) {
      const possible = cells.filter(({ needs = [] }) => !needs.some((capability) => lacks.has(capability)))
      if (possible.length === 0) continue
      describe(title, () => {
        for (const cell of possible) it(cell.title, () => Trial.run(tested, cell))
      })
    }
  })
}

function sectionsFor(lacks: ReadonlySet<KmsCapability>): readonly Section[] {
  const absent = [...lacks].filter((capability) => capability !== 'strictText')
  const cells = absent.map((capability) => {
    const { title, assertAbsent } = absence(capability)
    return { title: `${title} (lacks ${capability})`, run: async ({ subject }: Trial) => assertAbsent(subject) }
  })
  const lenient = lacks.has('strictText') ? [lenientTexts] : []
  return [{ title: 'it', cells }, ...SECTIONS, ...lenient]
}

function globalRunner(): TestRunner {
  const { describe, it } = globalThis as Partial<TestRunner>
  if (describe && it) return { describe, it }
  const message =
    'testKms finds no global describe and it: give those of your test runner, testKms(tested, { describe, it }).'
  throw new FieldsealError('OPTIONS_INVALID', message)
}
