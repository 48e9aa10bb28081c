import { type PgConnection, quoteName, runSql, tableName } from '../../maintenance/postgres/sql.js'
import { printable } from '../../printable.js'
import type { ModelSchema } from '../../schema/encryptionSchema.js'
import { acrossTenants } from '../acrossTenants.js'
import { boundValue } from '../boundValue.js'
import { type Check, type DoctorContext, encryptedFields, type Finding, isIndex } from './finding.js'

/** Rows that are looked at in each table: the first by their place, which are read quickly. */
const SAMPLE = 300
/** Of fields with `mode: kms`, of which each value is a call of the KMS. */
const SAMPLE_OF_KMS = 20
/** Shorter values are found everywhere. */
const TELLING = 6

/**
 * Values of encrypted fields that stand in the clear in another column: a search text, a log, a payload, also in tables
 * that the Prisma schema does not know. It compares samples in this process, so that no value travels into a statement.
 * What it does not find may still be there.
 */
export const plaintextCopies: Check = async (context) => {
  const secrets = await sampleSecrets(context)
  if (secrets.size === 0) return []
  const found: Finding[] = []
  for (const { label, table, column, marked } of await plainColumns(context)) {
    const texts = await sample(context.database, table, column)
    const copied = [...secrets].find(([value]) => texts.some((text) => text.includes(value)))
    if (copied === undefined) continue
    const what = `${label} holds values of ${copied[1]} in the clear`
    const next = marked ? `mark ${label} too, or stop writing it there` : 'stop writing it there, and empty it'
    found.push({ severity: 'problem', check: 'copies', what, next })
  }
  return found
}

/** Decrypted values, and the field of each. */
async function sampleSecrets({ client, database, schema }: DoctorContext): Promise<Map<string, string>> {
  const secrets = new Map<string, string>()
  const across = acrossTenants(client)
  for (const { name, model, field, spec, column } of encryptedFields(schema)) {
    if (spec.type !== 'String' || spec.list) continue
    const isOfKms = spec.mode === 'kms'
    const needed = isOfKms && model.tenant !== undefined ? [...spec.bind, model.tenant] : spec.bind
    const names = [column, ...needed.map((one) => model.columns[one]!)]
    const select = names.map((one) => `${quoteName(one)}::text AS ${quoteName(one)}`)
    const rows = await runSql(
      database,
      `SELECT ${select} FROM ${tableName(model)} WHERE ${quoteName(column)} LIKE 'fs1.%' LIMIT ${isOfKms ? SAMPLE_OF_KMS : SAMPLE}`,
    )
    for (const stored of rows) {
      // One that cannot be read is the business of verify.
      const bound = spec.bind.map((one) => {
        const at = model.columns[one]!
        return [at, boundValue(model.bound[one]?.type, stored[at] ?? null)]
      })
      const row: Record<string, unknown> = { ...stored, ...Object.fromEntries(bound) }
      const [opened] = await across.$encryption.decryptRows(name, [row]).catch(() => [])
      const value = opened?.[column]
      if (typeof value === 'string' && value.trim().length >= TELLING) secrets.set(value.trim(), `${name}.${field}`)
    }
  }
  return secrets
}

/** A column in which values could stand. */
interface PlainColumn {
  /** `Model.field`, or the table and column where the Prisma schema has none. */
  readonly label: string
  /** In SQL. */
  readonly table: string
  readonly column: string
  /** It is a field, which could be marked. */
  readonly marked: boolean
}

/** Columns for text and JSON that are not encrypted, of all tables beside the models' that may be read. */
async function plainColumns({ database, schema }: DoctorContext): Promise<PlainColumn[]> {
  const models = Object.entries(schema.models)
  const oids = await runSql<'oid'>(
    database,
    `SELECT to_regclass(t)::oid::text AS oid FROM unnest($1::text[]) WITH ORDINALITY u(t, n) ORDER BY n`,
    [models.map(([, model]) => tableName(model))],
  )
  const owners = new Map(models.map((model, i) => [oids[i]!.oid, model]))
  const rows = await runSql<'oid' | 'space' | 'table' | 'column'>(
    database,
    `SELECT c.oid::text, n.nspname AS space, c.relname AS "table", a.attname AS "column"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> '_prisma_migrations'
       AND n.oid IN (SELECT relnamespace FROM pg_class WHERE oid::text = ANY ($1::text[]))
       AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege(c.oid, a.attnum, 'SELECT')
       AND a.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype, 'text[]'::regtype)
     ORDER BY n.nspname, c.relname, a.attnum`,
    [oids.map(({ oid }) => oid)],
  )
  return rows.flatMap(({ oid, space, table, column }): PlainColumn[] => {
    const owner = owners.get(oid!)
    const label = owner === undefined ? printable(`${table}.${column}`) : labelOf(schema, owner, column!)
    if (label === undefined) return []
    const name = tableName({ schema: space!, table: table! })
    return [{ label, table: name, column: column!, marked: owner !== undefined }]
  })
}

/** `Model.field` of a column that holds what it seems to; nothing for keys, ciphertexts and indexes. */
function labelOf(
  { keysModel }: DoctorContext['schema'],
  [name, model]: [string, ModelSchema],
  column: string,
): string | undefined {
  const field = Object.keys(model.columns).find((one) => model.columns[one] === column)
  if (field === undefined) return printable(`${model.table}.${column}`)
  const known = Object.hasOwn(model.encrypted, field) || isIndex(model, field) || model.id.includes(field)
  return known || name === keysModel ? undefined : `${name}.${field}`
}

async function sample(database: PgConnection, table: string, column: string): Promise<string[]> {
  const name = quoteName(column)
  const first = `SELECT left(${name}::text, 20000) AS text FROM ${table} WHERE ${name} IS NOT NULL LIMIT ${SAMPLE}`
  return (await runSql<'text'>(database, first)).map(({ text }) => text!)
}
