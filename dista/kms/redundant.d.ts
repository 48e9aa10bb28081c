import { r as Kms } from "../kms-EJ-Z6w4-.js";

//#region src/kms/redundant.d.ts
/** Options of `redundantKms`. */
interface RedundantKmsOptions {
  /**
   * The KMSs, by names that you choose and keep (`guangzhou`, `shanghai`), in the order in which they are asked. Each needs
   * `wrap`, as `tencentKms` and `localKms` have it.
   */
  readonly members: {
    readonly [name: string]: Kms;
  };
  /** In how many of them a new DEK must be wrapped before it is used; 1 unless given. */
  readonly minimum?: number;
}
/**
 * Each DEK wrapped by several KEKs, in several regions or at several vendors: any one of them opens it, so that the loss
 * of one loses nothing. A wrapped DEK is `fsm1.` ‖ the JSON of `{ member: { kekId, wrapped } }`, in the column that is
 * there already. A member that cannot be reached when a DEK is made is left out; `$encryption.rewrap()` adds it, as it
 * does a member that is new, and drops one that is no longer among them.
 *
 * @throws FieldsealError `OPTIONS_INVALID`. Its methods throw the error of the first member when none helps.
 * @example
 * ```ts
 * import { redundantKms } from 'fieldseal/redundant-kms'
 *
 * const kms = redundantKms({
 *   members: {
 *     guangzhou: tencentKms({ client: guangzhou, keyId: guangzhouKeyId }),
 *     shanghai: tencentKms({ client: shanghai, keyId: shanghaiKeyId }),
 *   },
 * })
 * ```
 */
declare function redundantKms(options: RedundantKmsOptions): Kms;
//#endregion
export { RedundantKmsOptions, redundantKms };