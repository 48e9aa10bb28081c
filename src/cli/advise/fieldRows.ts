import { dekIdOf, holdsCiphertext, isOfKms } from '../../maintenance/postgres/rowFilter.js'
import { type PgConnection, quoteName, runSql, type TextRow, tableName } from '../../maintenance/postgres/sql.js'
import type { KeySurvey } from '../../maintenance/postgres/survey.js'
import { own } from '../../own.js'
import { boundValue } from '../boundValue.js'
import type { AdvisedField } from './advisedField.js'

/** How many rows there are of what. */
export interface FieldCounts {
  readonly rows: number
  readonly null: number
  readonly plaintext: number
  /** Under keys that are gone. */
  readonly lost: number
  /** Readable rows of each tenant, those with most rows first. */
  readonly tenants: readonly TenantRows[]
}

export interface TenantRows {
  readonly tenant: string
  readonly rows: number
}

/** A row as it is stored, with what decrypting its field takes; columns by their names in the database. */
export interface FieldRow {
  /** Two rows of two samples with the same place are the same. */
  readonly place: string
  readonly stored: { readonly [column: string]: unknown }
}

/** The rows of one field, in SQL: what their tenants are, only the ciphertexts say for certain. */
export class FieldRows {
  readonly #database: PgConnection
  readonly #field: AdvisedField
  readonly #tenantOf: ReadonlyMap<string, string>

  constructor(database: PgConnection, field: AdvisedField, keys: readonly KeySurvey[]) {
    const usable = keys.filter(({ state, purpose }) => purpose === 'encrypt' && state !== 'destroyed')
    this.#database = database
    this.#field = field
    this.#tenantOf = new Map(usable.map(({ id, tenant }) => [id.toLowerCase(), tenant]))
  }

  /** Reads the whole table once. */
  async count(): Promise<FieldCounts> {
    const { column } = this.#column
    const kind = `CASE WHEN t.${quoteName(column)} IS NULL THEN 'null' WHEN ${isOfKms(this.#column)} THEN 'direct' WHEN ${holdsCiphertext(this.#column)} THEN 'ciphertext' ELSE 'plaintext' END`
    const groups = await runSql<'kind' | 'dek' | 'tenant' | 'rows'>(
      this.#database,
      `SELECT ${kind} AS kind, (${dekIdOf(this.#column)})::text AS dek, CASE WHEN ${isOfKms(this.#column)} THEN ${this.#tenant} END AS tenant, count(*) AS rows
       FROM ${tableName(this.#field.model)} t GROUP BY 1, 2, 3`,
    )
    const sum = (kinds: string) => groups.reduce((all, one) => all + (one.kind === kinds ? Number(one.rows) : 0), 0)
    const tenants = this.#tenants(groups)
    const readable = tenants.reduce((all, { rows }) => all + rows, 0)
    const lost = sum('ciphertext') + sum('direct') - readable
    return {
      rows: groups.reduce((all, { rows }) => all + Number(rows), 0),
      null: sum('null'),
      plaintext: sum('plaintext'),
      lost,
      tenants,
    }
  }

  #tenants(groups: readonly TextRow<'kind' | 'dek' | 'tenant' | 'rows'>[]): TenantRows[] {
    const rowsOf = new Map<string, number>()
    for (const { kind, dek, tenant, rows } of groups) {
      const owner = kind === 'direct' ? (tenant ?? '') : this.#tenantOf.get(dek ?? '')
      if (owner !== undefined) rowsOf.set(owner, (rowsOf.get(owner) ?? 0) + Number(rows))
    }
    const found = Array.from(rowsOf, ([tenant, rows]) => ({ tenant, rows }))
    return found.sort((one, other) => other.rows - one.rows || (one.tenant < other.tenant ? -1 : 1))
  }

  /**
   * Rows by lot, of one tenant or of all.
   *
   * @param most how many
   */
  async draw(tenant: string | undefined, most: number): Promise<FieldRow[]> {
    const { column, storage } = this.#column
    const name = `t.${quoteName(column)}`
    const value = storage === 'Bytes' ? `encode(${name}, 'base64')` : `${name}::text`
    const known = this.#knownColumns.map(
      (one) => `t.${quoteName(one.column)}::text AS ${quoteName(`known ${one.column}`)}`,
    )
    const ids = [...this.#tenantOf].filter(([, owner]) => tenant === undefined || owner === tenant).map(([id]) => id)
    const ofKms = `(${isOfKms(this.#column)} AND ($2::text IS NULL OR ${this.#tenant} = $2::text))`
    const rows = await runSql<string>(
      this.#database,
      `SELECT ${[`t.tableoid::text || t.ctid::text AS place`, `${value} AS value`, ...known].join(', ')} FROM ${tableName(this.#field.model)} t
       WHERE ${name} IS NOT NULL AND (coalesce((${dekIdOf(this.#column)})::text = ANY ($1::text[]), FALSE) OR ${ofKms})
       ORDER BY random() LIMIT $3::bigint`,
      [ids, tenant ?? null, most],
    )
    return rows.map((row) => this.#rowOf(row))
  }

  #rowOf(row: TextRow): FieldRow {
    const value = this.#column.storage === 'Bytes' ? Buffer.from(row.value!, 'base64') : row.value
    const known = this.#knownColumns.map(({ column, type }) => [column, boundValue(type, row[`known ${column}`]!)])
    return { place: row.place!, stored: { ...Object.fromEntries(known), [this.#column.column]: value } }
  }

  get #column() {
    const { model, field, spec } = this.#field
    return { column: model.columns[field]!, storage: spec.type, list: false }
  }

  /** SQL for the tenant of what the KMS itself encrypts, which names no key. */
  get #tenant(): string {
    const { columns, tenant } = this.#field.model
    return tenant === undefined ? `''` : `t.${quoteName(columns[tenant]!)}::text`
  }

  /** What a ciphertext is bound to. */
  get #knownColumns() {
    const { model, spec } = this.#field
    const names = new Set([...spec.bind, ...(model.tenant === undefined ? [] : [model.tenant])])
    return Array.from(names, (name) => ({ column: model.columns[name]!, type: own(model.bound, name)?.type }))
  }
}
