import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { isOwned, tenantJoins } from './ownership.js'
import { dekIdOf, holdsCiphertext, isOfKms, isSet, type StoredModel } from './rowFilter.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'

/** What is stored in an encrypted field, in numbers of rows. */
export interface FieldSurvey {
  readonly model: string
  readonly field: string
  readonly rows: number
  readonly null: number
  readonly plaintext: number
  readonly ciphertext: number
  /** Ciphertexts that the KMS itself has made (`mode: kms`). */
  readonly direct: number
  /** Ciphertexts that name no key of the keys table. */
  readonly unknownKey: number
  /** Ciphertexts by what their key is. */
  readonly versions: readonly VersionSurvey[]
}

export interface VersionSurvey {
  readonly version: number
  readonly state: string
  readonly rows: number
}

export interface IndexSurvey {
  readonly model: string
  readonly field: string
  /** Rows with a value and no index. */
  readonly missing: number
  /** Rows with an index and no value. */
  readonly stray: number
}

/** A key without its wrapped text. */
export interface KeySurvey {
  readonly id: string
  readonly tenant: string
  readonly purpose: string
  readonly version: number
  readonly state: string
  readonly kms: string
  readonly kekId: string
  /** Encryptions reserved under it so far. */
  readonly messages: number
  readonly createdAt: string
  readonly retiredAt: string | null
  readonly destroyedAt: string | null
}

/** Counts what each field holds. It reads the whole table, in statements that change and lock nothing. */
export async function surveyFields(
  database: PgConnection,
  stored: StoredModel,
  tenant: string | undefined,
): Promise<FieldSurvey[]> {
  const { model, table, keys } = stored
  return Promise.all(
    model.fields.map(async ({ field }) => {
      const column = table.fields[field]!
      const kind = `CASE WHEN (${isSet(column)}) IS NOT TRUE THEN 'null' WHEN ${isOfKms(column)} THEN 'direct' WHEN ${holdsCiphertext(column)} THEN 'ciphertext' ELSE 'plaintext' END`
      const values: unknown[] = []
      const rows = await runSql(
        database,
        `SELECT s.kind, k.${quoteName(keys.version)}, k.${quoteName(keys.state)}, sum(s.count)
         FROM (SELECT ${kind} AS kind, (${dekIdOf(column)})::${keys.idType} AS dek, count(*) AS count
               FROM ${rowsOf(stored, tenant, values)} GROUP BY 1, 2) s
         LEFT JOIN ${tableName(keys)} k ON k.${quoteName(keys.id)} = s.dek
         GROUP BY 1, 2, 3 ORDER BY 2, 3`,
        values,
      )
      const sum = (matches: (row: (typeof rows)[number]) => boolean) =>
        rows.filter(matches).reduce((total, row) => total + Number(row[3]), 0)
      return {
        model: model.name,
        field,
        rows: sum(() => true),
        null: sum(([kind]) => kind === 'null'),
        plaintext: sum(([kind]) => kind === 'plaintext'),
        ciphertext: sum(([kind]) => kind === 'ciphertext' || kind === 'direct'),
        direct: sum(([kind]) => kind === 'direct'),
        unknownKey: sum(([kind, version]) => kind === 'ciphertext' && version === null),
        versions: rows
          .filter(([kind, version]) => kind === 'ciphertext' && version !== null)
          .map(([, version, state, count]) => ({ version: Number(version), state: state!, rows: Number(count) })),
      }
    }),
  )
}

export async function surveyIndexes(
  database: PgConnection,
  stored: StoredModel,
  tenant: string | undefined,
): Promise<IndexSurvey[]> {
  const { model, table } = stored
  return Promise.all(
    model.indexes.map(async ({ field, sources }) => {
      const index = `t.${quoteName(table.indexes[field]!.column)}`
      const set = sources.map((source) => isSet(table.fields[source]!)).join(' AND ')
      const values: unknown[] = []
      const [row] = await runSql(
        database,
        `SELECT count(*) FILTER (WHERE ${index} IS NULL AND ${set}), count(*) FILTER (WHERE ${index} IS NOT NULL AND NOT (${set}))
         FROM ${rowsOf(stored, tenant, values)}`,
        values,
      )
      return { model: model.name, field, missing: Number(row![0]), stray: Number(row![1]) }
    }),
  )
}

/** The table as `t`, or the rows of one tenant in it. */
function rowsOf(stored: StoredModel, tenant: string | undefined, values: unknown[]): string {
  const { table } = stored
  if (tenant === undefined) return `${tableName(table)} t`
  return `${tableName(table)} t ${tenantJoins(table)} WHERE ${isOwned(stored, tenant, values)}`
}

/** The keys table, without what is wrapped. */
export async function surveyKeys(
  database: PgConnection,
  { keysModel, models }: EncryptionSchema,
  tenant: string | undefined,
): Promise<KeySurvey[]> {
  const { columns, schema, table } = models[keysModel]!
  const names = ['id', 'tenant', 'purpose', 'version', 'state', 'kms', 'kekId', 'messages']
  const times = ['createdAt', 'retiredAt', 'destroyedAt']
  const select = [
    ...names.map((name) => quoteName(columns[name]!)),
    ...times.map((name) => `to_char(${quoteName(columns[name]!)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`),
  ]
  const where = tenant === undefined ? '' : `WHERE ${quoteName(columns.tenant!)} = $1`
  const order = ['tenant', 'purpose', 'version'].map((name) => quoteName(columns[name]!))
  const sql = `SELECT ${select} FROM ${tableName({ schema, table })} ${where} ORDER BY ${order}`
  const rows = await runSql(database, sql, tenant === undefined ? [] : [tenant])
  return rows.map(([id, owner, purpose, version, state, kms, kekId, messages, createdAt, retiredAt, destroyedAt]) => ({
    id: id!,
    tenant: owner!,
    purpose: purpose!,
    version: Number(version),
    state: state!,
    kms: kms!,
    kekId: kekId!,
    messages: Number(messages),
    createdAt: createdAt!,
    retiredAt: retiredAt!,
    destroyedAt: destroyedAt!,
  }))
}
