import { formerFormatOf } from '../../cipher/formerValue.js'
import type { EncryptionSchema } from '../../schema/encryptionSchema.js'
import { isOwned, tenantJoins } from './ownership.js'
import { dekIdOf, holdsCiphertext, holdsFormer, isMissing, isOfKms, isSet, type StoredModel } from './rowFilter.js'
import { type PgConnection, quoteName, runSql, tableName } from './sql.js'
import type { MaintainedColumn } from './table.js'

/** What is stored in an encrypted field, in numbers of rows. */
export interface FieldSurvey {
  readonly model: string
  readonly field: string
  readonly rows: number
  readonly null: number
  readonly plaintext: number
  /** What another library has encrypted. */
  readonly former: { readonly library: string; readonly rows: number }
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
  /** Those of them whose value is plaintext: encrypting makes their index. */
  readonly unencrypted: number
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
    model.fields.map(async (maintained) => {
      const { field } = maintained
      const column = table.fields[field]!
      const { library, prefix } = formerFormatOf(maintained)
      const kind = `CASE WHEN (${isSet(column)}) IS NOT TRUE THEN 'null' WHEN ${isOfKms(column)} THEN 'direct' WHEN ${holdsCiphertext(column)} THEN 'ciphertext' WHEN ${holdsFormer(column, prefix)} THEN 'former' ELSE 'plaintext' END`
      const values: unknown[] = []
      const rows = await runSql<'kind' | 'version' | 'state' | 'count'>(
        database,
        `SELECT s.kind, k.${quoteName(keys.version)} AS version, k.${quoteName(keys.state)} AS state, sum(s.count) AS count
         FROM (SELECT ${kind} AS kind, (${dekIdOf(column)})::${keys.idType} AS dek, count(*) AS count
               FROM ${rowsOf(stored, tenant, values)} GROUP BY 1, 2) s
         LEFT JOIN ${tableName(keys)} k ON k.${quoteName(keys.id)} = s.dek
         GROUP BY 1, 2, 3 ORDER BY 2, 3`,
        values,
      )
      const sum = (matches: (row: (typeof rows)[number]) => boolean) =>
        rows.filter(matches).reduce((total, row) => total + Number(row.count), 0)
      return {
        model: model.name,
        field,
        rows: sum(() => true),
        null: sum(({ kind }) => kind === 'null'),
        plaintext: sum(({ kind }) => kind === 'plaintext'),
        former: { library, rows: sum(({ kind }) => kind === 'former') },
        ciphertext: sum(({ kind }) => kind === 'ciphertext' || kind === 'direct'),
        direct: sum(({ kind }) => kind === 'direct'),
        unknownKey: sum(({ kind, version }) => kind === 'ciphertext' && version === null),
        versions: rows
          .filter(({ kind, version }) => kind === 'ciphertext' && version !== null)
          .map(({ version, state, count }) => ({ version: Number(version), state: state!, rows: Number(count) })),
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
    model.indexes.map(async (index) => {
      const { field, sources } = index
      const column = table.indexes[field]!
      const set = sources.map((source) => isSet(table.fields[source]!)).join(' AND ')
      const sealed = sources.map((source) => isEncrypted(table.fields[source]!)).join(' AND ')
      const values: unknown[] = []
      const [row] = await runSql<'missing' | 'unencrypted' | 'stray'>(
        database,
        `SELECT count(*) FILTER (WHERE ${isMissing(index, column)} AND ${set}) AS missing,
           count(*) FILTER (WHERE ${isMissing(index, column)} AND ${set} AND (${sealed}) IS NOT TRUE) AS unencrypted,
           count(*) FILTER (WHERE ${isSet(column)} AND NOT (${set})) AS stray
         FROM ${rowsOf(stored, tenant, values)}`,
        values,
      )
      const [missing, unencrypted, stray] = [row!.missing, row!.unencrypted, row!.stray].map(Number)
      return { model: model.name, field, missing: missing!, unencrypted: unencrypted!, stray: stray! }
    }),
  )
}

function isEncrypted(column: MaintainedColumn): string {
  return `(${isOfKms(column)} OR ${holdsCiphertext(column)})`
}

/** The table as `t`, or the rows of one tenant in it. */
function rowsOf(stored: StoredModel, tenant: string | undefined, values: unknown[]): string {
  const { table } = stored
  if (tenant === undefined) return `${tableName(table)} t`
  return `${tableName(table)} t ${tenantJoins(table)} WHERE ${isOwned(stored, tenant, values)}`
}

const NAMES = ['id', 'tenant', 'purpose', 'version', 'state', 'kms', 'kekId', 'messages'] as const
const TIMES = ['createdAt', 'retiredAt', 'destroyedAt'] as const

/** The keys table, without what is wrapped. */
export async function surveyKeys(
  database: PgConnection,
  { keysModel, models }: EncryptionSchema,
  tenant: string | undefined,
): Promise<KeySurvey[]> {
  const { columns, schema, table } = models[keysModel]!
  const select = [
    ...NAMES.map((name) => `k.${quoteName(columns[name]!)} AS ${quoteName(name)}`),
    ...TIMES.map(
      (name) => `to_char(k.${quoteName(columns[name]!)}, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ${quoteName(name)}`,
    ),
  ]
  const where = tenant === undefined ? '' : `WHERE k.${quoteName(columns.tenant!)} = $1`
  const order = ['tenant', 'purpose', 'version'].map((name) => `k.${quoteName(columns[name]!)}`)
  const sql = `SELECT ${select} FROM ${tableName({ schema, table })} k ${where} ORDER BY ${order}`
  const rows = await runSql<(typeof NAMES)[number] | (typeof TIMES)[number]>(
    database,
    sql,
    tenant === undefined ? [] : [tenant],
  )
  return rows.map((row) => ({
    id: row.id!,
    tenant: row.tenant!,
    purpose: row.purpose!,
    version: Number(row.version),
    state: row.state!,
    kms: row.kms!,
    kekId: row.kekId!,
    messages: Number(row.messages),
    createdAt: row.createdAt!,
    retiredAt: row.retiredAt,
    destroyedAt: row.destroyedAt,
  }))
}
