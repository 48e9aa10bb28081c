import type { EncryptionOperations } from '../client/encryptionOperations.js'
import type { KeyOperations } from '../client/keyOperations.js'
import type { TenantPaths } from '../maintenance/maintenanceModels.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'

/** A Prisma client that `fieldEncryption` extended. */
export interface EncryptedClient {
  readonly $encryption: EncryptionOperations & KeyOperations
  $disconnect(): Promise<void>
}

/** What the command `fieldseal` works with; the default export of fieldseal.config.ts. */
export interface FieldsealConfig {
  /** The client as your app extends it, or a function that makes it. */
  readonly client: EncryptedClient | (() => EncryptedClient | Promise<EncryptedClient>)
  /**
   * The database, for reading and writing many rows at once: a connection string, or a Pool of the package `pg`. The
   * environment variable DATABASE_URL unless given.
   */
  readonly database?: string | (PgConnection & { end(): Promise<void> }) | undefined
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined
}

/**
 * Types the configuration of the command `fieldseal`.
 *
 * @example
 * ```ts
 * // fieldseal.config.ts
 * import { defineConfig } from 'fieldseal'
 * import { prisma } from './src/prisma'
 *
 * export default defineConfig({ client: prisma, tenants: { Contact: 'patient.clinicId' } })
 * ```
 */
export function defineConfig(config: FieldsealConfig): FieldsealConfig {
  return config
}
