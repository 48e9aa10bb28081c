import { r as Kms } from "../kms-EJ-Z6w4-.js";

//#region src/kms/kek.d.ts
/** Where a local KEK comes from: exactly one of these. */
interface KekSource {
  /** The KEK itself: 32 bytes as base64 or hex. */
  readonly key?: string | undefined;
  /** A file that holds 32 raw bytes, or their base64 or hex. */
  readonly keyFile?: string | undefined;
  /** The name of an environment variable that holds base64 or hex. */
  readonly env?: string | undefined;
}
//#endregion
//#region src/kms/local.d.ts
/** Options of `localKms`. */
interface LocalKmsOptions extends KekSource {
  /** Allows it where NODE_ENV is `production`; `false` unless given. */
  readonly allowInProduction?: boolean | undefined;
}
/**
 * DEKs wrapped by one KEK that your process holds itself: for development and tests. Who takes over the process or
 * reads its files has the KEK and with it all data; a KMS would keep it. A wrapped DEK is
 * `fslk1.` ‖ base64url(nonce(12) ‖ AES-256-GCM(DEK) ‖ tag(16)), AAD = LP("fieldseal/1 local-kms") ‖ LP(encryption context).
 *
 * @throws FieldsealError `OPTIONS_INVALID` for a KEK that is missing or not 32 bytes, and in production unless allowed.
 * Its methods throw `KMS_KEY_UNUSABLE` for a DEK under another KEK, `KMS_REFUSED` for a changed one, `TENANT_INVALID`.
 * @example
 * ```ts
 * import { localKms } from 'fieldseal/local-kms'
 *
 * const kms = localKms({ env: 'FIELDSEAL_KEK' }) // FIELDSEAL_KEK=$(openssl rand -base64 32)
 * ```
 */
declare function localKms(options: LocalKmsOptions): Kms;
//#endregion
export { type KekSource, LocalKmsOptions, localKms };