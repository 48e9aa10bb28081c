import type { TenantHolder } from '../../cipher/cipher.js'
import type { Pass } from '../../client/pass.js'
import type { ModelPlan } from '../../plan/plan.js'
import { isAbsent } from '../values.js'
import type { Checks } from './falsePositive.js'
import { checkOrderBy, rewriteCursor, rewriteDistinct } from './ordering.js'
import { rewriteUnique, rewriteWhere } from './where.js'

type Args = Record<string, unknown>

/** What the arguments of a query belong to. */
export interface Query {
  readonly pass: Pass
  readonly plan: ModelPlan
  readonly owner: TenantHolder
  /** `where` names one row. */
  readonly unique?: boolean | undefined
  readonly checks: Checks
}

/**
 * Rewrites everything in a query's arguments that is not data and not shape.
 *
 * @throws FieldsealError `QUERY_UNSUPPORTED`
 */
export function rewriteQuery({ pass, plan, owner, unique, checks }: Query, args: Args): void {
  if (unique) rewriteUnique(pass, plan, args.where, owner)
  else rewriteWhere(pass, plan, args.where, owner, checks)
  checkOrderBy(plan, args.orderBy)
  rewriteCursor(pass, plan, args.cursor, owner)
  rewriteDistinct(pass, plan, args)
}

const PAGING = ['take', 'skip', 'cursor', 'distinct']

/** Rows that were only found by mistake can be taken out of a list, unless the database counted them. */
export function checksOf(args: Args): Checks {
  const paging = PAGING.find((name) => !isAbsent(args[name]))
  return paging === undefined ? [] : `"${paging}"`
}
