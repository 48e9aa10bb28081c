import { describe, it } from '@jest/globals'

/** A test that only some platforms can run. On the others it is reported as skipped. */
export function itWhere(runs: boolean): typeof it | typeof it.skip {
  return runs ? it : it.skip
}

/** The same for a group of tests. */
export function describeWhere(runs: boolean): typeof describe | typeof describe.skip {
  return runs ? describe : describe.skip
}
