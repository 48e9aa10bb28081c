import { dataSource } from './dataSource.js'
import { startQueue } from './queue.js'
import { work } from './work.js'

await dataSource.initialize()
const boss = await startQueue()
await work(boss)
console.log('waiting for jobs')

/** Takes no new job, ends those that have begun, and lets go of the database. What does not end in time is tried again. */
async function stop(): Promise<void> {
  await boss.stop({ graceful: true, wait: true, timeout: 30_000 })
  await dataSource.destroy()
}

process.once('SIGTERM', stop)
process.once('SIGINT', stop)
