import type { IncomingMessage } from 'node:http'
import { Injectable, type NestMiddleware } from '@nestjs/common'
import { withTenant } from 'fieldseal'

/** Whatever a request does, it does for its tenant. What needs none works without. */
@Injectable()
export class TenantMiddleware implements NestMiddleware {
  use({ headers }: IncomingMessage, _response: unknown, next: () => void): void {
    const tenant = headers['x-tenant']
    if (typeof tenant === 'string') withTenant(tenant, next)
    else next()
  }
}
