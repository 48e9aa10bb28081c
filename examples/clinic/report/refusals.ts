import type { ClinicClient } from '../clients.js'
import { outcome } from '../outcome.js'
import { count, section, table } from '../terminal.js'

/** What one tenant gets of another's, and what is refused because no answer would be right. */
export async function reportRefusals(prisma: ClinicClient): Promise<void> {
  section('What jing-an gets when it asks for a patient of linden, and what else is refused')
  const [linden, jingAn] = [prisma.$forTenant('linden'), prisma.$forTenant('jing-an')]
  const { id } = await linden.patient.findFirstOrThrow({ where: { clinicId: 'linden' }, select: { id: true } })
  const rows = (list: readonly unknown[]) => `${count(list.length)} rows, decrypted`
  // TypeScript refuses it already; what comes from a request has no types.
  const fromElsewhere = { name: { contains: 'a' } } as never
  const attempts: [string, Promise<string>][] = [
    [
      'jing-an: findUnique({ where: { id of linden’s } })',
      outcome(() => jingAn.patient.findUnique({ where: { id } }), String),
    ],
    ['jing-an: findMany() of all clinics', outcome(() => jingAn.patient.findMany(), rows)],
    [
      'jing-an: findMany() of its own clinic',
      outcome(() => jingAn.patient.findMany({ where: { clinicId: 'jing-an' } }), rows),
    ],
    [
      'jing-an: create() a doctor for linden',
      outcome(
        () => jingAn.doctor.create({ data: { clinicId: 'linden', name: 'Dr X', mobile: '1' } }),
        () => 'written',
      ),
    ],
    ['nobody: findMany(), no tenant given', outcome(() => prisma.patient.findMany(), rows)],
    ['linden: name contains "a"', outcome(() => linden.patient.findMany({ where: fromElsewhere }), rows)],
    ['$acrossTenants(): findMany(), for maintenance', outcome(() => prisma.$acrossTenants().patient.findMany(), rows)],
  ]
  const answers = await Promise.all(attempts.map(async ([asked, answer]) => [asked, await answer]))
  table([36], ['asked', 'answer'], answers)
}
