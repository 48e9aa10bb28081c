import { type AnnotatedModel, annotateModel, refuseOnEnums } from './annotatedModel.js'
import { blindIndexRules } from './blindIndexRules.js'
import { boundColumnRules, missingBoundColumn } from './boundColumnRules.js'
import type { Datamodel } from './datamodel.js'
import { duplicateContext, type EncryptedSubject, encryptedRules } from './encryptedRules.js'
import type { EncryptionSchema } from './encryptionSchema.js'
import { checkKeysModel, checkKeysModelCount, keysModelSource } from './keysModelRules.js'
import { modelSchema } from './modelSchema.js'
import { applyRules, type Problem, type ReportAt, schemaError } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import { tenantRules } from './tenantRules.js'

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
  const needsKeysModel = check({ datamodel, views, annotated }, reportAt)
  refuseOnEnums(datamodel, reportAt)
  if (problems.length > 0) throw schemaError(problems, needsKeysModel ? pasteKeysModel : '')
  return {
    format: 4,
    keysModel: annotated.find(({ isKeys }) => isKeys)?.model.name ?? '',
    models: Object.fromEntries(
      [...annotated].sort(byName).map((model) => [model.model.name, modelSchema(model, { datamodel })]),
    ),
  }
}

const pasteKeysModel = `The model that stores the keys, to paste into the schema:\n\n${keysModelSource}`

function checkProvider(provider: string, reportAt: ReportAt): void {
  if (provider === 'postgresql' || provider === 'postgres') return
  const why = provider === 'cockroachdb' ? ', which is not tested with it' : ''
  reportAt('datasource', `has the provider "${provider}"${why}; this version of fieldseal works with "postgresql" only`)
}

function check(facts: SchemaFacts, reportAt: ReportAt): boolean {
  for (const owner of facts.annotated) checkModel(owner, facts, reportAt)
  const keysModels = facts.annotated.filter(({ isKeys }) => isKeys)
  const incomplete = keysModels.map(({ model }) => checkKeysModel(model, reportAt)).includes(true)
  return checkKeysModelCount(facts.annotated, reportAt) || incomplete
}

function checkModel(owner: AnnotatedModel, facts: SchemaFacts, reportAt: ReportAt): void {
  const place = (field: { readonly name: string }) => `${owner.model.name}.${field.name}`
  for (const field of owner.tenants) applyRules(tenantRules, { field, owner }, place(field), reportAt)
  for (const encrypted of owner.encrypted) {
    const subject = { ...encrypted, owner, facts }
    applyRules([...encryptedRules, duplicateContext], subject, place(encrypted.field), reportAt)
    checkBind(subject, (text) => reportAt(place(encrypted.field), text))
  }
  for (const index of owner.indexes) {
    applyRules(blindIndexRules, { ...index, owner, facts }, place(index.field), reportAt)
  }
}

function checkBind({ options, owner }: EncryptedSubject, report: (text: string) => void): void {
  for (const name of options.bind) {
    const column = owner.model.fields.find((field) => field.name === name)
    if (column === undefined) report(missingBoundColumn(name, owner))
    else applyRules(boundColumnRules, { column, owner }, '', (_, text) => report(text))
  }
}

function byName(a: AnnotatedModel, b: AnnotatedModel): number {
  return a.model.name < b.model.name ? -1 : 1
}
