import { buildEncryptionSchema, checkAnnotated } from '../../schema/buildEncryptionSchema.js'
import type { Datamodel } from '../../schema/datamodel.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { type Problem, type ReportAt, schemaError } from '../../schema/problem.js'
import { annotateModel, refuseOnEnums } from './annotateModel.js'
import { keysModelSource } from './keysModelSource.js'
import { PRISMA_SCHEMA_WORDING } from './schemaWording.js'

export interface EncryptionSchemaInput {
  readonly datamodel: Datamodel
  /** The `provider` of the datasource. */
  readonly provider: string
  /** Names of views, which the data model does not tell from models. */
  readonly views?: ReadonlySet<string>
}

/**
 * Makes of an annotated Prisma data model what the library needs at run time.
 *
 * @returns the models sorted by name; `keysModel` is empty when nothing is encrypted and nothing stores keys
 * @throws FieldsealError `SCHEMA_INVALID` listing everything that is wrong, a line each
 */
export function encryptionSchemaOf({
  datamodel,
  provider,
  views = new Set(),
}: EncryptionSchemaInput): EncryptionSchema {
  const problems: Problem[] = []
  const reportAt: ReportAt = (place, text) => problems.push({ place, text })
  checkProvider(provider, reportAt)
  const annotated = datamodel.models.map((model) => annotateModel(model, reportAt))
  const facts = { datamodel, views, annotated, wording: PRISMA_SCHEMA_WORDING }
  const needsKeysModel = checkAnnotated(facts, reportAt)
  refuseOnEnums(datamodel, reportAt)
  if (problems.length > 0) throw schemaError('the Prisma schema', problems, needsKeysModel ? pasteKeysModel : '')
  return buildEncryptionSchema(facts)
}

const pasteKeysModel = `The model that stores the keys, to paste into the schema:\n\n${keysModelSource}`

function checkProvider(provider: string, reportAt: ReportAt): void {
  if (provider === 'postgresql' || provider === 'postgres') return
  const why = provider === 'cockroachdb' ? ', which is not tested with it' : ''
  reportAt('datasource', `has the provider "${provider}"${why}; this version of fieldseal works with "postgresql" only`)
}
