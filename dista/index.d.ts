import { F as PgConnection, h as TenantPaths, t as EncryptionOperations, w as KeyOperations } from "./rawRows-DN3Bc_uM.js";
import { n as FieldsealError, t as ErrorCode } from "./errors-COogc9D_.js";
import { a as WrappedDek, i as Purpose, n as GeneratedDek, r as Kms, t as DekIdentity } from "./kms-EJ-Z6w4-.js";

//#region src/cli/config.d.ts
/** A Prisma client that `fieldEncryption` extended. */
interface EncryptedClient {
  readonly $encryption: EncryptionOperations & KeyOperations;
  $disconnect(): Promise<void>;
}
/** What the command `fieldseal` works with; the default export of fieldseal.config.ts. */
interface FieldsealConfig {
  /** The client as your app extends it, or a function that makes it. */
  readonly client: EncryptedClient | (() => EncryptedClient | Promise<EncryptedClient>);
  /**
   * The database, for reading and writing many rows at once: a connection string, or a Pool of the package `pg`. The
   * environment variable DATABASE_URL unless given.
   */
  readonly database?: string | (PgConnection & {
    end(): Promise<void>;
  }) | undefined;
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined;
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
declare function defineConfig(config: FieldsealConfig): FieldsealConfig;
//#endregion
//#region src/tenant.d.ts
/**
 * Runs `fn` with a tenant for every operation on encrypted fields in it, however deep and across `await`s. A Prisma
 * query that `fn` returns without awaiting it keeps the tenant.
 *
 * @param tenant the tenant's id, as the application knows it
 * @returns what `fn` returns
 * @throws FieldsealError `TENANT_INVALID`
 *
 * @example
 * ```ts
 * import { withTenant } from 'fieldseal'
 *
 * app.use((request, response, next) => withTenant(request.user.tenantId, next))
 * ```
 */
declare function withTenant<T>(tenant: string, fn: () => T): T;
//#endregion
export { type DekIdentity, type ErrorCode, type FieldsealConfig, FieldsealError, type GeneratedDek, type Kms, type Purpose, type WrappedDek, defineConfig, withTenant };