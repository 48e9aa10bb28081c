import { AwsApiError } from './awsApiError.js'

/** A credential that the emulator accepts. */
export interface AwsEmulatorCredential {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials: requests must carry the same one. */
  readonly sessionToken?: string
  /** Milliseconds since the epoch at which it runs out; never unless given. */
  readonly expiration?: number
  /** What it may do, as policies name it: `kms:Decrypt`, `kms:ReEncryptFrom`, …; everything unless given. */
  readonly permissions?: readonly string[]
}

/** The credentials of an emulator: who may sign requests, until when, and what for. */
export class AwsCredentials {
  #list: readonly AwsEmulatorCredential[]
  readonly #now: () => number

  constructor(list: readonly AwsEmulatorCredential[], now: () => number) {
    this.#list = list
    this.#now = now
  }

  get list(): readonly AwsEmulatorCredential[] {
    return this.#list
  }

  /** Lets a credential run out now. */
  expire(accessKeyId: string): void {
    this.#change(accessKeyId, { expiration: this.#now() })
  }

  /** Changes what a credential may do. */
  permit(accessKeyId: string, permissions: readonly string[]): void {
    this.#change(accessKeyId, { permissions })
  }

  /** Takes back whatever `expire` and `permit` did, in favour of the given ones. */
  replace(list: readonly AwsEmulatorCredential[]): void {
    this.#list = list
  }

  /** @throws AwsApiError for a credential that is not known, or has run out */
  find(accessKeyId: string, sessionToken: string | undefined): AwsEmulatorCredential {
    const found = this.#list.find((each) => each.accessKeyId === accessKeyId && each.sessionToken === sessionToken)
    if (!found)
      throw new AwsApiError('UnrecognizedClientException', 'The security token included in the request is invalid.')
    if (found.expiration !== undefined && found.expiration <= this.#now())
      throw new AwsApiError('ExpiredTokenException', 'The security token included in the request is expired')
    return found
  }

  #change(accessKeyId: string, change: Partial<AwsEmulatorCredential>): void {
    this.#list = this.#list.map((each) => (each.accessKeyId === accessKeyId ? { ...each, ...change } : each))
  }
}

/** @throws AwsApiError `AccessDeniedException` */
export function authorize({ accessKeyId, permissions }: AwsEmulatorCredential, permission: string, arn: string): void {
  if (permissions === undefined || permissions.includes(permission)) return
  throw new AwsApiError(
    'AccessDeniedException',
    `User: ${accessKeyId} is not authorized to perform: ${permission} on resource: ${arn} because no identity-based ` +
      `policy allows the ${permission} action`,
  )
}
