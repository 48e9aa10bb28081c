import type { EncryptedClient } from './config.js'

/** The client that reads the rows of all tenants: every one that encrypts can make it, of either ORM. */
export function acrossTenants(client: EncryptedClient): EncryptedClient {
  return (client as unknown as { $acrossTenants(): EncryptedClient }).$acrossTenants()
}
