import { GrpcError } from './grpcError.js'

/** What the callers may do: everything, less what was revoked. Real policies say what one may do, for each member. */
export class GooglePermissions {
  readonly #revoked = new Set<string>()

  /**
   * @param permission `cloudkms.cryptoKeyVersions.useToDecrypt` for instance
   * @param resource the resource name of a key; every one unless given
   */
  revoke(permission: string, resource = '*'): void {
    this.#revoked.add(`${permission} ${resource}`)
  }

  /** Takes revocations back: those of one permission, or all. */
  restore(permission?: string): void {
    for (const each of this.#revoked)
      if (permission === undefined || each.startsWith(`${permission} `)) this.#revoked.delete(each)
  }

  /** @throws GrpcError `PERMISSION_DENIED` */
  expect(permission: string, resource: string): void {
    if (!this.#revoked.has(`${permission} *`) && !this.#revoked.has(`${permission} ${resource}`)) return
    const message = `Permission '${permission}' denied on resource '${resource}' (or it may not exist).`
    const metadata = { permission, resource }
    const errorInfo = { reason: 'IAM_PERMISSION_DENIED', domain: 'cloudkms.googleapis.com', metadata }
    throw new GrpcError('PERMISSION_DENIED', message, { errorInfo })
  }
}
