import { afterAll, beforeAll, beforeEach } from '@jest/globals'
import { type KmsEmulator, startKmsEmulator } from 'fieldseal/testing'

/** Of the test file that called `twoRegions`; there as soon as its hooks and tests run. */
export let north: KmsEmulator
export let south: KmsEmulator

/** Lets each test of a file begin with a KMS in two regions, both well. */
export function twoRegions(): void {
  beforeAll(async () => {
    ;[north, south] = await Promise.all([startKmsEmulator(), startKmsEmulator()])
  })
  beforeEach(() => {
    for (const region of [north, south]) {
      region.faults.clear()
      region.calls.reset()
    }
  })
  afterAll(() => Promise.all([north, south].map((region) => region.close())))
}

/** From now on, nothing reaches it. */
export function lose(region: KmsEmulator): void {
  region.faults.add({ kind: 'hangUp', when: 'before', times: 'always' })
}
