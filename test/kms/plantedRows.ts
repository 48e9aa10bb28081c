import { randomUUID } from 'node:crypto'
import { expect } from '@jest/globals'
import type { TestedKms } from 'fieldseal/testing'
import { encryptsValues, type Kms } from '../../src/keys/kms.js'
import { withRetryListener } from '../../src/keys/retries.js'
import { refusal } from '../support/refusal.js'

const LONG = 'k'.repeat(5_000_000)
const MOST = 5_000

const whose = () => ({ key: randomUUID(), purpose: 'encrypt', tenant: 'acme' }) as const
const whereabouts = { aad: 'a'.repeat(43), field: 'User.apiKey', tenant: 'acme' }

/** Whoever can write to the database writes megabytes: no error holds them, and with them what reads logs. */
export async function expectShortErrors({ start }: TestedKms): Promise<void> {
  const subject = await start()
  const hanging = {
    keyId: () => new Promise(() => undefined) as never,
    timeout: 100,
    attemptTimeout: 100,
    maxRetries: 0,
  }
  try {
    const kms = subject.kmsOf({ maxRetries: 0 })
    for (const work of await planted(kms, kms)) await expectShort(work)
    const stuck = stuckOf(() => subject.kmsOf(hanging))
    if (stuck) for (const work of await planted(kms, stuck)) await expectShort(work)
  } finally {
    await subject.close()
  }
}

/** A row may lack what it should hold, also where no type says so: that is said at once, and nothing is tried again. */
export async function expectRefusals({ start }: TestedKms): Promise<void> {
  const subject = await start()
  try {
    const kms = subject.kmsOf({ maxRetries: 1 })
    const identity = whose()
    const { wrapped, kekId } = await kms.generate(identity)
    const retried: unknown[] = []
    for (const none of [null, undefined, 7, {}] as never[])
      for (const row of [
        { wrapped: none, kekId },
        { wrapped, kekId: none },
      ])
        for (const work of [() => kms.unwrap(row, identity), () => kms.rewrap!(row, identity)]) {
          const watched = () =>
            withRetryListener(
              (attempt) => retried.push(attempt),
              async () => work(),
            )
          // What one KMS of several does not need of a row, it does not read.
          if (
            await watched().then(
              () => true,
              () => false,
            )
          )
            continue
          expect(['KMS_REFUSED', 'KMS_KEY_UNUSABLE']).toContain((await refusal(watched)).code)
        }
    expect(retried).toEqual([])
  } finally {
    await subject.close()
  }
}

/** Not every one takes a function. */
function stuckOf(make: () => Kms): Kms | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/** What is made well by one, then changed, and asked of another. */
async function planted(makes: Kms, opens: Kms): Promise<(() => Promise<unknown>)[]> {
  const identity = whose()
  const { wrapped, kekId } = await makes.generate(identity)
  const rows = [
    { wrapped, kekId: LONG },
    { wrapped, kekId: `${kekId}${LONG}` },
    { wrapped: LONG, kekId },
    { wrapped: `${wrapped}${LONG}`, kekId },
    { wrapped, kekId, kms: LONG },
  ]
  const values = encryptsValues(opens) ? [LONG, `${wrapped}:${LONG}`, await valueAnd(makes)] : []
  return [
    ...rows.flatMap((row) => [() => opens.unwrap(row, identity), () => opens.rewrap!(row, identity)]),
    ...values.map((text) => async () => opens.decrypt!(text, whereabouts)),
  ]
}

async function valueAnd(kms: Kms): Promise<string> {
  return `${await kms.encrypt!(Buffer.from('a value'), whereabouts)}${LONG}`
}

async function expectShort(work: () => Promise<unknown>): Promise<void> {
  // What a `Kms` by itself does not read of a row, it does not refuse either.
  const opened = await Promise.resolve()
    .then(work)
    .catch(() => undefined)
  if (opened !== undefined) return
  const error = await refusal(async () => work())
  expect(`${error.message} ${JSON.stringify(error.cause)} ${error.stack}`.length).toBeLessThan(MOST)
}
