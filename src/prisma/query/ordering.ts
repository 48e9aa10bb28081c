import type { TenantHolder } from '../../cipher/cipher.js'
import { checkSearchable } from '../../client/masking.js'
import type { Pass } from '../../client/pass.js'
import { isIndexColumn } from '../../plan/columnIndex.js'
import { isExact } from '../../plan/exactIndex.js'
import type { FieldPlan, IndexPlan, ModelPlan } from '../../plan/plan.js'
import { GLOBAL_TENANT } from '../../tenancy/tenant.js'
import { isAbsent, isPlainObject, listOf } from '../values.js'
import { fixedBy } from './fixedBy.js'
import { refusedDistinct, refusedUse } from './refusals.js'
import { indexOf, rewriteUnique, uniqueIndexOf } from './where.js'

/** Of these ciphertexts have none that means anything; `_count` is right. */
export const VALUE_AGGREGATES = ['_min', '_max', '_sum', '_avg']

/** @throws FieldsealError `QUERY_UNSUPPORTED` when rows would be sorted by ciphertext; `ACCESS_DENIED` */
export function checkOrderBy(plan: ModelPlan, orderBy: unknown): void {
  if (!plan.reaches) return
  for (const element of listOf(orderBy)) {
    if (!isPlainObject(element)) continue
    for (const [key, order] of Object.entries(element)) checkOrder(plan, key, order)
  }
}

function checkOrder(plan: ModelPlan, key: string, order: unknown): void {
  if (isAbsent(order)) return
  const member = plan.members.get(key)
  if (member?.kind === 'encrypted') throw refusedUse(member.field.name, 'orderBy')
  if (isIndexColumn(member)) checkSearchable(member.index)
  else if (member?.kind === 'relation') checkOrderBy(member.relation.model, order)
  else if (key === '_relevance' && isPlainObject(order)) checkNames(plan, order.fields, 'orderBy')
  else if (VALUE_AGGREGATES.includes(key)) checkNames(plan, Object.keys(order as object), 'orderBy')
}

/**
 * Rewrites the row to page from, which may be named by an encrypted field whose blind index is unique.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` when it is named by another encrypted field
 */
export function rewriteCursor(pass: Pass, plan: ModelPlan, cursor: unknown, owner: TenantHolder): void {
  if (!isPlainObject(cursor)) return
  const together = plan.combined.filter(({ unique }) => unique).flatMap(({ sources }) => sources)
  for (const key of Object.keys(cursor)) {
    const field = isAbsent(cursor[key]) ? undefined : encryptedField(plan, key)
    if (field && !uniqueIndexOf(field)?.unique && !together.includes(field)) throw refusedUse(field.name, 'cursor')
  }
  rewriteUnique(pass, plan, cursor, owner)
}

/**
 * Has an exact blind index tell rows apart in place of the encrypted field.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED` when the field has none, or one that differs by tenant where rows of several
 * may come
 */
export function rewriteDistinct({ slots, tenancy }: Pass, plan: ModelPlan, args: Record<string, unknown>): void {
  if (plan.encrypted.length === 0 || isAbsent(args.distinct)) return
  const names = listOf(args.distinct)
  const isOfSeveral = tenancy.readsAcross && !isOfOneTenant(plan, args.where) && !names.includes(plan.tenant)
  args.distinct = names.map((name) => {
    const field = encryptedField(plan, name)
    if (!field) {
      checkIndexNamed(plan, name)
      compareNamed({ slots, tenancy }, plan, name)
      return name
    }
    const index = indexOf(field)
    if (index) checkSearchable(index)
    if (!index || !isExact(index) || field.state) throw refusedUse(field.name, 'distinct')
    if (isOfSeveral && index.scope !== 'global') throw refusedDistinct(field, plan.tenant)
    compare({ slots, tenancy }, index)
    return index.field
  })
}

function isOfOneTenant(plan: ModelPlan, where: unknown): boolean {
  return plan.tenant !== undefined && typeof fixedBy(plan, where)[plan.tenant] === 'string'
}

/** @throws FieldsealError `QUERY_UNSUPPORTED` when one of the names is an encrypted field */
export function checkNames(plan: ModelPlan, names: unknown, use: string): void {
  for (const name of listOf(names)) {
    const field = encryptedField(plan, name)
    if (field) throw refusedUse(field.name, use)
    checkIndexNamed(plan, name)
  }
}

/** Has rows grouped by the column of a blind index; `name` may be any column's. */
export function compareNamed(pass: Pass, plan: ModelPlan, name: unknown): void {
  const member = typeof name === 'string' ? plan.members.get(name) : undefined
  if (member?.kind === 'index') compare(pass, member.index)
}

/** Where rows of all tenants may come there are many keys anyway, and what is equal counts once for each. */
function compare({ slots, tenancy }: Pass, index: IndexPlan): void {
  const isGlobal = index.scope === 'global'
  if (!isGlobal && !tenancy.isOfOne) return
  const owner = isGlobal ? { tenant: GLOBAL_TENANT } : tenancy.owner
  slots.push({ mode: 'compare', field: index.sources[0]!, owner, holder: {}, key: '', index })
}

function encryptedField(plan: ModelPlan, name: unknown): FieldPlan | undefined {
  const member = typeof name === 'string' ? plan.members.get(name) : undefined
  return member?.kind === 'encrypted' ? member.field : undefined
}

function checkIndexNamed(plan: ModelPlan, name: unknown): void {
  const member = typeof name === 'string' ? plan.members.get(name) : undefined
  if (isIndexColumn(member)) checkSearchable(member.index)
}
