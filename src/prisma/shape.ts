import { checkCursor, checkNames, checkOrderBy, checkWhere } from './filters.js'
import type { FieldPlan, ModelPlan } from './plan.js'
import { isPlainObject } from './values.js'

/** Which rows of a result hold encrypted fields, and what was added to the selection to decrypt them. */
export interface ReadShape {
  readonly plan: ModelPlan
  /** Columns that the caller did not ask for. */
  readonly added: readonly string[]
  readonly children: ReadonlyMap<string, ReadShape>
}

type Args = Record<string, unknown>

/**
 * Reads `select`, `include` and `omit` of an operation, checks the filters in them, and adds the bound columns that
 * decryption needs to them.
 *
 * @returns `null` when no encrypted field can be in the result
 * @throws FieldsealError `QUERY_UNSUPPORTED` for a nested filter or order on an encrypted field
 */
export function readShape(plan: ModelPlan, args: Args): ReadShape | null {
  if (!plan.reaches) return null
  const children = new Map<string, ReadShape>()
  collectChildren(plan, args.include, children)
  collectChildren(plan, args.select, children)
  const fields = isPlainObject(args.select) ? selectedFields(plan, args.select) : unomittedFields(plan, args.omit)
  const needed = [...new Set(fields.flatMap(({ bind }) => bind))]
  const added = isPlainObject(args.select) ? addToSelect(args.select, needed) : takeFromOmit(plan, args, needed)
  if (fields.length === 0 && children.size === 0) return null
  return { plan, added, children }
}

function collectChildren(plan: ModelPlan, selection: unknown, children: Map<string, ReadShape>): void {
  if (!isPlainObject(selection)) return
  for (const [key, value] of Object.entries(selection)) {
    if (key === '_count') checkCounts(plan, value)
    const member = plan.members.get(key)
    if (member?.kind !== 'relation' || !isWanted(value)) continue
    const args = isPlainObject(value) ? value : {}
    checkQuery(member.relation.model, args)
    const child = readShape(member.relation.model, args)
    if (child) children.set(key, child)
  }
}

/** Checks everything in a query's arguments that is not data and not shape. */
export function checkQuery(plan: ModelPlan, args: Args): void {
  checkWhere(plan, args.where)
  checkOrderBy(plan, args.orderBy)
  checkCursor(plan, args.cursor)
  checkNames(plan, args.distinct, 'distinct')
}

/** `_count: { select: { posts: { where } } }` */
function checkCounts(plan: ModelPlan, count: unknown): void {
  const relations = isPlainObject(count) ? count.select : undefined
  if (!isPlainObject(relations)) return
  for (const [key, value] of Object.entries(relations)) {
    const member = plan.members.get(key)
    if (member?.kind === 'relation' && isPlainObject(value)) checkWhere(member.relation.model, value.where)
  }
}

/**
 * A name that is no column, relation or count is a computed field of a result extension: it may need any column,
 * which Prisma then adds behind the extension's back.
 */
function selectedFields(plan: ModelPlan, select: Args): readonly FieldPlan[] {
  const wanted = Object.keys(select).filter((key) => isWanted(select[key]))
  if (wanted.some((key) => isComputed(plan, key))) return plan.encrypted
  return plan.encrypted.filter(({ field }) => isWanted(select[field]))
}

function isComputed(plan: ModelPlan, key: string): boolean {
  return key !== '_count' && !Object.hasOwn(plan.columns, key) && !plan.relations.has(key)
}

function unomittedFields(plan: ModelPlan, omit: unknown): readonly FieldPlan[] {
  return plan.encrypted.filter(({ field }) => !isOmitted(plan, omit, field))
}

function isOmitted(plan: ModelPlan, omit: unknown, field: string): boolean {
  const own = isPlainObject(omit) ? omit[field] : undefined
  return typeof own === 'boolean' ? own : plan.omitted.has(field)
}

function addToSelect(select: Args, needed: readonly string[]): string[] {
  const added = needed.filter((column) => !isWanted(select[column]))
  for (const column of added) select[column] = true
  return added
}

function takeFromOmit(plan: ModelPlan, args: Args, needed: readonly string[]): string[] {
  const added = needed.filter((column) => isOmitted(plan, args.omit, column))
  if (added.length > 0) {
    args.omit = { ...(args.omit as Args | undefined), ...Object.fromEntries(added.map((column) => [column, false])) }
  }
  return added
}

function isWanted(value: unknown): boolean {
  return value === true || isPlainObject(value)
}
