import PgBoss from 'pg-boss'
import type { EntityManager } from 'typeorm'

/** What stands in the queue's table, and so in the clear: whose it is, and ids. What is encrypted, the worker reads itself. */
export interface Reminder {
  readonly tenant: string
  readonly patientId: string
}

export const REMINDERS = 'reminders'
/** Jobs that no retry will help. */
export const REFUSED = 'reminders-refused'

export async function startQueue(): Promise<PgBoss> {
  const boss = new PgBoss({ connectionString: process.env.DATABASE_URL ?? 'postgresql://localhost/clinic', max: 2 })
  boss.on('error', (error) => console.error('queue:', error.name))
  await boss.start()
  await boss.createQueue(REFUSED)
  // An outage of the KMS is one of minutes: 1, 2, 4 … seconds between the attempts, and the tenth is after a quarter of an hour.
  const retries = { retryLimit: 10, retryDelay: 1, retryBackoff: true }
  await boss.createQueue(REMINDERS, { name: REMINDERS, deadLetter: REFUSED, ...retries })
  return boss
}

/** In the transaction that writes the patient: both are there, or neither. */
export async function enqueue(boss: PgBoss, manager: EntityManager, reminder: Reminder): Promise<void> {
  const executeSql = async (text: string, values: unknown[]) => ({ rows: await manager.query(text, values) })
  await boss.send(REMINDERS, reminder, { db: { executeSql } })
}
