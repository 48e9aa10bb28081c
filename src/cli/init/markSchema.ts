import type { InitAnswers } from './answers.js'
import { hasAttribute, indexesOf, keysOf, nativeType, tenantColumnProblem } from './schemaCandidates.js'
import type { SchemaField, SchemaModel } from './schemaModels.js'
import { edited, lineEndOf, type TextEdit } from './schemaText.js'

/** What of the answers is written into a schema. */
export type Marks = Pick<InitAnswers, 'fields' | 'blindIndexes' | 'tenancy' | 'migrating'>

/** A schema file with marks, their blind indexes, and what was unique or indexed moved to these. */
export function markSchema(text: string, models: readonly SchemaModel[], marks: Marks): string {
  const end = lineEndOf(text)
  return edited(
    text,
    models
      .flatMap((model) => modelEdits(text, model, marks))
      .map((edit) => ({ ...edit, insert: edit.insert.replaceAll('\n', end) })),
  )
}

function modelEdits(text: string, model: SchemaModel, marks: Marks): TextEdit[] {
  const chosen = model.fields.filter(({ name }) => marks.fields.includes(`${model.name}.${name}`))
  if (chosen.length === 0) return []
  const indexes = new Map(
    chosen
      .filter((field) => needsIndex(model, field) || marks.blindIndexes.includes(`${model.name}.${field.name}`))
      .map((field) => [field.name, indexName(model, field)]),
  )
  return [
    ...chosen.flatMap((field) => fieldEdits(text, field, indexes.get(field.name), marks)),
    ...keysOf(model, 'unique', 'index').flatMap((key) => keyEdits(text, key, indexes, marks)),
    ...tenantEdits(text, model, marks),
  ]
}

function needsIndex(model: SchemaModel, field: SchemaField): boolean {
  return hasAttribute(field, 'unique') || indexesOf(model, field).length > 0
}

function indexName({ fields }: SchemaModel, { name }: SchemaField): string {
  const taken = new Set(fields.map((field) => field.name))
  const candidates = name.includes('_')
    ? [`${name}_index`, `${name}_blind_index`]
    : [`${name}Index`, `${name}BlindIndex`]
  return candidates.find((one) => !taken.has(one)) ?? `${name}FieldsealIndex`
}

function fieldEdits(text: string, field: SchemaField, index: string | undefined, { migrating }: Marks): TextEdit[] {
  const annotation = migrating ? '@encrypted(migrating)' : '@encrypted'
  const mark = annotated(text, field, annotation)
  const shorter =
    nativeType(field) === 'VarChar' ? attributeEdits(field, /@(\w+)\.VarChar\s*\([^)]*\)/, '@$1.Text') : []
  if (index === undefined) return [...shorter, mark]
  const unique = /\s*@unique\b(\s*\([^)]*\))?/.exec(field.attributes)
  const line = indexLine(text, field, index, unique?.[0].trim())
  return [
    ...shorter,
    ...(unique ? [{ at: field.attributesAt + unique.index, remove: unique[0].length, insert: '' }] : []),
    mark,
    { at: field.next, remove: 0, insert: line },
  ]
}

function attributeEdits({ attributes, attributesAt }: SchemaField, from: RegExp, to: string): TextEdit[] {
  const found = from.exec(attributes)
  if (!found) return []
  return [{ at: attributesAt + found.index, remove: found[0].length, insert: found[0].replace(from, to) }]
}

/** Beside the field, or above it where a comment stands beside it. */
function annotated(text: string, field: SchemaField, annotation: string): TextEdit {
  if (!field.hasComment) return { at: field.end, remove: 0, insert: ` /// ${annotation}` }
  return { at: field.line, remove: 0, insert: `${indentOf(text, field)}/// ${annotation}\n` }
}

function indentOf(text: string, { line }: { readonly line: number }): string {
  return /^[ \t]*/.exec(text.slice(line))![0]
}

function indexLine(text: string, field: SchemaField, index: string, unique: string | undefined): string {
  const indent = indentOf(text, field)
  const name = `${indent}${index}`.padEnd(field.typeAt - field.line - 1)
  const column = /@map\(\s*(?:name:\s*)?"([^"]+)"/.exec(field.attributes)?.[1]
  const attributes = [column && ` @map(${JSON.stringify(`${column}_index`)})`, unique && ` ${unique}`]
  const options = normalizers(field)
  return `${name} String?${attributes.filter(Boolean).join('')} /// @blindIndex(${field.name}${options})\n`
}

/** How values are made alike that mean the same. */
export function normalizersOf(name: string): readonly string[] {
  if (/e?mail$/i.test(name)) return ['trim', 'lowercase']
  return /(phone|mobile|fax)$/i.test(name) ? ['digits'] : []
}

function normalizers({ name, type }: SchemaField): string {
  const names = type === 'String' ? normalizersOf(name) : []
  return names.length === 0 ? '' : `, normalize: [${names.join(', ')}]`
}

type Key = ReturnType<typeof keysOf>[number]

/** An index over what is plaintext yet stays, beside that of what is encrypted. */
function keyEdits(text: string, key: Key, indexes: ReadonlyMap<string, string>, { migrating }: Marks): TextEdit[] {
  if (!key.fields.some((field) => indexes.has(field))) return []
  const { attribute, from, to } = key
  const names = key.fields.map((field) => indexes.get(field) ?? field).join(', ')
  if (migrating && key.kind === 'index')
    return [{ at: attribute.next, remove: 0, insert: `${indentOf(text, attribute)}@@index([${names}])\n` }]
  return [{ at: attribute.at + from, remove: to - from, insert: names }]
}

function tenantEdits(text: string, model: SchemaModel, { tenancy }: Marks): TextEdit[] {
  if (tenancy.kind === 'single' || tenancyOf(model) !== undefined) return []
  const field = model.fields.find(({ name }) => name === tenancy.column)
  return field && tenantColumnProblem(field) === undefined ? [annotated(text, field, '@tenant')] : []
}

/** The column that a model's annotation says holds its tenant. */
export function tenancyOf({ fields }: SchemaModel): string | undefined {
  return fields.find(({ documentation }) => /@tenant\b/.test(documentation))?.name
}
