import { PREFIX, RAW_HEAD, rawHead, TEXT_HEAD, textHead } from '../../crypto/ciphertext.js'
import { directHeader } from '../../crypto/direct.js'
import { encodeHeader } from '../../crypto/header.js'
import { type MaintainedIndex, type MaintainedModel, mayHaveNoTokens } from '../rows/model.js'
import type { Operation } from '../rows/operation.js'
import { type ActiveHeads, isActive } from './activeHeads.js'
import { quoteName, tableName } from './sql.js'
import type { KeysTable, MaintainedColumn, MaintainedTable } from './table.js'

/** `fs1.` as a bytea literal. */
const PREFIX_HEX = `'\\x${Buffer.from(PREFIX).toString('hex')}'::bytea`
const HEAD = '[A-Za-z0-9_-]{24}'

/** A condition of SQL on the row `t`: whether a column holds what looks like a ciphertext. */
export function holdsCiphertext(of: MaintainedColumn): string {
  const { storage } = of
  const name = valueIn(of)
  if (storage === 'Bytes') return `substring(${name} from 1 for ${PREFIX.length}) = ${PREFIX_HEX}`
  return `left(${textIn(storage, name)}, ${PREFIX.length}) = '${PREFIX}'`
}

/**
 * A condition of SQL on a column with a value that is none of our ciphertexts: whether another library has made it.
 *
 * @param prefix what it begins with; without, it is whatever is there
 */
export function holdsFormer(of: MaintainedColumn, prefix: string | undefined): string {
  if (prefix === undefined) return 'TRUE'
  if (of.storage !== 'String' || of.list) return 'FALSE'
  return `left(${valueIn(of)}, ${prefix.length}) = '${prefix}'`
}

/** What is text in a column that is none of bytes. */
function textIn(storage: MaintainedColumn['storage'], name: string): string {
  return storage === 'Json' ? jsonString(name) : name
}

/** The text of a JSON string; NULL for other JSON. It does not care whether the type is json or jsonb. */
function jsonString(name: string): string {
  return `CASE WHEN left(${name}::text, 1) = '"' THEN ${name} #>> '{}' END`
}

/** The DEK id that a ciphertext in a column names, as a UUID; NULL for anything else. */
export function dekIdOf(of: MaintainedColumn): string {
  const { storage } = of
  const name = valueIn(of)
  if (storage === 'Bytes') {
    return `CASE WHEN substring(${name} from 1 for ${PREFIX.length}) = ${PREFIX_HEX} AND octet_length(${name}) >= ${RAW_HEAD} THEN encode(substring(${name} from 7 for 16), 'hex')::uuid END`
  }
  const text = textIn(storage, name)
  const bytes = `decode(translate(substring(${text} from 5 for 24), '-_', '+/'), 'base64')`
  return `CASE WHEN ${hasTextHead(text)} THEN encode(substring(${bytes} from 3 for 16), 'hex')::uuid END`
}

function hasTextHead(text: string): string {
  return `left(${text}, ${TEXT_HEAD}) ~ '^fs1\\.${HEAD}'`
}

/** Whether a column holds what begins like a ciphertext up to the end of the header. */
function hasHead(of: MaintainedColumn): string {
  const name = valueIn(of)
  if (of.storage === 'Bytes') return `(${holdsCiphertext(of)} AND octet_length(${name}) >= ${RAW_HEAD})`
  return hasTextHead(textIn(of.storage, name))
}

/** A condition of SQL: whether the KMS itself encrypted what a column holds. A header of zeros but for suite and flags. */
export function isOfKms(of: MaintainedColumn): string {
  const { storage } = of
  const name = valueIn(of)
  if (storage === 'Bytes') return `substring(${name} from 1 for ${RAW_HEAD}) IN (${KMS_HEADS.map(({ raw }) => raw)})`
  return `left(${textIn(storage, name)}, ${TEXT_HEAD}) IN (${KMS_HEADS.map(({ text }) => text)})`
}

/** The beginnings of such ciphertexts, as literals. */
const KMS_HEADS = [false, true].map((padded) => {
  const header = encodeHeader(directHeader(padded))
  return { raw: `'\\x${rawHead(header).toString('hex')}'::bytea`, text: `'${textHead(header)}'` }
})

/** A model, and where its rows and its keys are. */
export interface StoredModel {
  readonly model: MaintainedModel
  readonly table: MaintainedTable
  readonly keys: KeysTable
}

export interface RowFilterInput extends StoredModel {
  readonly operation: Operation
  /** `null` if there are too many. */
  readonly activeHeads: ActiveHeads | null
}

/**
 * The condition of SQL for the rows `t` that an operation has to look at closely.
 *
 * @param values the parameters of the statement, to which more may be added
 */
export function rowFilter(input: RowFilterInput, values: unknown[]): string {
  const { operation, model, table } = input
  const columns = model.fields.map(({ field }) => table.fields[field]!)
  const indexes = model.indexes.map((index) => {
    const column = table.indexes[index.field]!
    return { column, missing: isMissing(index, column), values: index.sources.map((source) => table.fields[source]!) }
  })
  switch (operation) {
    case 'encrypt':
      return anyOf([
        ...columns.map((column) => `(${isSet(column)} AND (${hasHead(column)}) IS NOT TRUE)`),
        ...indexes.map(({ missing, values }) => `(${missing} AND ${values.map(isSet).join(' AND ')})`),
      ])
    case 're-encrypt':
      return anyOf(
        model.fields.map(({ field, direct }) => {
          const column = table.fields[field]!
          const stays = direct ? isOfKms(column) : isUnderActive(column, input, values)
          return `(${holdsCiphertext(column)} AND NOT ${stays})`
        }),
      )
    case 'decrypt':
      return anyOf([...columns.map(holdsCiphertext), ...indexes.map(({ column }) => isSet(column))])
    case 'reindex':
      return anyOf(indexes.flatMap(({ column, values }) => [column, ...values].map(isSet)))
    case 'verify':
      return anyOf([...columns, ...indexes.map(({ column }) => column)].map(isSet))
  }
}

/** The condition of SQL that one of the ciphertexts is under a DEK of the tenant; `tenant` is SQL. */
export function belongsTo(tenant: string, { model, table, keys }: StoredModel): string {
  const columns = model.readable.map(({ field }) => table.fields[field]!)
  return anyOf(columns.map((column) => isUnder(column, keys, `k.${quoteName(keys.tenant)} = ${tenant}`)))
}

function isUnderActive(column: MaintainedColumn, { keys, activeHeads }: RowFilterInput, values: unknown[]): string {
  if (activeHeads === null) return isUnder(column, keys, isActive(keys, 'k'))
  const { storage } = column
  const name = valueIn(column)
  return storage === 'Bytes'
    ? `encode(substring(${name} from 1 for ${RAW_HEAD}), 'hex') IN (${oneOf(activeHeads.hex, values)})`
    : `left(${textIn(storage, name)}, ${TEXT_HEAD}) IN (${oneOf(activeHeads.text, values)})`
}

/** Of a query, PostgreSQL makes a table to look up in. */
function oneOf(texts: readonly string[], values: unknown[]): string {
  if (!values.includes(texts)) values.push(texts)
  return `SELECT unnest($${values.indexOf(texts) + 1}::text[])`
}

function isUnder(column: MaintainedColumn, keys: KeysTable, condition: string): string {
  const id = `k.${quoteName(keys.id)} = (${dekIdOf(column)})::${keys.idType}`
  return `EXISTS (SELECT FROM ${tableName(keys)} k WHERE ${id} AND ${condition})`
}

/** A list is stored as a list of one ciphertext. */
function valueIn({ column, list }: MaintainedColumn): string {
  return `t.${quoteName(column)}${list ? '[1]' : ''}`
}

/** Whether a column of the row `t` holds a value; an empty list is none. */
export function isSet({ column, list }: MaintainedColumn): string {
  return list ? `cardinality(t.${quoteName(column)}) > 0` : `t.${quoteName(column)} IS NOT NULL`
}

/** Whether the column of an index has nothing in it that could have been made of a value. */
export function isMissing(index: MaintainedIndex, column: MaintainedColumn): string {
  return mayHaveNoTokens(index) ? `t.${quoteName(column.column)} IS NULL` : `(${isSet(column)}) IS NOT TRUE`
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'FALSE' : conditions.map((condition) => `coalesce(${condition}, FALSE)`).join(' OR ')
}
