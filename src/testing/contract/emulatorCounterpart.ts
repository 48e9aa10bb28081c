import type { Calls } from '../emulator/calls.js'
import type { Fault, Faults } from '../emulator/faults.js'
import type { Counterpart } from './kmsUnderTest.js'
import { RAW_MESSAGE } from './secrecy.js'

/** What of an emulator breaks and counts. */
export interface BreakableEmulator {
  readonly calls: Calls
  readonly faults: Faults
}

/** The service's own error codes. */
export interface TroubleCodes {
  readonly throttled: string
  readonly denied: string
  readonly expired: string
}

type Breaking = Omit<Counterpart, 'disable' | 'enable' | 'rotate' | 'scheduleDeletion' | 'destroy'>

/**
 * The part of a counterpart for `testKms` that the emulators of this library have in common: all but the states of KEKs.
 *
 * @param emulators one, or those of all members of a `redundantKms`, which then have the same trouble
 */
export function emulatorCounterpart(emulators: readonly BreakableEmulator[], codes: TroubleCodes): Breaking {
  const add = (fault: Fault) => {
    for (const { faults } of emulators) faults.add(fault)
  }
  const error = (code: string, times: number | 'always' = 'always') =>
    add({ kind: 'error', code, message: RAW_MESSAGE, times })
  return {
    throttle: (times) => error(codes.throttled, times),
    outage: () => add({ kind: 'hangUp', when: 'before', times: 'always' }),
    slow: (ms) => add({ kind: 'delay', ms, times: 'always' }),
    hangUp: () => add({ kind: 'hangUp', when: 'body', times: 'always' }),
    truncate: () => add({ kind: 'truncate', times: 'always' }),
    alter: (body) => add({ kind: 'body', body, times: 'always' }),
    deny: () => error(codes.denied),
    expireCredentials: () => error(codes.expired),
    calls: () => ({
      count: emulators.reduce((sum, { calls }) => sum + calls.count(), 0),
      maxInFlight: Math.max(...emulators.map(({ calls }) => calls.maxInFlight)),
    }),
    clear: () => {
      for (const { faults } of emulators) faults.clear()
    },
  }
}
