import type { FastifyInstance } from 'fastify'
import { FieldsealError, withTenant } from 'fieldseal'

declare module 'fastify' {
  interface FastifyRequest {
    tenant: string
  }
}

/**
 * Routes of this instance run for the tenant of their request. The hook is one after the body was read: reading goes on when
 * the socket has something, and the tenant would not be known there.
 */
export function requireTenant(app: FastifyInstance): void {
  app.decorateRequest('tenant', '')
  app.addHook('preHandler', (request, _reply, done) => {
    const id = request.headers['x-tenant']
    if (typeof id !== 'string') return done(new FieldsealError('TENANT_MISSING', 'The request names no tenant.'))
    request.tenant = id
    withTenant(id, done)
  })
}
