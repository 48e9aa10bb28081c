import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { type ErrorCode, FieldsealError } from 'fieldseal'
import { database } from './database.js'
import { ROUTES } from './routes.js'

/** What a caller may know; whatever else goes wrong is the server's own affair. */
const STATUS: { readonly [code in ErrorCode]?: number } = {
  TENANT_INVALID: 401,
  TENANT_MISMATCH: 404,
  VALUE_INVALID: 400,
  KMS_UNAVAILABLE: 503,
  KMS_THROTTLED: 503,
  KEY_STORE_UNAVAILABLE: 503,
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams: search } = new URL(request.url ?? '/', 'http://localhost')
  const route = ROUTES[`${request.method} ${pathname}`]
  if (!route) return { status: 404, body: { error: 'There is no such route.' } }
  const clinic = String(request.headers['x-tenant'] ?? '')
  const body = request.method === 'POST' ? JSON.parse(await text(request)) : undefined
  return { status: 200, body: await route({ clinic, search, body }) }
}

function failure(error: unknown): Answer {
  if (FieldsealError.is(error) && STATUS[error.code])
    return { status: STATUS[error.code]!, body: { error: error.code } }
  console.error(error)
  return { status: 500, body: { error: 'Internal server error' } }
}

const server = createServer(async (request, response) => {
  const { status, body } = await answer(request).catch(failure)
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
})
server.listen(Number(process.env.PORT ?? 3000))

// The first process of a container gets no default for signals: without this, `docker stop` waits and kills.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    server.close(() => database.$disconnect())
    server.closeIdleConnections()
  })
}
