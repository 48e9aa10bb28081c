export type * from '../client/publicTypes.js'
export { withTenant } from '../tenancy/tenant.js'
export type { DataSourceEncryptionOptions } from './dataSourceOptions.js'
export { fieldEncryption } from './fieldEncryption.js'
export { EncryptionKeyColumns, encryptionKeys } from './keys/encryptionKeyColumns.js'
export { blindIndex, encrypted, encryptedView, rangeIndex, tenant, textIndex } from './schema/columns.js'
export {
  BlindIndex,
  Encrypted,
  EncryptedView,
  EncryptionKeys,
  RangeIndex,
  Tenant,
  TextIndex,
} from './schema/decorators.js'
export type {
  BlindIndexOptions,
  EncryptedOptions,
  EncryptedViewOptions,
  RangeIndexOptions,
  TextIndexOptions,
} from './schema/options.js'
export { Words } from './seal/words.js'
export { acrossTenants, encryptionOf, forTenant } from './tenants.js'
