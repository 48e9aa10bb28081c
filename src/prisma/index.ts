export type { AccessOptions } from '../access.js'
export type { EncryptionEvent, KmsCall, Telemetry } from '../keys/events.js'
export type { KmsOfStore } from '../keys/kmsOfStore.js'
export type { Notify, NotifyConnection } from '../keys/postgresNews.js'
export type { FailedAttempt } from '../keys/retries.js'
export type { KmsFailure } from '../keys/trial.js'
export type { KeyFailure, KeyOutcome, KeyProgress, WalkOptions, WalkReport } from '../maintenance/keyWalk.js'
export type { Operation } from '../maintenance/operation.js'
export type { MaxLag, Strain } from '../maintenance/pressure.js'
export type { Problem } from '../maintenance/problem.js'
export type { RangeFailure, RangeJob, RangeQueue, Workers } from '../maintenance/ranges.js'
export type { RewrapOptions } from '../maintenance/rewrap.js'
export type { RotateOptions } from '../maintenance/rotate.js'
export type { ProgressEvent, RunReport } from '../maintenance/run.js'
export type { DestroyedKey, ShredReceipt } from '../maintenance/shred.js'
export type { WarmOptions } from '../maintenance/warm.js'
export type { MaskName } from '../masks/masks.js'
export type { PgConnection } from '../postgres/sql.js'
export type { FieldSurvey, IndexSurvey, KeySurvey, VersionSurvey } from '../postgres/survey.js'
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
export type { Choice } from './choice.js'
export type { EncryptionOperations, EncryptionStats } from './encryptionOperations.js'
export { type EncryptedFieldName, type EncryptionMethods, fieldEncryption } from './extension.js'
export type { KeyOperations } from './keyOperations.js'
export type { MaintainOptions } from './maintain.js'
export type { TenantPaths } from './maintained.js'
export type { MaintainRangeOptions, RangeReport } from './maintainRange.js'
export type { FieldEncryptionOptions, KeyOptions } from './options.js'
export type { Survey, SurveyOptions } from './survey.js'
export type { AuditEntry, AuditOptions } from './watch.js'
