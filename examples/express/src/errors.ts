import type { ErrorRequestHandler } from 'express'
import { type ErrorCode, FieldsealError } from 'fieldseal'
import { ZodError } from 'zod'
import { Prisma } from './generated/prisma/client.js'

/** What a caller may know; whatever else goes wrong is the server's own affair. Another tenant's row is as one that is not there. */
const STATUS: { readonly [code in ErrorCode]?: number } = {
  TENANT_INVALID: 400,
  VALUE_INVALID: 400,
  TENANT_MISMATCH: 404,
  KMS_UNAVAILABLE: 503,
  KMS_THROTTLED: 503,
  KEY_STORE_UNAVAILABLE: 503,
}

/** Errors as answers. Express knows it by its four parameters. */
export const errors: ErrorRequestHandler = (error, request, response, _next) => {
  const { status, code } = answerTo(error)
  if (status >= 500) console.error(request.method, request.path, reasonOf(error))
  if (status === 503) response.set('Retry-After', '5')
  response.status(status).json({ error: code })
}

function answerTo(error: unknown): { readonly status: number; readonly code: string } {
  if (FieldsealError.is(error)) {
    const status = STATUS[error.code]
    return status ? { status, code: error.code } : { status: 500, code: 'INTERNAL' }
  }
  if (error instanceof ZodError) return { status: 400, code: 'BODY_INVALID' }
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002')
    return { status: 409, code: 'EXISTS' }
  // Of express.json() and of paths: its own message and `body` hold what was sent.
  const status = (error as { status?: unknown } | undefined)?.status
  return typeof status === 'number' && status < 500
    ? { status, code: 'REQUEST_INVALID' }
    : { status: 500, code: 'INTERNAL' }
}

/** For the log. Messages of fieldseal hold no value; those of others may. */
function reasonOf(error: unknown): string {
  if (FieldsealError.is(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? `${error.name} ${'code' in error ? error.code : ''}` : typeof error
}
