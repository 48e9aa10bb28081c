import type { AuditLog } from '../auditLog/auditLog.js'
import type { EncryptionOperations } from '../client/encryptionOperations.js'
import type { KeyOperations } from '../client/keyOperations.js'
import type { TenantPaths } from '../maintenance/maintenanceModels.js'
import type { PgConnection } from '../maintenance/postgres/sql.js'
import type { UndeclaredColumn } from '../sql/relatives.js'

/** A Prisma client that `fieldEncryption` extended. */
export interface EncryptedClient {
  readonly $encryption: EncryptionOperations & KeyOperations
  /** Of a data source: the columns of views and tables whose use it refuses, as nothing declares what they show. */
  undeclared?(): readonly UndeclaredColumn[]
  $disconnect(): Promise<void>
}

/** A TypeORM data source that encrypts by `fieldEncryption`. */
export interface EncryptedDataSource {
  readonly isInitialized: boolean
  readonly driver: object
  setOptions(options: { synchronize: boolean; migrationsRun: boolean; dropSchema: boolean }): unknown
  initialize(): Promise<unknown>
  destroy(): Promise<void>
}

/** What the command `fieldseal` works with, a client of Prisma or a data source of TypeORM; the default export of fieldseal.config.ts. */
export interface FieldsealConfig {
  /** The client as your app extends it, or a function that makes it. */
  readonly client?: EncryptedClient | (() => EncryptedClient | Promise<EncryptedClient>) | undefined
  /**
   * The data source that your app has encrypt, or a function that makes it. Commands initialise it, without `synchronize`,
   * `migrationsRun` and `dropSchema`, and destroy it at their end.
   */
  readonly dataSource?: EncryptedDataSource | (() => EncryptedDataSource | Promise<EncryptedDataSource>) | undefined
  /**
   * The database, for reading and writing many rows at once: a connection string, or a Pool of the package `pg`. Unless
   * given, that of the data source; with Prisma, what the environment variable DATABASE_URL says.
   */
  readonly database?: string | (PgConnection & { end(): Promise<void> }) | undefined
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined
  /** What `auditLog()` of `fieldseal/audit-log` gave: for `fieldseal audit`. */
  readonly auditLog?: AuditLog | undefined
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
 *
 * @example
 * ```ts
 * // fieldseal.config.ts
 * import { defineConfig } from 'fieldseal'
 * import { dataSource } from './src/dataSource'
 *
 * export default defineConfig({ dataSource })
 * ```
 */
export function defineConfig(config: FieldsealConfig): FieldsealConfig {
  return config
}
