export type { Operation } from '../maintenance/operation.js'
export type { Problem } from '../maintenance/problem.js'
export type { ProgressEvent, RunReport } from '../maintenance/run.js'
export type {
  BlindIndexSchema,
  BoundColumnSchema,
  EncryptedFieldSchema,
  EncryptionSchema,
  ModelSchema,
  Normalizer,
  RelationSchema,
  StorageType,
} from '../schema/encryptionSchema.js'
export { assertEncrypted } from './assertEncrypted.js'
export { type EncryptionMethods, fieldEncryption } from './extension.js'
export type { MaintainOptions } from './maintain.js'
export type { TenantPaths } from './maintained.js'
export type { FieldEncryptionOptions, KeyOptions } from './options.js'
export type { EncryptionOperations, EncryptionStats } from './rawRows.js'
