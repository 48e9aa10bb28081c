import { quoteName, runSql, tableName } from '../../postgres/sql.js'
import { count } from '../terminal.js'
import { type Check, encryptedFields, type Finding } from './finding.js'

/** Values that should be encrypted and are not, and ciphertexts whose key is missing. */
export const storedValues: Check = async ({ survey, schema }) =>
  survey.fields.flatMap(({ model, field, plaintext, ciphertext, direct, unknownKey, versions }): Finding[] => {
    const name = `${model}.${field}`
    const { state: transition, mode } = schema.models[model]!.encrypted[field]!
    const other = mode === 'kms' ? ciphertext - direct : direct
    const destroyed = versions.filter(({ state }) => state === 'destroyed').reduce((sum, { rows }) => sum + rows, 0)
    const found: Finding[] = []
    if (plaintext > 0 && transition !== 'ejecting') {
      found.push({
        severity: transition === 'migrating' ? 'risk' : 'problem',
        check: 'stored values',
        what: `${name} holds plaintext in ${count(plaintext)} rows`,
        next: `fieldseal encrypt --field ${name}`,
      })
    }
    if (unknownKey > 0) {
      const what = `${name} holds ${count(unknownKey)} ciphertexts of keys that the keys table does not have`
      found.push({ severity: 'problem', check: 'stored values', what, next: 'restore the keys table from a backup' })
    }
    if (other > 0) {
      const by = mode === 'kms' ? 'a DEK and not by the KMS itself' : 'the KMS itself and not by a DEK'
      const what = `${name} holds ${count(other)} values encrypted by ${by}, as its mode says`
      found.push({ severity: 'risk', check: 'stored values', what, next: `fieldseal re-encrypt --field ${name}` })
    }
    if (destroyed > 0) {
      const what = `${name} holds ${count(destroyed)} ciphertexts of destroyed keys`
      found.push({ severity: 'hint', check: 'stored values', what, next: 'delete these rows, as nobody can read them' })
    }
    return found
  })

/** Blind indexes that lack entries, or that the database cannot search quickly. */
export const blindIndexes: Check = async ({ survey, schema, database }) => {
  const gaps = survey.indexes.flatMap(({ model, field, missing, stray }): Finding[] => {
    if (missing + stray === 0) return []
    const what = `${model}.${field} is missing in ${count(missing)} rows and beside no value in ${count(stray)}`
    return [{ severity: 'problem', check: 'blind indexes', what, next: `fieldseal reindex --model ${model}` }]
  })
  const slow: Finding[] = []
  for (const [name, model] of Object.entries(schema.models)) {
    for (const field of Object.keys(model.indexes)) {
      const column = model.columns[field]!
      if (await isSearchable(database, tableName(model), column)) continue
      const what = `${name}.${field} has no index in the database, so each search reads the whole table`
      slow.push({
        severity: 'risk',
        check: 'blind indexes',
        what,
        next: `add @@index([${field}]) to ${name}, and a migration`,
      })
    }
  }
  return [...gaps, ...slow]
}

/** In an index of which any column is this one: equality on the tenant before it is usual. */
async function isSearchable(database: Parameters<typeof runSql>[0], table: string, column: string): Promise<boolean> {
  const [row] = await runSql(
    database,
    `SELECT count(*) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = to_regclass($1) AND a.attname = $2 AND i.indisvalid`,
    [table, column],
  )
  return Number(row![0]) > 0
}

/** Columns into which any other tool could write plaintext. */
export const checkConstraints: Check = async ({ schema, database }) => {
  const found: Finding[] = []
  for (const { name, model, field, spec, column } of encryptedFields(schema)) {
    if (spec.state !== undefined || spec.type === 'Bytes') continue
    const [row] = await runSql(
      database,
      `SELECT count(*) FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
       WHERE c.conrelid = to_regclass($1) AND c.contype = 'c' AND a.attname = $2 AND pg_get_constraintdef(c.oid) LIKE '%fs1.%'`,
      [tableName(model), column],
    )
    if (Number(row![0]) > 0) continue
    const stored = spec.list ? `${quoteName(column)}[1]` : quoteName(column)
    const value = spec.type === 'Json' ? `${stored} #>> '{}'` : stored
    const sql = `ALTER TABLE ${tableName(model)} ADD CHECK (${value} LIKE 'fs1.%') NOT VALID`
    const what = `nothing keeps other tools from writing plaintext into ${name}.${field}`
    found.push({ severity: 'hint', check: 'constraints', what, next: sql })
  }
  return found
}
