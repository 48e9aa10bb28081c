import { looksPersonal } from '../doctor/names.js'
import { type Candidate, type TenantColumn, tenantRank } from './answers.js'
import type { BlockAttribute, SchemaField, SchemaModel } from './schemaModels.js'

const MARK = /@(encrypted|blindIndex|textIndex|rangeIndex|tenant)\b/
const STORAGE = new Set(['String', 'Bytes', 'Json'])
const NATIVE = new Set(['Text', 'VarChar', 'ByteA', 'JsonB', 'Json'])

/** Fields that hold text, bytes or JSON, and others that look personal, with what is in the way of their encryption. */
export function schemaCandidates(models: readonly SchemaModel[]): Candidate[] {
  return models.flatMap((model): Candidate[] =>
    model.isKeys
      ? []
      : model.fields
          .filter((field) => !MARK.test(field.documentation) && isCandidate(models, model, field))
          .map((field) => ({
            name: `${model.name}.${field.name}`,
            looksPersonal: looksPersonal(field.name),
            problem: fieldProblem(models, model, field),
            canIndex: field.type !== 'Json' && !field.isList,
            needsIndex: hasAttribute(field, 'unique') || indexesOf(model, field).length > 0,
          })),
  )
}

/** Ids and keys of relations are not offered, however personal they look. */
function isCandidate(models: readonly SchemaModel[], model: SchemaModel, field: SchemaField): boolean {
  if (hasAttribute(field, 'id') || hasAttribute(field, 'ignore') || tenantRank(field.name) >= 0) return false
  if (keyOf(models, model, field)) return false
  return STORAGE.has(field.type) || (looksPersonal(field.name) && !models.some(({ name }) => name === field.type))
}

function fieldProblem(models: readonly SchemaModel[], model: SchemaModel, field: SchemaField): string | undefined {
  const { type, isList, attributes } = field
  if (!STORAGE.has(type)) return `is ${type}: make it a String column first, with @encrypted(type: ${type})`
  if (isList && type === 'Json') return 'is a list of Json: put the whole list into one Json field'
  const native = nativeType(field)
  if (native !== undefined && !NATIVE.has(native))
    return `is @db.${native}, which holds no ciphertext: make it @db.Text`
  if (hasAttribute(field, 'default') && !/@default\(\s*\[\s*\]\s*\)/.test(attributes))
    return 'has a @default, which would store plaintext: remove it, and give the value in data'
  if (keysOf(model, 'id').some((key) => key.fields.includes(field.name))) return 'is in the primary key'
  const indexed = hasAttribute(field, 'unique') || indexesOf(model, field).length > 0
  if (indexed && (type === 'Json' || isList)) return 'is unique or in an index, and cannot have a blind index'
  if (isInOtherIndex(model, field)) return 'is in an index with options of its own: move that to a blind index by hand'
  return keyOf(models, model, field) ? 'is a key of a relation' : undefined
}

export function nativeType({ attributes }: SchemaField): string | undefined {
  return /@\w+\.(\w+)/.exec(attributes.replace(/"(?:[^"\\]|\\.)*"/g, '""'))?.[1]
}

export function hasAttribute({ attributes }: SchemaField, name: string): boolean {
  return new RegExp(`(^|\\s)@${name}\\b(?!\\.)`).test(attributes.replace(/"(?:[^"\\]|\\.)*"/g, '""'))
}

/** `@@unique`, `@@index` or `@@id` over names of fields alone. */
export interface BlockKey {
  readonly kind: string
  readonly fields: readonly string[]
  readonly attribute: BlockAttribute
  /** Where the names are, in the attribute's text. */
  readonly from: number
  readonly to: number
}

/** `fields:` may stand behind other arguments: `@@unique(name: "one", fields: [a, b])`. */
const KEY = /@@(\w+)\s*\(\s*(?:\w+\s*:\s*(?:"(?:[^"\\]|\\.)*"|\w+)\s*,\s*)*(?:fields\s*:\s*)?\[([^\]]*)\]/

export function keysOf({ attributes }: SchemaModel, ...kinds: readonly string[]): BlockKey[] {
  return attributes.flatMap((attribute): BlockKey[] => {
    const found = KEY.exec(attribute.text)
    if (!found || !kinds.includes(found[1]!)) return []
    const to = found.index + found[0].length - 1
    const fields = found[2]!.split(',').map((one) => one.trim())
    return [{ kind: found[1]!, fields, attribute, from: to - found[2]!.length, to }]
  })
}

export function indexesOf(model: SchemaModel, field: SchemaField): BlockKey[] {
  return keysOf(model, 'unique', 'index').filter(({ fields }) => fields.includes(field.name))
}

/** Such as `email(ops: …)`, or a full-text index. */
function isInOtherIndex(model: SchemaModel, { name }: SchemaField): boolean {
  return model.attributes.some(({ text }) => {
    const [head = ''] = /@@(unique|index|fulltext)\s*\([^[]*\[[\s\S]*\]/.exec(text) ?? []
    return (
      new RegExp(`\\b${name}\\b\\s*\\(`).test(head) ||
      (head.startsWith('@@fulltext') && new RegExp(`\\b${name}\\b`).test(head))
    )
  })
}

/** Whether a relation is over it, or refers to it. */
function keyOf(models: readonly SchemaModel[], model: SchemaModel, { name }: SchemaField): boolean {
  return (
    model.fields.some((field) => relationNames(field, 'fields').includes(name)) ||
    models.some(({ fields }) =>
      fields.some((field) => field.type === model.name && relationNames(field, 'references').includes(name)),
    )
  )
}

export function relationNames({ attributes }: SchemaField, argument: 'fields' | 'references'): string[] {
  const listed = new RegExp(`@relation\\s*\\([\\s\\S]*?\\b${argument}\\s*:\\s*\\[([^\\]]*)\\]`).exec(attributes)
  return listed ? listed[1]!.split(',').map((one) => one.trim()) : []
}

/** Columns that can be marked `@tenant`, the likeliest first. */
export function schemaTenantColumns(models: readonly SchemaModel[]): TenantColumn[] {
  const columns = new Map<string, string[]>()
  for (const { name, fields } of models.filter(({ isKeys }) => !isKeys))
    for (const field of fields.filter((one) => tenantColumnProblem(one) === undefined))
      columns.set(field.name, [...(columns.get(field.name) ?? []), name])
  return [...columns]
    .map(([name, names]) => ({ name, models: names, isLikely: tenantRank(name) >= 0 || /[a-z](Id|_id)$/.test(name) }))
    .sort((one, other) => likeliness(other) - likeliness(one))
}

function likeliness({ name, models }: TenantColumn): number {
  return tenantRank(name) < 0 ? models.length : Number.MAX_SAFE_INTEGER - tenantRank(name)
}

/** Why a column cannot be marked `@tenant`. */
export function tenantColumnProblem(field: SchemaField): string | undefined {
  const native = nativeType(field)
  if (field.type !== 'String' || field.isList) return `is ${field.type}${field.isList ? '[]' : ''}, not String`
  if (field.isOptional) return 'is optional'
  if (native !== undefined && !['Text', 'VarChar', 'Uuid'].includes(native)) return `is @db.${native}`
  if (/@default\s*\(\s*"/.test(field.attributes)) return 'has a constant @default'
  return undefined
}
