import { FieldsealError } from 'fieldseal'
import { cookies, headers } from 'next/headers'
import { cache } from 'react'
import { database } from './database'

/** Whose request this is. It stands for whatever your login says: take it from a verified token. */
export async function clinicOfRequest(): Promise<string | undefined> {
  return (await headers()).get('x-tenant') ?? (await cookies()).get('clinic')?.value
}

/**
 * The clinic whose request this is, and a client for it alone.
 *
 * @throws FieldsealError `TENANT_MISSING`, `TENANT_INVALID`
 */
export const session = cache(async () => {
  const clinic = await clinicOfRequest()
  if (clinic === undefined) throw new FieldsealError('TENANT_MISSING', 'Nobody has signed in.')
  return { clinic, prisma: database().$forTenant(clinic) }
})
