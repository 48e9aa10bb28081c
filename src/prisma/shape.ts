import { checkCursor, checkNames, checkOrderBy, checkWhere } from './filters.js'
import type { FieldPlan, ModelPlan, RelationPlan } from './plan.js'
import { isPlainObject } from './values.js'

/** Which rows of a result hold encrypted fields, and what was added to the selection to decrypt them. */
export interface ReadShape {
  readonly plan: ModelPlan
  /** Encrypted fields are asked for, here or deeper. */
  readonly decrypts: boolean
  /** Columns that the caller did not ask for. */
  readonly added: readonly string[]
  /** Computed fields may need the added columns, so they stay in the row, unseen. */
  readonly computes: boolean
  readonly children: ReadonlyMap<string, ReadShape>
  /** Relations that were not asked for; an extension under this one may have done so. */
  readonly others: readonly RelationPlan[]
}

type Args = Record<string, unknown>

/**
 * Reads `select`, `include` and `omit` of an operation, checks the filters in them, and adds the bound columns that
 * decryption needs to them.
 *
 * @returns `null` when no encrypted field can be reached from the model
 * @throws FieldsealError `QUERY_UNSUPPORTED` for a nested filter or order on an encrypted field
 */
export function readShape(plan: ModelPlan, args: Args): ReadShape | null {
  if (!plan.reaches) return null
  const children = new Map<string, ReadShape>()
  collectChildren(plan, args.include, children)
  collectChildren(plan, args.select, children)
  const { fields, added, computes } = isPlainObject(args.select) ? ownSelected(plan, args.select) : ownRead(plan, args)
  const decrypts = fields.length > 0 || [...children.values()].some((child) => child.decrypts)
  const others = plan.reading.filter(({ field }) => !children.has(field))
  return { plan, decrypts, added, computes, children, others }
}

/** The shape of rows that nobody asked for. */
export function unaskedShape(plan: ModelPlan): ReadShape {
  return { plan, decrypts: true, added: [], computes: false, children: new Map(), others: plan.reading }
}

type OwnShape = Pick<ReadShape, 'added' | 'computes'> & { readonly fields: readonly FieldPlan[] }

/**
 * A name that is no column, relation or count is a computed field of a result extension: it may need any column,
 * which Prisma then adds behind the extension's back.
 */
function ownSelected(plan: ModelPlan, select: Args): OwnShape {
  const computes = Object.keys(select).some((key) => isWanted(select[key]) && isComputed(plan, key))
  const fields = computes ? plan.encrypted : plan.encrypted.filter(({ field }) => isWanted(select[field]))
  const added = boundColumns(fields).filter((column) => !isWanted(select[column]))
  for (const column of added) select[column] = true
  return { fields, added, computes }
}

function isComputed(plan: ModelPlan, key: string): boolean {
  return key !== '_count' && !Object.hasOwn(plan.columns, key) && !plan.relations.has(key)
}

/** Without `select`, computed fields are always there, and bring back the omitted columns that they need. */
function ownRead(plan: ModelPlan, args: Args): OwnShape {
  const fields = plan.encrypted.filter(({ field }) => !isOmitted(plan, args.omit, field))
  const added = boundColumns(plan.encrypted).filter((column) => isOmitted(plan, args.omit, column))
  if (added.length > 0) {
    args.omit = { ...(args.omit as Args | undefined), ...Object.fromEntries(added.map((column) => [column, false])) }
  }
  return { fields, added, computes: true }
}

function boundColumns(fields: readonly FieldPlan[]): string[] {
  return [...new Set(fields.flatMap(({ bind }) => bind))]
}

function isOmitted(plan: ModelPlan, omit: unknown, field: string): boolean {
  const own = isPlainObject(omit) ? omit[field] : undefined
  return typeof own === 'boolean' ? own : plan.omitted.has(field)
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
    if (args.omit) selection[key] = args
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

function isWanted(value: unknown): boolean {
  return value === true || isPlainObject(value)
}
