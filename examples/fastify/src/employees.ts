import type { FastifyInstance } from 'fastify'
import { prisma } from './prisma.js'

interface Hiring {
  readonly name: string
  readonly email: string
  readonly salary?: number
}

const text = { type: 'string', minLength: 1 }
const hiring = {
  body: {
    type: 'object',
    additionalProperties: false,
    required: ['name', 'email'],
    properties: { name: text, email: text, salary: { type: 'integer' } },
  },
}
const search = {
  body: { type: 'object', additionalProperties: false, required: ['email'], properties: { email: text } },
}

export async function employees(app: FastifyInstance): Promise<void> {
  app.post<{ Body: Hiring }>('/', { schema: hiring }, async (request, reply) => {
    reply.code(201)
    return prisma.employee.create({ data: { company: request.tenant, ...request.body } })
  })

  // Not by the address: it is in the log of each request, and in those of proxies.
  app.post<{ Body: { email: string } }>('/search', { schema: search }, ({ tenant, body }) =>
    prisma.employee.findMany({ where: { company: tenant, email: body.email } }),
  )

  app.get<{ Params: { id: string } }>('/:id', async ({ tenant, params }, reply) => {
    const employee = await prisma.employee.findUnique({ where: { id: params.id, company: tenant } })
    return employee ?? reply.code(404).send({ error: 'NOT_FOUND' })
  })
}
