import type { RequestHandler } from 'express'
import { withTenant } from 'fieldseal'

/** Whatever comes after this does it for the tenant of the request. */
export const tenant: RequestHandler = (request, response, next) => {
  const id = request.get('x-tenant')
  if (id === undefined) response.status(401).json({ error: 'TENANT_MISSING' })
  else {
    response.locals.tenant = id
    withTenant(id, next)
  }
}
