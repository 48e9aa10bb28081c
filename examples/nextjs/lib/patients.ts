import { session } from './session'

export interface Admission {
  readonly name: string
  readonly email: string
}

const SHOWN = { id: true, name: true, email: true } as const

/** The patients of the clinic whose request this is; by their email, if it is given. */
export async function patients(email?: string) {
  const { clinic, prisma } = await session()
  return prisma.patient.findMany({ where: { clinic, email }, select: SHOWN })
}

export async function admit({ name, email }: Admission) {
  const { clinic, prisma } = await session()
  return prisma.patient.create({ data: { clinic, name, email }, select: SHOWN })
}
