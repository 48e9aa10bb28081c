import type { ServerResponse } from 'node:http'
import type { Emulation, HttpFace, HttpRequest } from './face.js'
import type { Fault, FaultKind } from './faults.js'

interface Administered extends Emulation {
  readonly face: HttpFace
}

/** A path under `/_emulator/`: what it does to the emulator, and what it answers. */
type Route = (emulator: Administered, body: string) => unknown

const routes: { readonly [route: string]: Route } = {
  'GET /_emulator/health': () => ({ ok: true }),
  'GET /_emulator/keys': ({ face }) => face.keys(),
  'GET /_emulator/calls': ({ calls }) => ({
    total: calls.count(),
    byAction: calls.byAction,
    inFlight: calls.inFlight,
    maxInFlight: calls.maxInFlight,
    log: calls.log,
  }),
  'DELETE /_emulator/calls': ({ calls }) => calls.reset(),
  'GET /_emulator/faults': ({ faults }) => faults.list,
  'POST /_emulator/faults': ({ faults }, body) => void faults.add(parseFault(body)),
  'DELETE /_emulator/faults': ({ faults }) => faults.clear(),
}

/**
 * Lets another process look at the emulator and break it. These paths are no part of the service's API and ask for
 * no signature.
 */
export function administer(emulator: Administered, request: HttpRequest, response: ServerResponse): void {
  const name = `${request.method} ${request.url.split('?')[0]}`
  const route = Object.hasOwn(routes, name) ? routes[name] : undefined
  const [status, body] = route
    ? attempt(() => route(emulator, request.body.toString('utf8')))
    : [404, { error: `There is no ${name}.`, routes: Object.keys(routes) }]
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function attempt(run: () => unknown): [status: number, body: unknown] {
  try {
    return [200, run() ?? { ok: true }]
  } catch (error) {
    return [400, { error: error instanceof Error ? error.message : 'The request cannot be understood.' }]
  }
}

type Check = (value: unknown) => boolean
const text: Check = (value) => typeof value === 'string' && value !== ''
const count: Check = (value) => typeof value === 'number' && Number.isInteger(value) && value >= 0
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value)

const fields: { readonly [Kind in FaultKind['kind']]: { readonly [field: string]: Check } } = {
  error: { code: text, message: optional(text) },
  status: { status: (value) => count(value) && Number(value) >= 200 && Number(value) <= 599 },
  delay: { ms: count },
  hold: {},
  hangUp: { when: (value) => value === 'before' || value === 'body' },
  truncate: {},
  stall: {},
  body: { body: (value) => typeof value === 'string' },
}
const common = {
  action: optional(text),
  times: optional((value) => value === 'always' || (count(value) && value !== 0)),
}

/** Checks a fault that came as JSON. */
export function parseFault(body: string): Fault {
  const fault = JSON.parse(body) as { kind?: unknown } | null
  const kind = String(fault?.kind)
  if (!fault || !Object.hasOwn(fields, kind))
    throw new TypeError(`kind must be one of ${Object.keys(fields).join(', ')}.`)
  const checks: { readonly [field: string]: Check } = { ...common, ...fields[kind as FaultKind['kind']] }
  const given: { readonly [field: string]: unknown } = { ...fault }
  const wrong = Object.keys(checks).find((field) => !checks[field]?.(given[field]))
  if (wrong) throw new TypeError(`A fault of kind "${kind}" has no valid "${wrong}".`)
  const unknown = Object.keys(given).find((field) => field !== 'kind' && !(field in checks))
  if (unknown) throw new TypeError(`A fault of kind "${kind}" has no "${unknown}".`)
  return fault as Fault
}
