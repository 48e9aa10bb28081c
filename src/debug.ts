import { AsyncLocalStorage } from 'node:async_hooks'
import { debuglog } from 'node:util'
import { FieldsealError } from './errors.js'
import { printable } from './printable.js'

const log = debuglog('fieldseal')

/** Whether `NODE_DEBUG=fieldseal` asks for routes: looked up once, so that who does not ask pays a comparison. */
export const isDebugging = log.enabled

/** The rooms that an operation passes. */
export type Room = 'client' | 'cipher' | 'keys' | 'kms' | 'database'

interface Route {
  readonly name: string
  readonly number: number
  readonly start: number
}

const routes = new AsyncLocalStorage<Route>()
let begun = 0

/** Prints the route that `work` takes: names, counts, codes and times, never a value, a key, a ciphertext or a tenant. */
export function routed<T>(name: string, work: () => Promise<T>): Promise<T> {
  if (!isDebugging) return work()
  begun += 1
  return routes.run({ name, number: begun, start: performance.now() }, () => followed(work))
}

async function followed<T>(work: () => Promise<T>): Promise<T> {
  debugStep('client', 'begins')
  try {
    const result = await work()
    debugStep('client', 'done')
    return result
  } catch (error) {
    debugStep('client', FieldsealError.is(error) ? `refused, ${error.code}` : 'failed, with an error of others')
    throw error
  }
}

/** Prints a step of the operation in whose course it is called. Call it only if `isDebugging`. */
export function debugStep(room: Room, what: string): void {
  const route = routes.getStore()
  const at = route
    ? `#${route.number} ${route.name} +${(performance.now() - route.start).toFixed(2)} ms`
    : 'beside operations'
  log('%s', printable(`${at} ${room}: ${what}`))
}
