import fastify, { type FastifyInstance } from 'fastify'
import { employees } from './employees.js'
import { answerErrors } from './errors.js'
import { prisma } from './prisma.js'
import { requireTenant } from './tenant.js'

export function makeApp(): FastifyInstance {
  const app = fastify({ logger: true })
  answerErrors(app)
  endConnections(app)
  app.addHook('onClose', () => prisma.$disconnect())
  app.register(async (inner) => {
    requireTenant(inner)
    inner.register(employees, { prefix: '/employees' })
  })
  return app
}

/** What is answered while it closes is the last on its connection, for which it would wait another 72 seconds. */
function endConnections(app: FastifyInstance): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close')
  })
}
