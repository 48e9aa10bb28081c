/** Admits the patients that are read, one a line, and has each of them reminded: `{ "clinic": "acme", "email": "…" }`. */
import { createInterface } from 'node:readline'
import { withTenant } from 'fieldseal'
import { dataSource } from './dataSource.js'
import { Patient } from './patient.entity.js'
import { enqueue, startQueue } from './queue.js'

await dataSource.initialize()
const boss = await startQueue()
for await (const line of createInterface({ input: process.stdin })) {
  const { clinic, email } = JSON.parse(line)
  console.log(await withTenant(clinic, () => admit(clinic, email)))
}
await boss.stop()
await dataSource.destroy()

function admit(clinic: string, email: string): Promise<string> {
  return dataSource.transaction(async (manager) => {
    const { id } = await manager.save(manager.create(Patient, { clinic, email }))
    await enqueue(boss, manager, { tenant: clinic, patientId: id })
    return id
  })
}
