import { t as ErrorCode } from "./errors-COogc9D_.js";
import { i as Purpose } from "./kms-EJ-Z6w4-.js";

//#region src/keys/events.d.ts
/** What happened, for logs, alerts and metrics. No event holds a value or a key; tenant and key ids are in plain. */
type EncryptionEvent = /** A new DEK is in the keys table. `previous` is the version that it succeeds. */{
  readonly type: 'key.created';
  readonly tenant: string;
  readonly purpose: Purpose;
  readonly key: string;
  readonly version: number;
  readonly previous: number | undefined;
} /** A new active DEK has taken an older one's place by request or by age. */ | {
  readonly type: 'key.rotated';
  readonly tenant: string;
  readonly key: string;
} /** Keys of a tenant were dropped from memory, because they were destroyed or another process said so. */ | {
  readonly type: 'key.evicted';
  readonly tenant: string;
} /** A DEK served on although it could not be asked for; `code` says why not. */ | {
  readonly type: 'key.stale';
  readonly tenant: string;
  readonly key: string;
  readonly code: ErrorCode;
} /** A call of the KMS has ended; `code` when it failed. Retries within it are one call. */ | {
  readonly type: 'kms.call';
  readonly action: 'generate' | 'unwrap';
  readonly kms: string;
  readonly tenant: string;
  readonly purpose: Purpose;
  readonly key: string;
  readonly milliseconds: number;
  readonly code: ErrorCode | undefined;
} /** A tenant's keys were destroyed by this process. */ | {
  readonly type: 'key.destroyed';
  readonly tenant: string;
  readonly keys: readonly string[];
} /** Values of one field in one operation were encrypted, decrypted or made blind indexes of. */ | {
  readonly type: 'values';
  readonly field: string;
  readonly mode: 'encrypt' | 'decrypt' | 'index';
  readonly count: number;
} /** An operation on encrypted fields was refused or failed in this library. */ | {
  readonly type: 'refused';
  readonly model: string;
  readonly operation: string;
  readonly code: ErrorCode;
};
type Emit = (event: EncryptionEvent) => void;
/** Where a call of the KMS runs inside: a span of a tracer. */
type Around = <T>(call: KmsCall, work: () => Promise<T>) => Promise<T>;
interface KmsCall {
  readonly action: 'generate' | 'unwrap';
  readonly kms: string;
  readonly purpose: Purpose;
  readonly key: string;
}
/** Takes part in what the library does: metrics and traces. */
interface Telemetry {
  readonly onEvent: Emit;
  readonly around?: Around;
  /** Given once: how to read the figures of `$encryption.stats()`. */
  readonly watch?: (stats: () => CacheFigures) => void;
}
interface CacheFigures {
  readonly cachedDeks: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
}
//#endregion
export { Telemetry as a, KmsCall as i, Emit as n, EncryptionEvent as r, Around as t };