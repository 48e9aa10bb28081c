import type { AnnotatedModel } from '../../schema/annotatedModel.js'
import type { Annotation, AnnotationName } from '../../schema/annotation.js'
import type { Datamodel, DatamodelField, DatamodelModel } from '../../schema/datamodel.js'
import type { Report, ReportAt } from '../../schema/problem.js'
import { blindIndexOptions, encryptedOptions, noOptions } from './annotationOptions.js'
import { readDocumentation } from './documentation.js'
import { rangeIndexOptions, textIndexOptions } from './tokenIndexOptions.js'

type Drafted = {
  readonly [part in 'tenants' | 'encrypted' | 'indexes' | 'tokenIndexes']: AnnotatedModel[part][number][]
}

/** Reads the annotations of a model and its fields. */
export function annotateModel(model: DatamodelModel, reportAt: ReportAt): AnnotatedModel {
  const draft: Drafted = { tenants: [], encrypted: [], indexes: [], tokenIndexes: [] }
  const isKeys = readModel(model, (problem) => reportAt(model.name, problem))
  for (const field of model.fields)
    readField(field, draft, (problem) => reportAt(`${model.name}.${field.name}`, problem))
  return { model, isKeys, ...draft }
}

/** Reports annotations on enums and their values, which can carry none. */
export function refuseOnEnums({ enums }: Datamodel, reportAt: ReportAt): void {
  for (const { name, documentation, values } of enums) {
    refuseAll(documentation, (problem) => reportAt(name, problem))
    for (const value of values) refuseAll(value.documentation, (problem) => reportAt(`${name}.${value.name}`, problem))
  }
}

function readModel({ documentation }: DatamodelModel, report: Report): boolean {
  const { found, damaged } = readOnce(documentation, report)
  for (const annotation of found) {
    if (annotation.name === 'encryptionKeys') noOptions(annotation, report)
    else report(`\`@${annotation.name}\` stands on a model; put it on the field that it means`)
  }
  return damaged.includes('encryptionKeys') || found.some(({ name }) => name === 'encryptionKeys')
}

function readField(field: DatamodelField, draft: Drafted, report: Report): void {
  const { found, damaged } = readOnce(field.documentation, report)
  const [first, second] = found
  if (second !== undefined) {
    report(
      `\`@${first!.name}\` and \`@${second.name}\` exclude each other on one field; put each on a field of its own`,
    )
  }
  for (const annotation of found) readFieldAnnotation(annotation, field, draft, report)
  for (const name of damaged) assumeDefaults(name, field, draft)
}

function readFieldAnnotation(annotation: Annotation, field: DatamodelField, draft: Drafted, report: Report): void {
  switch (annotation.name) {
    case 'encrypted':
      draft.encrypted.push({ field, options: encryptedOptions(annotation, report) })
      return
    case 'blindIndex':
      draft.indexes.push({ field, options: blindIndexOptions(annotation, report) })
      return
    case 'textIndex':
      draft.tokenIndexes.push({ field, options: textIndexOptions(annotation, report) })
      return
    case 'rangeIndex':
      draft.tokenIndexes.push({ field, options: rangeIndexOptions(annotation, report) })
      return
    case 'tenant':
      noOptions(annotation, report)
      draft.tenants.push(field)
      return
    case 'encryptionKeys':
      report('`@encryptionKeys` stands on a field; put it on the line before the model that stores the keys')
      return
    default:
      annotation.name satisfies never
  }
}

/** An unreadable annotation is reported once; taking it for its plain form keeps follow-up problems away. */
function assumeDefaults(name: AnnotationName, field: DatamodelField, draft: Drafted): void {
  if (name === 'encrypted') draft.encrypted.push({ field, options: { bind: [] } })
  if (name === 'tenant') draft.tenants.push(field)
}

function readOnce(documentation: string | undefined, report: Report) {
  const { annotations, damaged, problems } = readDocumentation(documentation)
  for (const problem of problems) report(problem)
  const found = new Map<AnnotationName, Annotation>()
  for (const annotation of annotations) {
    if (found.has(annotation.name)) report(`\`@${annotation.name}\` is written twice; keep one`)
    found.set(annotation.name, annotation)
  }
  return { found: [...found.values()], damaged }
}

function refuseAll(documentation: string | undefined, report: Report): void {
  for (const { name } of readOnce(documentation, report).found) {
    report(`\`@${name}\` stands on an enum, which cannot carry it; put it on a model's String, Bytes or Json field`)
  }
}
