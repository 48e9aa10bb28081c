import type { FastifyInstance } from 'fastify'
import { type ErrorCode, FieldsealError } from 'fieldseal'
import { Prisma } from './generated/prisma/client.js'

/** What a caller may know; whatever else goes wrong is the server's own affair. */
const STATUS: { readonly [code in ErrorCode]?: number } = {
  TENANT_MISSING: 401,
  TENANT_INVALID: 400,
  VALUE_INVALID: 400,
  TENANT_MISMATCH: 404,
  KMS_UNAVAILABLE: 503,
  KMS_THROTTLED: 503,
  KEY_STORE_UNAVAILABLE: 503,
}

/** Errors as answers. Those of callers are not logged; of others the message is, unless it may hold a value. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const { status, code } = answerTo(error)
    if (status >= 500) request.log.error(reasonOf(error), 'failed')
    if (status === 503) reply.header('Retry-After', '5')
    return reply.code(status).send({ error: code })
  })
}

function answerTo(error: unknown): { readonly status: number; readonly code: string } {
  if (FieldsealError.is(error) && STATUS[error.code]) return { status: STATUS[error.code]!, code: error.code }
  if (isUniqueViolation(error)) return { status: 409, code: 'EXISTS' }
  // Fastify's own: a body that is no JSON, or none that the schema of the route allows.
  const { statusCode = 500 } = error as { statusCode?: number }
  return statusCode < 500 ? { status: statusCode, code: 'REQUEST_INVALID' } : { status: 500, code: 'INTERNAL' }
}

function isUniqueViolation(error: unknown): boolean {
  return error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002'
}

function reasonOf(error: unknown): object {
  if (FieldsealError.is(error)) return { code: error.code, reason: error.message }
  const { name, code } = error as { name?: string; code?: string }
  return { name, code }
}
