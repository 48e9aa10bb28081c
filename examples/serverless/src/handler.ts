import { FieldsealError, withTenant } from 'fieldseal'
import { type Context, withinDeadline } from './deadline.js'
import { failureOf, reasonOf } from './failure.js'
import { warmUp } from './keys.js'
import { findOrders, placeOrder } from './orders.js'

/** A request as an API gateway hands it on, which has verified the token. */
export interface Event {
  readonly routeKey: string
  readonly body?: string
  readonly requestContext: { readonly authorizer?: { readonly jwt: { readonly claims: { readonly tenant?: string } } } }
}

export interface Answer {
  readonly statusCode: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

const routes: { readonly [key: string]: (shop: string, body: unknown) => Promise<unknown> } = {
  'POST /orders': placeOrder,
  'POST /orders/search': findOrders,
}

// Once for each process, in the time of its start.
await warmUp(process.env.WARM_TENANTS?.split(',') ?? [])

export async function handler(event: Event, context: Context): Promise<Answer> {
  try {
    return await withinDeadline(context, () => run(event))
  } catch (error) {
    const { status, code } = failureOf(error)
    if (status >= 500) console.error(event.routeKey, reasonOf(error))
    return answer(status, { error: code })
  }
}

async function run({ routeKey, body = '', requestContext }: Event): Promise<Answer> {
  const tenant = requestContext.authorizer?.jwt.claims.tenant
  if (tenant === undefined) throw new FieldsealError('TENANT_MISSING', 'The token names no tenant.')
  const route = routes[routeKey]
  if (!route) return answer(404, { error: 'NOT_FOUND' })
  return answer(200, await withTenant(tenant, () => route(tenant, JSON.parse(body))))
}

function answer(statusCode: number, body: unknown): Answer {
  const headers = { 'content-type': 'application/json' }
  return {
    statusCode,
    headers: statusCode === 503 ? { ...headers, 'retry-after': '5' } : headers,
    body: JSON.stringify(body),
  }
}
