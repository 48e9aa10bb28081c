import { database } from '../../lib/database'

export const dynamic = 'force-dynamic'

/** Whether the database answers, and which engine encrypts: `node` where the addon did not come along. */
export async function GET() {
  const prisma = database()
  await prisma.$queryRaw`SELECT 1`
  const { engine, engineFallback } = prisma.$encryption.stats()
  return Response.json({ engine, engineFallback })
}
