import { type ErrorCode, FieldsealError } from 'fieldseal'
import { ZodError } from 'zod'
import { DeadlineError } from './deadline.js'
import { Prisma } from './generated/prisma/client.js'

const STATUS: { readonly [code in ErrorCode]?: number } = {
  TENANT_MISSING: 401,
  TENANT_INVALID: 400,
  VALUE_INVALID: 400,
  TENANT_MISMATCH: 404,
  KMS_UNAVAILABLE: 503,
  KMS_THROTTLED: 503,
  KEY_STORE_UNAVAILABLE: 503,
}
/** Of Prisma: two of the same at once, or no connection and no transaction in time. Asked again, it goes well. */
const AGAIN = ['P2002', 'P2024', 'P2028']

/** What a caller is told of an error. */
export function failureOf(error: unknown): { readonly status: number; readonly code: string } {
  if (FieldsealError.is(error) && STATUS[error.code]) return { status: STATUS[error.code]!, code: error.code }
  if (error instanceof ZodError || error instanceof SyntaxError) return { status: 400, code: 'BODY_INVALID' }
  if (error instanceof DeadlineError) return { status: 503, code: 'DEADLINE' }
  if (error instanceof Prisma.PrismaClientKnownRequestError && AGAIN.includes(error.code))
    return { status: 503, code: 'BUSY' }
  return { status: 500, code: 'INTERNAL' }
}

/** For the log. Messages of fieldseal hold no value; those of others may. */
export function reasonOf(error: unknown): string {
  if (FieldsealError.is(error)) return `${error.code}: ${error.message}`
  return error instanceof Error ? `${error.name} ${'code' in error ? error.code : ''}` : typeof error
}
