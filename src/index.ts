export { defineConfig, type FieldsealConfig } from './cli/config.js'
export { type ErrorCode, FieldsealError } from './errors.js'
export type { DekIdentity, GeneratedDek, Kms, Purpose, ValueIdentity, WrappedDek } from './keys/kms.js'
export { withTenant } from './tenant.js'
