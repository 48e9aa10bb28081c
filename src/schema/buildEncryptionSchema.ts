import type { AnnotatedModel } from './annotatedModel.js'
import { blindIndexRules } from './blindIndexRules.js'
import { boundColumnRules, missingBoundColumn } from './boundColumnRules.js'
import { duplicateContext, type EncryptedSubject, encryptedRules } from './encryptedRules.js'
import type { EncryptionSchema } from './encryptionSchema.js'
import { checkKeysModel, checkKeysModelCount } from './keysModelRules.js'
import { modelSchema } from './modelSchema.js'
import { applyRules, type ReportAt, type Rule } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import { tenantRules } from './tenantRules.js'
import { tokenIndexRules } from './tokenIndexRules.js'

/**
 * Reports whatever the rules have against the annotated models.
 *
 * @returns whether a right model for the keys would help
 */
export function checkAnnotated(facts: SchemaFacts, reportAt: ReportAt): boolean {
  const rules = [...encryptedRules, duplicateContext(facts.annotated)]
  for (const owner of facts.annotated) checkModel(owner, { facts, rules }, reportAt)
  const keysModels = facts.annotated.filter(({ isKeys }) => isKeys)
  const incomplete = keysModels.map(({ model }) => checkKeysModel(model, facts.wording, reportAt)).includes(true)
  return checkKeysModelCount(facts, reportAt) || incomplete
}

/** What the run time needs of models that passed every check, sorted by name. */
export function buildEncryptionSchema({ annotated, datamodel }: SchemaFacts): EncryptionSchema {
  return {
    format: 4,
    keysModel: annotated.find(({ isKeys }) => isKeys)?.model.name ?? '',
    models: Object.fromEntries(
      [...annotated].sort(byName).map((model) => [model.model.name, modelSchema(model, { datamodel })]),
    ),
  }
}

interface Checks {
  readonly facts: SchemaFacts
  /** For encrypted fields. */
  readonly rules: readonly Rule<EncryptedSubject>[]
}

function checkModel(owner: AnnotatedModel, { facts, rules }: Checks, reportAt: ReportAt): void {
  const place = (field: { readonly name: string }) => `${owner.model.name}.${field.name}`
  for (const field of owner.tenants) applyRules(tenantRules, { field, owner, facts }, place(field), reportAt)
  for (const encrypted of owner.encrypted) {
    const subject = { ...encrypted, owner, facts }
    applyRules(rules, subject, place(encrypted.field), reportAt)
    checkBind(subject, (text) => reportAt(place(encrypted.field), text))
  }
  for (const index of owner.indexes) {
    applyRules(blindIndexRules, { ...index, owner, facts }, place(index.field), reportAt)
  }
  for (const index of owner.tokenIndexes) {
    applyRules(tokenIndexRules, { ...index, owner, facts }, place(index.field), reportAt)
  }
}

function checkBind({ options, owner, facts }: EncryptedSubject, report: (text: string) => void): void {
  for (const name of options.bind) {
    const column = owner.model.fields.find((field) => field.name === name)
    if (column === undefined) report(missingBoundColumn(name, owner, facts.wording))
    else applyRules(boundColumnRules, { column, owner, facts }, '', (_, text) => report(text))
  }
}

function byName(a: AnnotatedModel, b: AnnotatedModel): number {
  return a.model.name < b.model.name ? -1 : 1
}
