import type { KeyRings } from './keyRings.js'

/** The fields of a request, in camel case: enumerations and long integers are text. */
export type Fields = { readonly [name: string]: unknown }

/** Quotas by their names, https://cloud.google.com/kms/quotas */
export type Quota = 'crypto_requests' | 'read_requests' | 'write_requests'

/** What actions work on. */
export interface World {
  readonly keyRings: KeyRings
}

/** A method of the API. */
export interface Action {
  /** What the caller needs on the resource. */
  readonly permission: string
  readonly quota: Quota
  /** The resource name on which the permission is looked for. */
  resource(request: Fields): string
  /** @throws GrpcError */
  run(request: Fields, world: World): object
}
