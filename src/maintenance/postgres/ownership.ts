import { belongsTo, type StoredModel } from './rowFilter.js'
import { quoteName, tableName } from './sql.js'
import type { MaintainedTable } from './table.js'

/** SQL for the tenant of the row `t`; NULL where only ciphertexts tell. */
export function tenantText({ tenant }: MaintainedTable): string {
  if (tenant.kind !== 'column') return 'NULL'
  const from = tenant.joins.length === 0 ? 't' : `j${tenant.joins.length}`
  return `${from}.${quoteName(tenant.column)}::text`
}

/** The joins that lead from the row `t` to it. */
export function tenantJoins({ tenant }: MaintainedTable): string {
  if (tenant.kind !== 'column') return ''
  const joins = tenant.joins.map((join, position) => {
    const near = position === 0 ? 't' : `j${position}`
    const far = `j${position + 1}`
    const same = join.from.map((column, i) => `${far}.${quoteName(join.to[i]!)} = ${near}.${quoteName(column)}`)
    return `LEFT JOIN ${tableName(join)} ${far} ON ${same.join(' AND ')}`
  })
  return joins.join(' ')
}

/**
 * The condition of SQL that the row `t` is a tenant's. Where nothing but ciphertexts tells, rows without any are nobody's.
 *
 * @param values the parameters of the statement, to which the tenant may be added
 */
export function isOwned(stored: StoredModel, tenant: string, values: unknown[]): string {
  const { table } = stored
  if (table.tenant.kind === 'fixed') return table.tenant.tenant === tenant ? 'TRUE' : 'FALSE'
  values.push(tenant)
  const placeholder = `$${values.length}::text`
  const owned =
    table.tenant.kind === 'column' ? `${tenantText(table)} = ${placeholder}` : belongsTo(placeholder, stored)
  return `coalesce(${owned}, FALSE)`
}
