export { defineConfig, type FieldsealConfig } from './cli/config.js'
export { type ErrorCode, FieldsealError } from './errors.js'
export type {
  DekIdentity,
  EncryptsValues,
  GeneratedDek,
  Kms,
  KmsParts,
  Purpose,
  Rewraps,
  TakesOver,
  ValueIdentity,
  WrappedDek,
} from './keys/kms.js'
export type { AccessOptions } from './tenancy/access.js'
export { withTenant } from './tenancy/tenant.js'
