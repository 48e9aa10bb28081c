export type { Notify, NotifyConnection } from '../keys/postgresNews.js'
export type { KeyFailure, KeyOutcome, KeyProgress, WalkOptions, WalkReport } from '../maintenance/keyWalk.js'
export type { RewrapOptions } from '../maintenance/rewrap.js'
export type { RotateOptions } from '../maintenance/rotate.js'
export type { DestroyedKey, ShredReceipt } from '../maintenance/shred.js'
export type { WarmOptions } from '../maintenance/warm.js'
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
export type { KeyOperations } from './keyOperations.js'
export type { FieldEncryptionOptions, KeyOptions } from './options.js'
export type { EncryptionOperations, EncryptionStats } from './rawRows.js'
