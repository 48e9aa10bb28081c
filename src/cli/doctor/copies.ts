import { type PgConnection, quoteName, runSql, tableName } from '../../postgres/sql.js'
import type { ModelSchema } from '../../schema/encryptionSchema.js'
import { type Check, encryptedFields, type Finding, type Patient } from './finding.js'

/** Rows that are looked at in each table: the newest by their place, which are read quickly. */
const SAMPLE = 300
/** Of fields with `mode: kms`, of which each value is a call of the KMS. */
const SAMPLE_OF_KMS = 20
/** Shorter values are found everywhere. */
const TELLING = 6

/**
 * Values of encrypted fields that stand in the clear in another column: a search text, a log, a payload. It compares
 * samples in this process, so that no value travels into a statement. What it does not find may still be there.
 */
export const plaintextCopies: Check = async (patient) => {
  const secrets = await sampleSecrets(patient)
  if (secrets.size === 0) return []
  const found: Finding[] = []
  for (const [name, model] of Object.entries(patient.schema.models)) {
    if (name === patient.schema.keysModel) continue
    for (const [field, column] of await plainColumns(patient.database, model)) {
      const texts = await sample(patient.database, model, column)
      const copied = [...secrets].find(([value]) => texts.some((text) => text.includes(value)))
      if (copied === undefined) continue
      const what = `${name}.${field} holds values of ${copied[1]} in the clear`
      found.push({
        severity: 'problem',
        check: 'copies',
        what,
        next: `mark ${name}.${field} too, or stop writing it there`,
      })
    }
  }
  return found
}

/** Decrypted values, and the field of each. */
async function sampleSecrets({ client, database, schema }: Patient): Promise<Map<string, string>> {
  const secrets = new Map<string, string>()
  const across = (client as unknown as { $acrossTenants(): typeof client }).$acrossTenants()
  for (const { name, model, field, spec, column } of encryptedFields(schema)) {
    if (spec.type !== 'String' || spec.list) continue
    const isOfKms = spec.mode === 'kms'
    const needed = isOfKms && model.tenant !== undefined ? [...spec.bind, model.tenant] : spec.bind
    const names = [column, ...needed.map((one) => model.columns[one]!)]
    const select = names.map((one) => `${quoteName(one)}::text`)
    const rows = await runSql(
      database,
      `SELECT ${select} FROM ${tableName(model)} WHERE ${quoteName(column)} LIKE 'fs1.%' LIMIT ${isOfKms ? SAMPLE_OF_KMS : SAMPLE}`,
    )
    for (const row of rows) {
      const stored = Object.fromEntries(names.map((one, i) => [one, row[i]]))
      // One that cannot be read is the business of verify.
      const [opened] = await across.$encryption.decryptRows(name, [stored]).catch(() => [])
      const value = opened?.[column]
      if (typeof value === 'string' && value.trim().length >= TELLING) secrets.set(value.trim(), `${name}.${field}`)
    }
  }
  return secrets
}

/** Columns for text and JSON that are not encrypted. */
async function plainColumns(database: PgConnection, model: ModelSchema): Promise<[field: string, column: string][]> {
  const types = await runSql(
    database,
    `SELECT attname FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
     AND atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text[]'::regtype)`,
    [tableName(model)],
  )
  const names = new Set(types.map(([name]) => name))
  return Object.entries(model.columns).filter(
    ([field, column]) =>
      names.has(column) && !(field in model.encrypted) && !(field in model.indexes) && !model.id.includes(field),
  )
}

async function sample(database: PgConnection, model: ModelSchema, column: string): Promise<string[]> {
  const name = quoteName(column)
  const newest = `SELECT left(${name}::text, 20000) FROM ${tableName(model)} WHERE ${name} IS NOT NULL LIMIT ${SAMPLE}`
  return (await runSql(database, newest)).map(([text]) => text!)
}
