import { afterAll, afterEach, beforeAll } from '@jest/globals'
import { type ClinicUnderTest, openClinic } from '../support/clinic.js'
import { startWorker, type Worker } from './startWorker.js'

/** Of the test file that called `clinicWithWorkers`; there as soon as its hooks and tests run. */
export let clinic: ClinicUnderTest
let workers: Worker[] = []

/** Opens a clinic for the tests of a file; workers that a test has started end with it. */
export function clinicWithWorkers(): void {
  beforeAll(async () => {
    clinic = await openClinic()
  })
  afterEach(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    workers = []
  })
  afterAll(() => clinic.close())
}

/** @param keys the `keys` option of each, where it is not the default */
export async function startWorkers(count: number, keys?: object): Promise<Worker[]> {
  const env: Record<string, string> = keys ? { FIELDSEAL_KEYS: JSON.stringify(keys) } : {}
  workers = await Promise.all(Array.from({ length: count }, () => startWorker(clinic, env)))
  return workers
}

export async function addTenants(...ids: string[]): Promise<void> {
  await clinic.plain.clinic.createMany({ data: ids.map((id) => ({ id, name: id })) })
}
