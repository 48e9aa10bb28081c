import { A as KeyFailure, C as StorageType, D as ShredReceipt, E as DestroyedKey, F as PgConnection, M as KeyProgress, N as WalkOptions, O as RotateOptions, P as WalkReport, S as RelationSchema, T as WarmOptions, _ as BoundColumnSchema, a as FieldSurvey, b as ModelSchema, c as VersionSurvey, d as ProgressEvent, f as RunReport, g as BlindIndexSchema, h as TenantPaths, i as SurveyOptions, j as KeyOutcome, k as RewrapOptions, l as Choice, m as Operation, n as EncryptionStats, o as IndexSurvey, p as Problem, r as Survey, s as KeySurvey, t as EncryptionOperations, u as MaintainOptions, v as EncryptedFieldSchema, w as KeyOperations, x as Normalizer, y as EncryptionSchema } from "../rawRows-xjBblG52.cjs";
import { r as Kms } from "../kms-ByobZniR.cjs";
import { a as Telemetry, i as KmsCall, n as Emit, r as EncryptionEvent } from "../events-tnMhbVVB.cjs";
import { t as KmsOfStore } from "../kmsOfStore-DWThYBxa.cjs";
import { t as Duration } from "../duration-CqstiPVy.cjs";
import * as _$_prisma_client_runtime_client0 from "@prisma/client/runtime/client";
import * as _$_prisma_client_extension0 from "@prisma/client/extension";

//#region src/keys/postgresNews.d.ts
/** What is needed of a `Client` of the package `pg`, by structure. */
interface NotifyConnection {
  connect(): Promise<unknown>;
  query(text: string, values?: unknown[]): Promise<unknown>;
  on(event: 'notification', listener: (message: {
    readonly payload?: string | undefined;
  }) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  end(): Promise<void>;
  /** Lets the process end while the connection is open. */
  unref?(): void;
}
/** Makes a new, unconnected `Client`: for the start and after each loss of connection. */
type Notify = () => NotifyConnection | Promise<NotifyConnection>;
//#endregion
//#region src/prisma/normalizers.d.ts
/** Normalisers of the application, by the name that `@blindIndex(normalize: …)` uses. */
interface Normalizers {
  readonly [name: string]: (text: string) => string;
}
//#endregion
//#region src/prisma/watch.d.ts
/** What one operation did to one field of one tenant's rows. */
interface AuditEntry {
  readonly at: Date;
  /** `null`: with `$acrossTenants()`, which may decrypt all tenants' rows. */
  readonly tenant: string | null;
  /** What the app's `actor` function answered. */
  readonly actor: string | undefined;
  /** The Prisma operation, `findMany` or `$encryption.decryptRows`. */
  readonly operation: string;
  /** `Model.field`. */
  readonly field: string;
  /** `index`: a blind index of the field was made, to be stored or searched by. */
  readonly mode: 'encrypt' | 'decrypt' | 'index';
  readonly rows: number;
}
interface AuditOptions {
  /** Who is acting, as the app knows it: from its own AsyncLocalStorage, say. */
  readonly actor?: () => string | undefined;
  /**
   * Told before what was encrypted is sent, and before what was decrypted is handed out. Keep it quick, and hand on what
   * takes time. If it throws, the operation fails with that error.
   */
  readonly record: (entry: AuditEntry) => void;
}
//#endregion
//#region src/prisma/assertEncrypted.d.ts
/**
 * Checks at start that a client encrypts: `$extends` returns a new client, and an app that throws it away would go on
 * in plaintext without a word.
 *
 * @throws FieldsealError `NOT_EXTENDED`
 *
 * @example
 * ```ts
 * assertEncrypted(prisma)
 * app.listen(3000)
 * ```
 */
declare function assertEncrypted(client: object): void;
//#endregion
//#region src/prisma/options.d.ts
/** What `fieldEncryption` takes. */
interface FieldEncryptionOptions {
  /** What `fieldseal-generator` wrote: `import { encryptionSchema } from './generated/encryption'`. */
  readonly schema: EncryptionSchema;
  /**
   * Wraps the DEKs: `tencentKms(…)` from `fieldseal/tencent-kms`, or `localKms(…)` from `fieldseal/local-kms`. For more
   * tenants than such a KMS can be asked for, `hierarchicalKms({ kms })` from `fieldseal/hierarchical-kms`.
   */
  readonly kms: Kms | KmsOfStore;
  /** The tenant of the running request, for apps that know it from a context of their own. */
  readonly tenant?: () => string | undefined;
  /** The tenant of every operation that names none: for single-tenant apps. */
  readonly defaultTenant?: string;
  /**
   * Functions for the names in `@blindIndex(normalize: …)` that are not built in. Each maps a text to a text, always the
   * same; whoever changes one must fill its indexes again.
   */
  readonly normalizers?: Normalizers;
  /** How DEKs are held in memory and when they are succeeded by new ones. */
  readonly keys?: KeyOptions;
  /** Told of what happens to keys and values, for logs and alerts. What it throws is ignored. */
  readonly onEvent?: Emit;
  /** Metrics and traces: `openTelemetry()` from `fieldseal/opentelemetry`. */
  readonly telemetry?: Telemetry;
  /** Told who has encrypted, decrypted and searched which fields of how many rows. */
  readonly audit?: AuditOptions;
}
interface KeyOptions {
  /**
   * How long an unwrapped DEK is used before the keys table and the KMS are asked again, in milliseconds or as `'5m'`.
   * One that is in use is asked for in the last fifth of this time, so that nobody waits for it. Default 5 minutes.
   */
  readonly ttl?: Duration;
  /** How many unwrapped DEKs are held at most. Default 10,000. */
  readonly max?: number;
  /**
   * How long an operation inside an interactive transaction waits for a DEK that is not in memory, in milliseconds.
   * The keys table is read outside the transaction, which needs a second connection. Default 2,000.
   */
  readonly transactionWait?: Duration;
  /**
   * The age at which a tenant's DEK for values is succeeded by a new one, by the first write that finds it so old. It
   * serves on while no new one can be made, and decrypts for ever. Default `'90d'`.
   */
  readonly rotateAfter?: Duration;
  /**
   * How many values are encrypted under one DEK, over all processes, before a new one succeeds it. Never passed: processes
   * reserve messages in the keys table before they encrypt. Default and most 2³² (NIST SP 800-38D); 1 gives each value a
   * key of its own.
   */
  readonly maxMessages?: number;
  /**
   * How much longer than `ttl` a DEK may serve while the KMS or the keys table is down, in milliseconds or as `'1h'`.
   * Never one that the keys table shows as destroyed. 0 switches it off. Default 1 hour.
   */
  readonly staleFor?: Duration;
  /**
   * Makes a PostgreSQL connection by which processes tell each other at once of keys that are rotated or destroyed.
   * Without it they find out when `ttl` is over.
   *
   * @example
   * ```ts
   * const keys = { notify: () => new pg.Client({ connectionString: process.env.DATABASE_URL }) }
   * ```
   */
  readonly notify?: Notify;
}
//#endregion
//#region src/prisma/extension.d.ts
/** What the extension adds to a client. */
type EncryptionMethods = {
  /**
   * The same client for one tenant: everything it writes is encrypted under this tenant's DEK, and only this tenant's
   * rows can be decrypted. Cheap enough to make for every request.
   *
   * @throws FieldsealError `TENANT_INVALID`
   */
  $forTenant<Client>(this: Client, tenant: string): Client; /** The same client for maintenance: decrypts every tenant's rows, and writes for the tenant in the `@tenant` column. */
  $acrossTenants<Client>(this: Client): Client; /** Operations on keys, helpers for raw SQL, and figures. */
  $encryption: EncryptionOperations & KeyOperations;
};
/**
 * The Prisma client extension that encrypts the fields marked `@encrypted` in the schema.
 *
 * @throws FieldsealError `OPTIONS_INVALID`; `ALREADY_EXTENDED` when the client is extended with it twice
 *
 * @example
 * ```ts
 * import { fieldEncryption } from 'fieldseal/prisma'
 * import { localKms } from 'fieldseal/local-kms'
 * import { encryptionSchema } from './generated/encryption'
 *
 * const prisma = new PrismaClient({ adapter }).$extends(
 *   fieldEncryption({ schema: encryptionSchema, kms: localKms({ env: 'FIELDSEAL_KEY' }) }),
 * )
 * const acme = prisma.$forTenant('acme')
 * ```
 */
declare function fieldEncryption(options: FieldEncryptionOptions): (client: any) => _$_prisma_client_extension0.PrismaClientExtends<_$_prisma_client_runtime_client0.InternalArgs<{}, {}, {}, EncryptionMethods> & _$_prisma_client_runtime_client0.DefaultArgs>;
//#endregion
export { type AuditEntry, type AuditOptions, type BlindIndexSchema, type BoundColumnSchema, type Choice, type DestroyedKey, type EncryptedFieldSchema, type EncryptionEvent, type EncryptionMethods, type EncryptionOperations, type EncryptionSchema, type EncryptionStats, type FieldEncryptionOptions, type FieldSurvey, type IndexSurvey, type KeyFailure, type KeyOperations, type KeyOptions, type KeyOutcome, type KeyProgress, type KeySurvey, type KmsCall, type KmsOfStore, type MaintainOptions, type ModelSchema, type Normalizer, type Notify, type NotifyConnection, type Operation, type PgConnection, type Problem, type ProgressEvent, type RelationSchema, type RewrapOptions, type RotateOptions, type RunReport, type ShredReceipt, type StorageType, type Survey, type SurveyOptions, type Telemetry, type TenantPaths, type VersionSurvey, type WalkOptions, type WalkReport, type WarmOptions, assertEncrypted, fieldEncryption };