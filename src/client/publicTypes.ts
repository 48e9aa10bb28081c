/*
 * The types that the entry points of both ORMs give to their users.
 */

export type { EncryptionEvent, KmsCall, Telemetry } from '../keys/events.js'
export type { CopiedKey } from '../keys/keyStore.js'
export type { KmsOfStore } from '../keys/kmsOfStore.js'
export type { KmsFailure } from '../keys/kmsProbe.js'
export type { Notify, NotifyConnection } from '../keys/notifications/postgresNotifications.js'
export type { FailedAttempt } from '../keys/retries.js'
export type { MaintainRangeOptions, RangeReport } from '../maintenance/jobs/maintainRange.js'
export type { RangeFailure, RangeJob, RangeQueue, Workers } from '../maintenance/jobs/ranges.js'
export type { KekSurvey } from '../maintenance/kekSurvey.js'
export type { KeyFailure, KeyOutcome, KeyProgress, WalkOptions, WalkReport } from '../maintenance/keys/keyWalk.js'
export type { RestoreKeysOptions, RestoreKeysReport } from '../maintenance/keys/restoreOptions.js'
export type { RewrapOptions } from '../maintenance/keys/rewrap.js'
export type { RotateOptions } from '../maintenance/keys/rotate.js'
export type {
  IndexRotationReport,
  IndexRotationStep,
  RotateIndexKeysOptions,
} from '../maintenance/keys/rotateIndexKeys.js'
export type { DestroyedKey, ShredReceipt } from '../maintenance/keys/shred.js'
export type { WarmOptions } from '../maintenance/keys/warm.js'
export type { MaintainOptions } from '../maintenance/maintain.js'
export type { TenantPaths } from '../maintenance/maintenanceModels.js'
export type { CopyTable } from '../maintenance/postgres/keyCopies.js'
export type { PgConnection } from '../maintenance/postgres/sql.js'
export type { FieldSurvey, IndexSurvey, KeySurvey, VersionSurvey } from '../maintenance/postgres/survey.js'
export type { Operation } from '../maintenance/rows/operation.js'
export type { MaxLag, Strain } from '../maintenance/rows/pressure.js'
export type { Problem } from '../maintenance/rows/problem.js'
export type { ProgressEvent, RunReport } from '../maintenance/rows/run.js'
export type { Selection } from '../maintenance/selection.js'
export type { Survey, SurveyOptions } from '../maintenance/survey.js'
export type { MaskName } from '../masks.js'
export type {
  BlindIndexSchema,
  BoundColumnSchema,
  EncryptedFieldSchema,
  EncryptionSchema,
  ModelSchema,
  Normalizer,
  RangeIndexSchema,
  RelationSchema,
  StorageType,
  TextIndexSchema,
  TokenIndexSchema,
} from '../schema/encryptionSchema.js'
export type { AccessOptions } from '../tenancy/access.js'
export type { AuditEntry, AuditOptions } from './audit.js'
export type { EncryptionOperations, EncryptionStats } from './encryptionOperations.js'
export type { Honeytokens } from './honeytokens.js'
export type { ExportKeysOptions, KeyOperations } from './keyOperations.js'
export type { KeyOptions } from './options.js'
