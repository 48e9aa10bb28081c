import { keysModelSource } from '../../src/prisma/schema/keysModelSource.js'
import {
  type Column,
  type Index,
  LEVELS,
  type Model,
  RANGES,
  type Relation,
  type Schema,
  selectorOf,
  TEXT_PARTS,
  type TokenIndex,
} from './schema.js'

export type Twin = 'plain' | 'encrypted'

/** The Prisma schema of one of the twins. */
export function prismaSchema(schema: Schema, twin: Twin, provider: string): string {
  const generator = `generator encryption {\n  provider = ${JSON.stringify(provider)}\n  output = "./generated/encryption"\n}`
  return [
    'generator client {\n  provider = "prisma-client"\n  output = "./generated/client"\n  moduleFormat = "esm"\n}',
    ...(twin === 'encrypted' ? [generator] : []),
    'datasource db {\n  provider = "postgresql"\n}',
    `enum Level {\n${LEVELS.map((level) => `  ${level}`).join('\n')}\n}`,
    ...schema.models.map((model) => modelText(model, twin)),
    ...(twin === 'encrypted' ? [keysModelSource] : []),
  ].join('\n\n')
}

function modelText(model: Model, twin: Twin): string {
  const lines = [
    ...model.columns.flatMap((column) => columnLines(model, column, twin)),
    ...model.relations.map((relation) => relationLine(relation)),
    ...(twin === 'encrypted'
      ? model.groups.map(({ column, sources }) => `${column} String? /// @blindIndex([${sources.join(', ')}])`)
      : []),
    ...(model.id.length > 1 ? [`@@id([${model.id.join(', ')}])`] : []),
    ...model.uniques.map((unique) => uniqueLine(model, unique, twin)),
    ...(model.table ? [`@@map("${model.table}")`] : []),
  ]
  return `model ${model.name} {\n${lines.map((line) => `  ${line}`).join('\n')}\n}`
}

function columnLines(model: Model, column: Column, twin: Twin): string[] {
  const attributes = [
    ...(model.id.length === 1 && model.id[0] === column.name ? ['@id'] : []),
    ...(column.kind === 'Uuid' ? ['@db.Uuid'] : []),
    ...(column.unique && !(column.encrypted && twin === 'encrypted') ? ['@unique'] : []),
    ...(column.column ? [`@map("${column.column}")`] : []),
  ]
  if (twin === 'plain' || !column.encrypted) {
    const tenant = twin === 'encrypted' && column.tenant ? ' /// @tenant' : ''
    return [`${column.name} ${nativeType(column)} ${attributes.join(' ')}${tenant}`]
  }
  const stored = `${column.name} ${storedType(column)} ${attributes.join(' ')} /// ${annotation(column)}`
  const { indexes, tokens } = column.encrypted
  return [stored, ...indexes.map((index) => indexLine(column, index)), ...(tokens ? [tokensLine(column, tokens)] : [])]
}

const NATIVE: { readonly [kind: string]: string } = { Uuid: 'String', Enum: 'Level' }

function nativeType({ kind, optional, list }: Column): string {
  return `${NATIVE[kind] ?? kind}${list ? '[]' : optional ? '?' : ''}`
}

function storedType({ encrypted, optional, list }: Column): string {
  return `${encrypted!.storage}${list ? '[]' : optional ? '?' : ''}`
}

function annotation({ kind, encrypted }: Column): string {
  const { storage, bind, pad, migrating } = encrypted!
  const options = [
    ...(migrating ? ['migrating'] : []),
    ...(kind !== storage ? [`type: ${NATIVE[kind] ?? kind}`] : []),
    ...(bind.length > 0 ? [`bind: [${bind.join(', ')}]`] : []),
    ...(pad ? [`pad: ${pad}`] : []),
  ]
  return `@encrypted${options.length > 0 ? `(${options.join(', ')})` : ''}`
}

function indexLine({ name }: Column, { column, storage, scope, bits, unique }: Index): string {
  const options = [name, ...(scope === 'global' ? ['scope: global'] : []), ...(bits !== 128 ? [`bits: ${bits}`] : [])]
  return `${column} ${storage}? ${unique ? '@unique ' : ''}/// @blindIndex(${options.join(', ')})`
}

function tokensLine({ name, kind }: Column, { column, scope }: TokenIndex): string {
  const { prefix, suffix, grams } = TEXT_PARTS
  const annotation = kind === 'String' ? 'textIndex' : 'rangeIndex'
  const parts = `prefix: [${prefix.join(', ')}], suffix: [${suffix.join(', ')}], grams: ${grams}`
  const options = [name, kind === 'String' ? parts : RANGES[kind], ...(scope === 'global' ? ['scope: global'] : [])]
  return `${column} String[] @db.Uuid /// @${annotation}(${options.join(', ')})`
}

function relationLine({ field, name, model, list, optional, from, to, onDelete }: Relation): string {
  const type = `${model}${list ? '[]' : optional ? '?' : ''}`
  const keys = from.length > 0 ? `, fields: [${from.join(', ')}], references: [${to.join(', ')}]` : ''
  return `${field} ${type} @relation("${name}"${keys}${onDelete ? `, onDelete: ${onDelete}` : ''})`
}

function uniqueLine(model: Model, unique: Model['uniques'][number], twin: Twin): string {
  const fields = unique.fields.map((field) => (twin === 'encrypted' ? indexed(model, field) : field))
  return `@@unique([${fields.join(', ')}]${unique.name ? `, name: "${selectorOf(unique)}"` : ''})`
}

function indexed({ columns }: Model, field: string): string {
  return columns.find(({ name }) => name === field)!.encrypted?.indexes[0]?.column ?? field
}
