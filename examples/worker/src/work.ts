import { type ErrorCode, FieldsealError, withTenant } from 'fieldseal'
import type PgBoss from 'pg-boss'
import { MailError } from './mail.js'
import { REFUSED, REMINDERS, type Reminder } from './queue.js'
import { remind } from './remind.js'

/** What is as wrong at the next attempt. All else is tried again: the KMS or the database is down, or nobody knows. */
const FINAL: readonly ErrorCode[] = [
  ...(['TENANT_MISSING', 'TENANT_INVALID', 'TENANT_MISMATCH'] as const),
  ...(['CIPHERTEXT_INVALID', 'DECRYPTION_FAILED', 'KEY_DESTROYED'] as const),
]

/** As many jobs at once as there are workers; each of them is done for its tenant. */
export async function work(boss: PgBoss, workers = 4): Promise<void> {
  for (let started = 0; started < workers; started += 1) {
    await boss.work<Reminder>(REMINDERS, { pollingIntervalSeconds: 0.5 }, async (jobs) => {
      for (const job of jobs) await attempt(boss, job)
    })
  }
}

async function attempt(boss: PgBoss, { id, data }: PgBoss.Job<Reminder>): Promise<void> {
  try {
    await withTenant(data.tenant, () => remind(data))
  } catch (error) {
    const code = codeOf(error)
    console.error('reminder', id, code)
    if (!FINAL.some((final) => final === code)) throw new Error(code)
    await boss.send(REFUSED, { ...data, code })
  }
}

/** The queue keeps what a job fails with, all properties of it, in a table: a code, and nothing that a library adds to it. */
function codeOf(error: unknown): string {
  return FieldsealError.is(error) || error instanceof MailError ? error.code : 'INTERNAL'
}
