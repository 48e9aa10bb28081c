import type { BlindIndexSchema, EncryptedFieldSchema, ModelSchema } from '../../../schema/encryptionSchema.js'
import { type Column, type ColumnTypes, columnTypes } from './columnTypes.js'
import { filterType, searchable } from './filterTypes.js'
import { capitalized, type ModelFile } from './modelFile.js'
import { creates, orderBy, updates, wheres } from './modelTypes.js'
import { narrowUniques } from './narrowUniques.js'
import { type FieldTypes, fieldTypes, isPlainValue } from './valueTypes.js'

/** Makes the types of a model's file say what its encrypted fields and their indexes are. */
export function narrowModel(file: ModelFile): void {
  for (const [name, field] of Object.entries(file.model.encrypted)) narrowField(file, name, field)
  for (const column of indexColumns(file.name, file.model)) narrowIndex(file, column)
  refuseLeftOver(file)
  narrowUniques(file)
  narrowRelevance(file)
}

function narrowField(file: ModelFile, field: string, spec: EncryptedFieldSchema): void {
  const { name, model, source } = file
  const present = columnTypes(columnOf(name, field, spec))
  const types = fieldTypes(spec, file.enumOf(field))
  if (!isPlainValue(spec)) narrowValue(file, field, present, types)
  const filter = filterType(spec, searchable(model, field), types.value.write)
  for (const declaration of wheres(file)) source.retype(declaration, field, present.where, filter)
  const having = source.get(`${name}ScalarWhereWithAggregatesInput`)
  source.retype(having, field, present.having, countFilter(present.having))
  refuseOrder(file, field, present)
  const references = source.get(`${name}FieldRefs`)
  source.retype(references, field, present.reference, `Prisma.FieldRef<"${name}", 'Encrypted'>`)
}

function narrowValue(file: ModelFile, field: string, present: ColumnTypes, types: FieldTypes): void {
  const { name, source } = file
  source.retype(source.inner(source.get(`$${name}Payload`), 'scalars'), field, present.read, types.read)
  for (const create of creates(file)) source.retype(create, field, present.create, types.create)
  for (const update of updates(file)) source.retype(update, field, present.update, types.update)
}

/** Its column is filled from the fields that it indexes, never by hand. */
function narrowIndex(file: ModelFile, column: Column): void {
  const { field } = column
  const present = columnTypes(column)
  for (const create of creates(file)) file.source.retype(create, field, present.create, 'never')
  for (const update of updates(file)) file.source.retype(update, field, present.update, 'never')
}

/** Of what Prisma lets groups be chosen by, the number of values. */
function countFilter(having: string): string {
  const filter = /^Prisma\.\w+WithAggregatesFilter<"\w+">/.exec(having)?.[0]
  return filter === undefined ? 'never' : `Pick<${filter}, '_count'>`
}

/** Ciphertexts have no order, no least and no greatest. */
function refuseOrder(file: ModelFile, field: string, present: ColumnTypes): void {
  const { name, source } = file
  for (const kind of ['WithRelation', 'WithAggregation']) {
    source.retype(orderBy(file, kind), field, present.order, 'never')
  }
  for (const aggregate of ['Max', 'Min']) {
    const order = source.get(`${name}${aggregate}OrderByAggregateInput`)
    if (source.has(order, field)) source.retype(order, field, 'Prisma.SortOrder', 'never')
  }
  for (const aggregate of ['Max', 'Min']) {
    const input = source.get(`${capitalized(name)}${aggregate}AggregateInputType`)
    if (source.has(input, field)) source.retype(input, field, 'true', 'never')
  }
}

/** With the preview feature fullTextSearchPostgres, rows can be sorted by how well they match. */
function narrowRelevance({ name, model, source }: ModelFile): void {
  const relevance = source.find(`${name}OrderByRelevanceInput`)
  if (relevance === undefined) return
  const all = `Prisma.${name}OrderByRelevanceFieldEnum`
  const open = `Exclude<${all}, ${Object.keys(model.encrypted)
    .map((field) => JSON.stringify(field))
    .join(' | ')}>`
  source.retype(relevance, 'fields', `${all} | ${all}[]`, `${open} | ${open}[]`)
}

/** Whatever still says what a plain column could do was not found above. */
function refuseLeftOver({ name, model, source }: ModelFile): void {
  const types = new Map<string, ReadonlySet<string>>()
  for (const [field, spec] of Object.entries(model.encrypted)) {
    const { where, having, update } = columnTypes(columnOf(name, field, spec))
    types.set(field, new Set(isPlainValue(spec) ? [where, having] : [where, having, update]))
  }
  for (const column of indexColumns(name, model)) types.set(column.field, new Set([columnTypes(column).update]))
  const left = source.leftOver(types)
  if (left !== undefined) source.unexpected(`\`${left.trim()}\` stands where it is not expected`)
}

function columnOf(model: string, field: string, { type, required, list }: EncryptedFieldSchema): Column {
  return { model, field, type, nullable: !required, list: list === true }
}

/** The columns of its blind indexes, and those of tokens. */
function indexColumns(name: string, { indexes, tokenIndexes = {} }: ModelSchema): Column[] {
  return [
    ...Object.entries(indexes).map(([field, { type }]) => indexColumn(name, field, type)),
    ...Object.keys(tokenIndexes).map((field) => tokenColumn(name, field)),
  ]
}

function indexColumn(model: string, field: string, type: BlindIndexSchema['type']): Column {
  return { model, field, type, nullable: true, list: false }
}

function tokenColumn(model: string, field: string): Column {
  return { model, field, type: 'String', nullable: false, list: true }
}
