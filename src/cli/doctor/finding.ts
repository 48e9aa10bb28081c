import type { PgConnection } from '../../maintenance/postgres/sql.js'
import type { Survey } from '../../maintenance/survey.js'
import type { EncryptionSchema, ModelSchema } from '../../schema/encryptionSchema.js'
import type { EncryptedClient } from '../config.js'

/** `problem`: something is wrong. `risk`: it works, and may not stay so. `hint`: worth a look. */
export type Severity = 'problem' | 'risk' | 'hint'

export interface Finding {
  readonly severity: Severity
  /** Which check found it. */
  readonly check: string
  readonly what: string
  /** What to do about it. */
  readonly next: string
}

/** What checks look at. */
export interface DoctorContext {
  readonly client: EncryptedClient
  readonly database: PgConnection
  readonly schema: EncryptionSchema
  readonly survey: Survey
}

export type Check = (context: DoctorContext) => Promise<readonly Finding[]>

/** Else it is a data source of TypeORM, and advice is in the words of its users. */
export function isPrisma(client: EncryptedClient): boolean {
  return '$extends' in client
}

/** Whether a field holds what is made of encrypted ones. */
export function isIndex({ indexes, tokenIndexes = {} }: ModelSchema, field: string): boolean {
  return Object.hasOwn(indexes, field) || Object.hasOwn(tokenIndexes, field)
}

/** All encrypted fields of a schema. */
export function encryptedFields(schema: EncryptionSchema) {
  return Object.entries(schema.models).flatMap(([name, model]) =>
    Object.entries(model.encrypted).map(([field, spec]) => ({
      name,
      model,
      field,
      spec,
      column: model.columns[field]!,
    })),
  )
}
