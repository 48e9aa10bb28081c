import { checkArguments, checkCallOptions, POOL } from '../callArguments.js'
import { checkTenant } from '../tenancy/tenant.js'
import { type KekSurvey, keksOf } from './kekSurvey.js'
import { keysTable } from './postgres/keysTable.js'
import type { PgConnection } from './postgres/sql.js'
import {
  type FieldSurvey,
  type IndexSurvey,
  type KeySurvey,
  surveyFields,
  surveyIndexes,
  surveyKeys,
} from './postgres/survey.js'
import { SELECTION_KINDS, type Selection, type SelectionContext, selectModels } from './selection.js'

/** What `$encryption.survey` takes. */
export interface SurveyOptions extends Selection {
  /** A Pool of the package `pg`. */
  readonly database: PgConnection
}

/** What is encrypted, under which keys, and what is not. */
export interface Survey {
  readonly at: string
  readonly fields: readonly FieldSurvey[]
  readonly indexes: readonly IndexSurvey[]
  readonly keys: readonly KeySurvey[]
  /** The same keys, counted by the KEK that they are under. */
  readonly keks: readonly KekSurvey[]
}

/** Asks the database, and no KMS. Tables are read one after the other. */
export async function survey(context: SelectionContext, options: SurveyOptions): Promise<Survey> {
  checkCallOptions('survey', options, SELECTION_KINDS)
  const { database, tenant } = options
  checkArguments('survey', { database }, { database: POOL })
  if (tenant !== undefined) checkTenant(tenant)
  const keys = await keysTable(context.schema, database)
  const fields: FieldSurvey[] = []
  const indexes: IndexSurvey[] = []
  for (const one of selectModels(context, options)) {
    fields.push(...(await surveyFields(database, { ...one, keys }, tenant)))
    indexes.push(...(await surveyIndexes(database, { ...one, keys }, tenant)))
  }
  const at = new Date().toISOString()
  const list = await surveyKeys(database, context.schema, tenant)
  return { at, fields, indexes, keys: list, keks: keksOf(list) }
}
