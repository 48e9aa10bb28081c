import { r as Kms } from "../kms-EJ-Z6w4-.js";
import { t as KmsOfStore } from "../kmsOfStore-BlIlLp_S.js";
import { t as Duration } from "../duration-BDb8i1iW.js";

//#region src/kms/hierarchicalOptions.d.ts
/**
 * The group of tenants whose DEKs share an intermediate key, by its name; `null` for a tenant whose DEKs the KMS itself
 * is to wrap.
 */
type GroupOf = (tenant: string) => string | null;
/** Options of `hierarchicalKms`. */
interface HierarchicalKmsOptions {
  /** Wraps the intermediate keys, and unwraps DEKs that it wrapped itself: `tencentKms(…)` or `localKms(…)`. */
  readonly kms: Kms;
  /** Over how many intermediate keys tenants are spread by a hash of their id; 8 unless given. Not with `group`. */
  readonly shards?: number | undefined;
  /** Which tenants share an intermediate key. `() => null` wraps no new DEK with one, for the way back. */
  readonly group?: GroupOf | undefined;
  /** The age at which a group gets a new intermediate key, for the DEKs made from then on; `'90d'` unless given. */
  readonly rotateAfter?: Duration | undefined;
  /** How long an unwrapped intermediate key is used before the KMS is asked again; `'5m'` unless given. */
  readonly ttl?: Duration | undefined;
  /** How much longer one serves while the KMS or the keys table is down; `'1h'` unless given, `0` for no time. */
  readonly staleFor?: Duration | undefined;
  /** How many unwrapped intermediate keys are held at most; 1,000 unless given. */
  readonly max?: number | undefined;
}
//#endregion
//#region src/kms/hierarchical.d.ts
/**
 * For many tenants: their DEKs are wrapped in this process by a handful of intermediate keys, which are kept in the keys
 * table, wrapped by another KMS. That is asked for the intermediate keys only, so its log no longer shows each tenant;
 * docs/scale.md weighs that. DEKs which that KMS wrapped itself are read as before, and `$encryption.rewrap` moves them.
 *
 * @returns what the `kms` option of `fieldEncryption` takes
 * @throws FieldsealError `OPTIONS_INVALID` for options that cannot work. The methods of its `Kms` throw what the other
 * KMS throws; `KMS_KEY_UNUSABLE` for an intermediate key that is lost or was changed, `KMS_REFUSED` for a DEK that was
 * changed, `KEY_STORE_UNAVAILABLE`, `TENANT_INVALID`.
 * @example
 * ```ts
 * import { hierarchicalKms } from 'fieldseal/hierarchical-kms'
 * import { tencentKms } from 'fieldseal/tencent-kms'
 *
 * fieldEncryption({ schema: encryptionSchema, kms: hierarchicalKms({ kms: tencentKms({ client, keyId }) }) })
 * ```
 */
declare function hierarchicalKms(options: HierarchicalKmsOptions): KmsOfStore;
//#endregion
export { type GroupOf, type HierarchicalKmsOptions, type KmsOfStore, hierarchicalKms };