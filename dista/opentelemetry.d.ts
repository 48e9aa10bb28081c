import { a as Telemetry } from "./events-DReYiB-J.js";

//#region src/opentelemetry.d.ts
/**
 * Metrics and spans through `@opentelemetry/api`, to whatever SDK the app has registered. Attributes are names of fields,
 * codes and ids of keys; tenants are left out, because there may be very many of them.
 *
 * | metric | | attributes |
 * |---|---|---|
 * | `fieldseal.kms.duration` | histogram, s | `action`, `kms`, `outcome`: `ok` or a code |
 * | `fieldseal.values` | counter | `field`, `mode` |
 * | `fieldseal.refusals` | counter | `model`, `operation`, `code` |
 * | `fieldseal.keys.created`, `.rotated`, `.evicted`, `.stale`, `.destroyed` | counters | `purpose` or `code` |
 * | `fieldseal.keys.cache` | observable counter | `result`: `hit` or `miss` |
 * | `fieldseal.keys.held` | observable gauge | |
 *
 * @example
 * ```ts
 * import { openTelemetry } from 'fieldseal/opentelemetry'
 *
 * fieldEncryption({ schema: encryptionSchema, kms, telemetry: openTelemetry() })
 * ```
 */
declare function openTelemetry(): Telemetry;
//#endregion
export { openTelemetry };