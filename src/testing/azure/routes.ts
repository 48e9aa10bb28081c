import type { HttpRequest } from '../emulator/face.js'
import type { HsmOperation } from './permissions.js'

/** What a request asks for. */
export interface Route {
  readonly operation: HsmOperation
  /** Of the key; empty where it is about all. */
  readonly name: string
  /** The newest one where it is empty. */
  readonly version: string
}

/** `METHOD collection/part/…`, `*` for any text: learn.microsoft.com/rest/api/keyvault/keys/operation-groups */
const ROUTES: { readonly [pattern: string]: HsmOperation } = {
  'GET keys': 'listKeys',
  'POST keys/NAME/create': 'createKey',
  'POST keys/NAME/rotate': 'rotateKey',
  'POST keys/NAME/encrypt': 'encrypt',
  'POST keys/NAME/decrypt': 'decrypt',
  'POST keys/NAME/VERSION/encrypt': 'encrypt',
  'POST keys/NAME/VERSION/decrypt': 'decrypt',
  'GET keys/NAME/versions': 'listKeyVersions',
  'GET keys/NAME': 'getKey',
  'GET keys/NAME/VERSION': 'getKey',
  'PATCH keys/NAME': 'updateKey',
  'PATCH keys/NAME/VERSION': 'updateKey',
  'DELETE keys/NAME': 'deleteKey',
  'GET deletedkeys': 'listDeletedKeys',
  'GET deletedkeys/NAME': 'getDeletedKey',
  'DELETE deletedkeys/NAME': 'purgeDeletedKey',
  'POST deletedkeys/NAME/recover': 'recoverDeletedKey',
}

const PATTERNS = Object.entries(ROUTES).map(([pattern, operation]) => {
  const [method = '', path = ''] = pattern.split(' ')
  return { method, parts: path.split('/'), operation }
})

/** Finds what is asked for; `undefined` for what the emulator does not know. */
export function routeOf({ method, url }: HttpRequest): Route | undefined {
  const given = pathOf(url).split('/').slice(1)
  // The SDK leaves the slash where it has no version.
  if (given.at(-1) === '') given.pop()
  const found = PATTERNS.find((pattern) => pattern.method === method && fits(pattern.parts, given))
  if (!found) return undefined
  const part = (wanted: string) => given[found.parts.indexOf(wanted)] ?? ''
  return { operation: found.operation, name: part('NAME'), version: part('VERSION') }
}

/** The query's `api-version`. */
export function apiVersionOf(url: string): string {
  return new URLSearchParams(url.split('?')[1] ?? '').get('api-version') ?? ''
}

function pathOf(url: string): string {
  return url.split('?')[0]!
}

function fits(parts: readonly string[], given: readonly string[]): boolean {
  return parts.length === given.length && parts.every((part, at) => isPlace(part) || part === given[at])
}

function isPlace(part: string): boolean {
  return part === 'NAME' || part === 'VERSION'
}
