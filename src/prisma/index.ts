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
export type { FieldEncryptionOptions, KeyOptions } from './options.js'
export type { EncryptionOperations, EncryptionStats } from './rawRows.js'
