import { type DatamodelField, type DatamodelModel, idFields } from './datamodel.js'
import type { ReportAt } from './problem.js'
import type { SchemaFacts } from './schemaFacts.js'
import type { SchemaWording } from './wording.js'

interface KeysField {
  readonly type: 'String' | 'Int' | 'BigInt' | 'DateTime'
  readonly nullable?: true
  /** Left out when a key is stored, so that the schema must provide it. */
  readonly default?: true
  readonly natives?: readonly string[]
}

const exactText = { type: 'String', natives: ['Text', 'VarChar'] } as const

const keysFields: { readonly [field: string]: KeysField } = {
  id: { type: 'String', natives: ['Uuid', 'Text', 'VarChar'] },
  tenant: exactText,
  purpose: exactText,
  version: { type: 'Int' },
  state: exactText,
  wrapped: { type: 'String', nullable: true, natives: ['Text'] },
  kms: exactText,
  kekId: exactText,
  messages: { type: 'BigInt', default: true },
  createdAt: { type: 'DateTime', default: true },
  retiredAt: { type: 'DateTime', nullable: true },
  destroyedAt: { type: 'DateTime', nullable: true },
}

const keyVersion = ['tenant', 'purpose', 'version']

/** Reports whatever the `@encryptionKeys` model lacks; `true` when it lacks something. */
export function checkKeysModel(model: DatamodelModel, wording: SchemaWording, reportAt: ReportAt): boolean {
  let complete = true
  const report = (name: string, text: string) => {
    complete = false
    reportAt(name === '' ? model.name : `${model.name}.${name}`, text)
  }
  for (const [name, wanted] of Object.entries(keysFields)) {
    const text = keysFieldProblem(name, wanted, model, wording)
    if (text !== undefined) report(name, text)
  }
  for (const field of model.fields.filter(isUnknownToInserts)) {
    report(field.name, `is a required ${wording.field} that fieldseal does not fill; ${wording.keys.other}`)
  }
  if (!hasVersionUnique(model)) report('', `lacks ${wording.keys.unique}, which decides races for a new key; add it`)
  return !complete
}

/** Reports when not exactly one model stores the keys; `true` when the user needs the model to paste. */
export function checkKeysModelCount({ annotated, wording }: SchemaFacts, reportAt: ReportAt): boolean {
  const marked = annotated.filter(({ isKeys }) => isKeys)
  const firstEncrypted = annotated.find(({ encrypted }) => encrypted.length > 0)
  for (const { model } of marked.slice(1)) {
    reportAt(
      model.name,
      `is a second ${wording.encryptionKeys} ${wording.model}, after ${marked[0]!.model.name}; keep one`,
    )
  }
  if (marked.length > 0 || firstEncrypted === undefined) return false
  const field = firstEncrypted.encrypted[0]!.field.name
  reportAt(
    `${firstEncrypted.model.name}.${field}`,
    `is encrypted, but no ${wording.model} stores the keys; ${wording.keys.needed}`,
  )
  return true
}

function keysFieldProblem(
  name: string,
  wanted: KeysField,
  model: DatamodelModel,
  wording: SchemaWording,
): string | undefined {
  const field = model.fields.find((candidate) => candidate.name === name)
  if (field === undefined) return `is missing; ${wording.keys.add(name)}`
  const [native] = field.nativeType ?? []
  if (!hasWantedType(field, wanted)) return `has the type ${wording.type(field)}; ${wording.keys.make(name)}`
  if (native !== undefined && wanted.natives !== undefined && !wanted.natives.includes(native)) {
    return `has the ${wording.nativeType(field)}; ${wording.keys.use(wanted.natives[0]!)}`
  }
  if (name === 'id' && idFields(model).join() !== 'id') return `is not the primary key; ${wording.keys.id}`
  if (wanted.default && !field.hasDefaultValue) return `has no default; ${wording.keys.default(name)}`
  return undefined
}

function hasWantedType(field: DatamodelField, wanted: KeysField): boolean {
  return field.type === wanted.type && !field.isList && field.isRequired === (wanted.nullable === undefined)
}

function isUnknownToInserts(field: DatamodelField): boolean {
  const left = Object.hasOwn(keysFields, field.name) || field.kind === 'object' || field.isList
  return !left && field.isRequired && !field.hasDefaultValue && !field.isUpdatedAt
}

function hasVersionUnique({ uniqueIndexes }: DatamodelModel): boolean {
  return uniqueIndexes.some(({ fields }) => [...fields].sort().join() === [...keyVersion].sort().join())
}
