import { dataSource } from './dataSource.js'
import { sendMail } from './mail.js'
import { Patient } from './patient.entity.js'
import type { Reminder } from './queue.js'

/** A job may come twice: when a worker dies between its work and the queue's note of it. */
export async function remind({ tenant, patientId }: Reminder): Promise<void> {
  const patients = dataSource.getRepository(Patient)
  const patient = await patients.findOneBy({ id: patientId })
  if (!patient || patient.remindedAt) return
  await sendMail(patient.email, 'Your appointment is tomorrow.')
  await patients.update({ id: patientId, clinic: tenant }, { remindedAt: new Date() })
}
