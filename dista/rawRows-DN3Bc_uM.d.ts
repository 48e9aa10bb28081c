import { n as FieldsealError, t as ErrorCode } from "./errors-COogc9D_.js";
import { i as Purpose, r as Kms } from "./kms-EJ-Z6w4-.js";
import { t as KmsOfStore } from "./kmsOfStore-BlIlLp_S.js";

//#region src/postgres/sql.d.ts
/** What is used of a `pg` Pool or Client, by structure. */
interface PgConnection {
  query(config: PgQuery): Promise<{
    readonly rows: unknown[];
    readonly rowCount: number | null;
  }>;
}
interface PgQuery {
  readonly text: string;
  readonly values: unknown[];
  readonly rowMode: 'array';
  readonly types: {
    getTypeParser(): (text: string) => unknown;
  };
}
//#endregion
//#region src/maintenance/keyWalk.d.ts
/** What every operation on many keys takes. */
interface WalkOptions {
  /** Only the keys of these tenants; all unless given. */
  readonly tenants?: string | readonly string[];
  /** Keys begun per second: a part of the KMS's quota. */
  readonly rate?: number;
  /** Keys worked on at once; 10 unless given. */
  readonly concurrency?: number;
  /** Ends the work after the keys that are being worked on; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Goes on after the cursor of an earlier run's last progress. */
  readonly after?: string;
  /** Told after each key. */
  readonly onProgress?: (progress: KeyProgress) => void;
}
/** What became of a key. */
type KeyOutcome = 'changed' | 'unchanged' | 'failed';
interface KeyProgress {
  readonly tenant: string;
  /** The DEK's id. */
  readonly key: string;
  readonly outcome: KeyOutcome;
  /** Keys that this run has seen to, this one included. */
  readonly done: number;
  /** Keys that there were to see to when the run began. */
  readonly total: number;
  /** Where another run can go on; everything up to it is done. Not given before the first keys are. */
  readonly cursor: string | undefined;
}
interface KeyFailure {
  readonly tenant: string;
  readonly key: string;
  readonly error: FieldsealError;
}
interface WalkReport {
  readonly changed: number;
  readonly unchanged: number;
  /** Keys that cannot be worked on; the others were. */
  readonly failed: readonly KeyFailure[];
}
//#endregion
//#region src/maintenance/rewrap.d.ts
interface RewrapOptions extends WalkOptions {
  /** The KMS that wraps the DEKs now, where it is another one, or another region or account. */
  readonly from?: Kms | KmsOfStore;
}
//#endregion
//#region src/maintenance/rotate.d.ts
interface RotateOptions extends WalkOptions {
  /** Only DEKs created before this time; now unless given. A run that goes on where another stopped gives the same. */
  readonly before?: Date;
}
//#endregion
//#region src/maintenance/shred.d.ts
/** A key that was destroyed. */
interface DestroyedKey {
  readonly id: string;
  readonly purpose: Purpose;
  readonly version: number;
  readonly createdAt: Date;
  readonly destroyedAt: Date;
}
/** What a crypto-shred did, to be kept as its proof. */
interface ShredReceipt {
  readonly tenant: string;
  /** Every key that the tenant ever had, those destroyed before included. */
  readonly keys: readonly DestroyedKey[];
  readonly requestedAt: Date;
  /** When the wrapped keys were gone from the table. */
  readonly destroyedAt: Date;
  /** The processes that have said that they hold none of these keys any more; this one is the first. */
  readonly acknowledged: readonly string[];
  /** Until when a process that has not may still hold one in memory. */
  readonly heldUntil: Date;
}
//#endregion
//#region src/maintenance/warm.d.ts
interface WarmOptions extends Omit<WalkOptions, 'tenants' | 'after'> {
  /** Which keys; `encrypt` unless given. Reads need that one, writes of and searches by indexed fields also `index`. */
  readonly purposes?: readonly Exclude<Purpose, 'wrap'>[];
}
//#endregion
//#region src/prisma/keyOperations.d.ts
/** Operations on keys, of the tenants that are named or of all. They need no bound tenant. */
interface KeyOperations {
  /**
   * Has a new DEK for values succeed the active one, of each tenant. No row changes; old DEKs decrypt on. DEKs for blind
   * indexes stay, because search needs them.
   *
   * @throws FieldsealError `KEY_STORE_UNAVAILABLE`, `KMS_UNAVAILABLE`, `KMS_THROTTLED`, `KMS_DENIED`, after which another
   * run may go on; the signal's reason
   * @example
   * ```ts
   * await prisma.$encryption.rotate({ tenants: 'acme' })
   * ```
   */
  rotate(options?: RotateOptions): Promise<WalkReport>;
  /**
   * Puts every DEK under the newest version of its tenant's KEK, or under another KEK that the `kms` option names by now,
   * or takes DEKs over from another KMS (`from`). Only rows of the keys table change.
   *
   * @throws FieldsealError as `rotate`; `OPTIONS_INVALID` for a KMS that cannot take DEKs over
   * @example
   * ```ts
   * const { changed, failed } = await prisma.$encryption.rewrap({ onProgress: ({ done, total }) => show(done, total) })
   * ```
   */
  rewrap(options?: RewrapOptions): Promise<WalkReport>;
  /**
   * Destroys all keys of a tenant, for good: nothing that they encrypted can be read again, wherever it is, as long as no
   * copy of the keys table is left. The tenant gets no new keys, unless `reopen` is called for it.
   *
   * @returns a receipt to keep
   * @throws FieldsealError `TENANT_INVALID`, `KEY_NOT_FOUND` for a tenant without keys, `KEY_STORE_UNAVAILABLE`
   */
  shred(tenant: string): Promise<ShredReceipt>;
  /**
   * Lets a tenant whose keys were destroyed have new ones, and makes them. What was destroyed stays so.
   *
   * @returns the purposes that have a new key now; none when the tenant's keys are not destroyed
   */
  reopen(tenant: string): Promise<Purpose[]>;
  /**
   * Brings the DEKs of tenants into memory, within the KMS's rate: after a start, before taking traffic. 10,000 tenants
   * take about 34 seconds at the 300 calls per second of Tencent's lowest tier. Tenants without keys get none by it.
   *
   * @throws FieldsealError as `rotate`
   * @example
   * ```ts
   * await prisma.$encryption.warm(busiestTenants, { rate: 100 })
   * ```
   */
  warm(tenants: readonly string[], options?: WarmOptions): Promise<WalkReport>;
  /** Ends the connection of `keys.notify`. The client goes on without. */
  close(): Promise<void>;
}
//#endregion
//#region src/schema/encryptionSchema.d.ts
/**
 * What the generator knows of a Prisma schema and the library needs at run time. `fieldseal-generator` writes it as
 * `encryptionSchema`; it is plain data, the same for every Prisma generator and module format.
 */
interface EncryptionSchema {
  /** The version of this structure. */
  readonly format: 2;
  /** The Prisma model that is marked `@encryptionKeys`. */
  readonly keysModel: string;
  /** All models, by their Prisma name, those without encrypted fields too. */
  readonly models: {
    readonly [model: string]: ModelSchema;
  };
}
interface ModelSchema {
  /** The table's name in the database. */
  readonly table: string;
  /** The fields of the primary key, in order. */
  readonly id: readonly string[];
  /** Compound unique selectors, as in `where: { tenantId_email: { … } }`, and the fields behind each. */
  readonly uniques: {
    readonly [selector: string]: readonly string[];
  };
  /** Scalar fields and their columns in the database. */
  readonly columns: {
    readonly [field: string]: string;
  };
  /** The field marked `@tenant`. */
  readonly tenant?: string;
  /** The fields marked `@encrypted`. */
  readonly encrypted: {
    readonly [field: string]: EncryptedFieldSchema;
  };
  /** The fields marked `@blindIndex`. */
  readonly indexes: {
    readonly [field: string]: BlindIndexSchema;
  };
  /** The columns that ciphertexts are bound to. */
  readonly bound: {
    readonly [field: string]: BoundColumnSchema;
  };
  readonly relations: {
    readonly [field: string]: RelationSchema;
  };
}
/** The Prisma type of a column that holds ciphertext. */
type StorageType = 'String' | 'Bytes' | 'Json';
/** What an encrypted field holds: the name in `@encrypted(type: …)`; `Enum` stands for any enum of the schema. */
type ValueType = StorageType | 'Int' | 'BigInt' | 'Float' | 'Decimal' | 'Boolean' | 'DateTime' | 'Enum';
interface EncryptedFieldSchema {
  readonly type: StorageType;
  readonly required: boolean;
  /** What it holds; left out when that is what its column holds. */
  readonly value?: ValueType;
  /** The names of the enum's values, where `value` is `Enum`. */
  readonly enum?: readonly string[];
  /** A scalar list (`String[]`), stored as a list of one ciphertext. */
  readonly list?: true;
  /** The plaintext is padded to a multiple of so many bytes. */
  readonly pad?: number;
  /** `migrating`: plaintext may still be there. `ejecting`: plaintext is written, ciphertext may still be there. */
  readonly state?: 'migrating' | 'ejecting';
  /** The context in the AAD: `Model.field`, or what `as:` pins. */
  readonly context: string;
  /** The fields of the same row whose values are in the AAD, in order. */
  readonly bind: readonly string[];
}
/** A normaliser that the library has; any other name is one of the `normalizers` option. */
type Normalizer = 'trim' | 'lowercase' | 'nfkc' | 'digits' | 'diacritics';
interface BlindIndexSchema {
  readonly type: 'String' | 'Bytes';
  /** The encrypted fields it indexes: one, or several for lookups by their combination. */
  readonly sources: readonly string[];
  /** Applied to text in the order written. */
  readonly normalize: readonly string[];
  readonly scope: 'tenant' | 'global';
  /** Length in bits, a multiple of 8. */
  readonly bits: number;
  /** The column is unique by itself. */
  readonly unique?: true;
}
interface BoundColumnSchema {
  readonly type: 'String' | 'Uuid' | 'Int' | 'BigInt';
  /** The client-side default that the extension makes itself when the data has no value. */
  readonly default?: ClientDefault;
}
/** `@default(uuid(7))` is `{ name: 'uuid', argument: 7 }`. */
interface ClientDefault {
  readonly name: 'uuid' | 'cuid' | 'ulid' | 'nanoid';
  readonly argument?: number;
}
interface RelationSchema {
  readonly model: string;
  /** Prisma's name of the relation, which its two ends share. */
  readonly relationName: string;
  readonly list: boolean;
  /** Foreign-key fields on this model, and what they refer to; empty on the other side. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}
//#endregion
//#region src/prisma/maintained.d.ts
/** Where the tenant of the rows of models without a `@tenant` column is found. */
interface TenantPaths {
  /** Relations to follow, and a column at the end: `{ Contact: 'patient.clinicId' }`. */
  readonly [model: string]: string;
}
//#endregion
//#region src/maintenance/rowSource.d.ts
/** The primary key of a row as texts, in the key's order. */
type RowKey = readonly string[];
//#endregion
//#region src/maintenance/operation.d.ts
/**
 * - `encrypt`: plaintext becomes ciphertext, and blind indexes are filled
 * - `re-encrypt`: ciphertexts under a retired DEK come under the active one
 * - `reindex`: blind indexes are made again
 * - `decrypt`: ciphertext becomes plaintext, and blind indexes are emptied
 * - `verify`: everything is read and nothing changed
 */
type Operation = 'encrypt' | 're-encrypt' | 'reindex' | 'decrypt' | 'verify';
//#endregion
//#region src/maintenance/problem.d.ts
/** A row that was left as it is, and why. It holds no value but the primary key. */
interface Problem {
  readonly model: string;
  readonly key: RowKey;
  readonly code: ErrorCode;
  readonly message: string;
}
//#endregion
//#region src/maintenance/progressStore.d.ts
interface Counts {
  /** Rows looked at. */
  readonly scanned: number;
  /** Rows changed. */
  readonly changed: number;
  /** Times that a row was changed or locked by somebody else in between, and was read again. */
  readonly conflicts: number;
  /** Rows left as they are because of a problem. */
  readonly skipped: number;
}
//#endregion
//#region src/maintenance/run.d.ts
/** How far a run is. */
interface ProgressEvent extends Counts {
  readonly operation: Operation;
  readonly model: string;
  /** About how many rows the table has. */
  readonly total: number;
}
/** What a run did, from its beginning: an earlier part, before it was interrupted, is counted in. */
interface RunReport extends ProgressEvent {
  /** `done`; `interrupted` by the signal; `stopped` at a problem. */
  readonly outcome: 'done' | 'interrupted' | 'stopped';
  /** It took up where an earlier run had stopped. */
  readonly resumed: boolean;
  /** Rows that a dry run would work on. */
  readonly wanted: number;
  /** The first of the problems; `skipped` counts them all. */
  readonly problems: readonly Problem[];
}
//#endregion
//#region src/prisma/bound.d.ts
/** Values of columns by field name, as far as they are known. */
type KnownValues = {
  readonly [field: string]: unknown;
};
//#endregion
//#region src/prisma/maintain.d.ts
/** Which rows are meant. */
interface Choice {
  /** Models to work on; all that have encrypted fields unless given. */
  readonly models?: readonly string[] | undefined;
  /** Fields to work on, as `Model.field`; all encrypted ones unless given. */
  readonly fields?: readonly string[] | undefined;
  /** Only the rows of this tenant. */
  readonly tenant?: string | undefined;
  /** Where the tenant of models without a `@tenant` column is found: `{ Contact: 'patient.clinicId' }`. */
  readonly tenants?: TenantPaths | undefined;
}
/** What `$encryption.maintain` takes. */
interface MaintainOptions extends Choice {
  readonly operation: Operation;
  /** A Pool of the package `pg`, with two connections or more; Prisma has no part in this. */
  readonly database: PgConnection;
  /** What happens to a row with a problem: it is left as it is (the default), or the run stops. */
  readonly onError?: 'skip' | 'stop' | undefined;
  /** Counts what would be done and changes nothing; makes no key and leaves no trace. */
  readonly dryRun?: boolean | undefined;
  /** The most rows worked on in a second; unlimited unless given. */
  readonly rowsPerSecond?: number | undefined;
  /** Begins anew instead of going on where an unfinished run stopped. */
  readonly restart?: boolean | undefined;
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
  readonly onProblem?: ((problem: Problem) => void) | undefined;
}
//#endregion
//#region src/postgres/survey.d.ts
/** What is stored in an encrypted field, in numbers of rows. */
interface FieldSurvey {
  readonly model: string;
  readonly field: string;
  readonly rows: number;
  readonly null: number;
  readonly plaintext: number;
  readonly ciphertext: number;
  /** Ciphertexts that name no key of the keys table. */
  readonly unknownKey: number;
  /** Ciphertexts by what their key is. */
  readonly versions: readonly VersionSurvey[];
}
interface VersionSurvey {
  readonly version: number;
  readonly state: string;
  readonly rows: number;
}
interface IndexSurvey {
  readonly model: string;
  readonly field: string;
  /** Rows with a value and no index. */
  readonly missing: number;
  /** Rows with an index and no value. */
  readonly stray: number;
}
/** A key without its wrapped text. */
interface KeySurvey {
  readonly id: string;
  readonly tenant: string;
  readonly purpose: string;
  readonly version: number;
  readonly state: string;
  readonly kms: string;
  readonly kekId: string;
  /** Encryptions reserved under it so far. */
  readonly messages: number;
  readonly createdAt: string;
  readonly retiredAt: string | null;
  readonly destroyedAt: string | null;
}
//#endregion
//#region src/prisma/survey.d.ts
/** What `$encryption.survey` takes. */
interface SurveyOptions extends Choice {
  /** A Pool of the package `pg`. */
  readonly database: PgConnection;
}
/** What is encrypted, under which keys, and what is not. */
interface Survey {
  readonly at: string;
  readonly fields: readonly FieldSurvey[];
  readonly indexes: readonly IndexSurvey[];
  readonly keys: readonly KeySurvey[];
}
//#endregion
//#region src/prisma/rawRows.d.ts
/** What `$encryption` offers on an extended client. Tenant rules are those of queries. */
interface EncryptionOperations {
  /**
   * Decrypts rows that raw SQL returned.
   *
   * @param model the Prisma model the rows are of
   * @param rows objects with the fields by their Prisma names or their column names
   * @returns copies of the rows with plaintext in the encrypted fields
   * @throws FieldsealError as a query would
   *
   * @example
   * ```ts
   * const rows = await acme.$queryRaw`SELECT id, email FROM users WHERE id = ${id}`
   * const [user] = await acme.$encryption.decryptRows('User', rows)
   * ```
   */
  decryptRows<Row extends object>(model: string, rows: readonly Row[]): Promise<Row[]>;
  /**
   * Encrypts one value for use in raw SQL.
   *
   * @param field `Model.field`
   * @param value of the field's type
   * @param bound the row's bound columns, for fields with `bind:`
   * @returns text for String and Json columns, bytes for Bytes columns; for a list, a list of one of these
   */
  encrypt(field: string, value: unknown, bound?: KnownValues): Promise<RawValue>;
  /**
   * The blind index of a value, for use in raw SQL.
   *
   * @param field `Model.indexField`, the column marked `@blindIndex`
   * @param value of the indexed field; an array with a value for each, where it indexes several
   */
  blindIndex(field: string, value: unknown): Promise<string | Uint8Array>;
  /**
   * Works on rows that are stored already: encrypts existing plaintext, re-encrypts after a rotation, makes blind indexes
   * again, decrypts, or verifies. Small batches, no long locks, safe beside a running app, resumed where it stopped. The
   * command `fieldseal` calls it; see docs/existing-data.md.
   *
   * @returns what was done, by model
   * @throws FieldsealError `OPTIONS_INVALID`, `TENANT_MISSING`, `DATABASE_UNAVAILABLE`, `KEY_STORE_UNAVAILABLE`, `KMS_*`;
   * what is wrong with single rows is reported instead
   *
   * @example
   * ```ts
   * const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL })
   * const reports = await prisma.$encryption.maintain({ operation: 'encrypt', database: pool })
   * ```
   */
  maintain(options: MaintainOptions): Promise<RunReport[]>;
  /**
   * Counts what the encrypted fields hold: plaintext, ciphertexts by key version, missing indexes; and lists the keys. It
   * reads whole tables, and asks no KMS. The command `fieldseal status` shows it.
   *
   * @throws FieldsealError `OPTIONS_INVALID`, `DATABASE_UNAVAILABLE`
   */
  survey(options: SurveyOptions): Promise<Survey>;
  /**
   * Asks the KMS to unwrap the active key of a tenant, as a health check would. It makes no key.
   *
   * @throws FieldsealError `KMS_*`, `KEY_*`, `TENANT_INVALID`
   */
  checkKey(tenant: string): Promise<void>;
  /** What `prisma generate` wrote and the client works by. */
  readonly schema: EncryptionSchema;
  /** Figures of this process. */
  stats(): EncryptionStats;
}
/** What raw SQL writes into an encrypted column. */
type RawValue = string | Uint8Array | string[] | Uint8Array[];
interface EncryptionStats {
  /** Unwrapped DEKs in memory. */
  readonly cachedDeks: number;
  /** How often a DEK was looked for in memory and found there. */
  readonly cacheHits: number;
  /** How often it was not, or its time was over. */
  readonly cacheMisses: number;
  /** What works on values: the addon, or `node:crypto` where that does not load. */
  readonly engine: 'native' | 'node';
}
//#endregion
export { KeyFailure as A, StorageType as C, ShredReceipt as D, DestroyedKey as E, PgConnection as F, KeyProgress as M, WalkOptions as N, RotateOptions as O, WalkReport as P, RelationSchema as S, WarmOptions as T, BoundColumnSchema as _, FieldSurvey as a, ModelSchema as b, VersionSurvey as c, ProgressEvent as d, RunReport as f, BlindIndexSchema as g, TenantPaths as h, SurveyOptions as i, KeyOutcome as j, RewrapOptions as k, Choice as l, Operation as m, EncryptionStats as n, IndexSurvey as o, Problem as p, Survey as r, KeySurvey as s, EncryptionOperations as t, MaintainOptions as u, EncryptedFieldSchema as v, KeyOperations as w, Normalizer as x, EncryptionSchema as y };