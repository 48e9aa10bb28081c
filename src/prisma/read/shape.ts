import { checkReadable, needsKey } from '../../client/masking.js'
import type { FieldPlan, ModelPlan, RelationPlan } from '../../plan/plan.js'
import type { RowCheck } from '../query/falsePositive.js'
import { checksOf, type Query, rewriteQuery } from '../query/query.js'
import { rewriteWhere } from '../query/where.js'
import { isPlainObject } from '../values.js'

/** Which rows of a result hold encrypted fields, and what was added to the selection to decrypt them. */
export interface ReadShape {
  readonly plan: ModelPlan
  /** Encrypted fields are asked for, here or deeper. */
  readonly decrypts: boolean
  /** Columns that the caller did not ask for. */
  readonly added: readonly string[]
  /** What decrypted rows must be held against. */
  readonly checks: readonly RowCheck[]
  /** Encrypted fields that the caller did not ask for and the checks need. */
  readonly checked: readonly string[]
  /** Computed fields may need the added columns, so they stay in the row, unseen. */
  readonly computes: boolean
  readonly children: ReadonlyMap<string, ReadShape>
  /** Relations that were not asked for; an extension under this one may have done so. */
  readonly others: readonly RelationPlan[]
}

type Args = Record<string, unknown>

/**
 * Reads `select`, `include` and `omit` of an operation, rewrites the filters in them, and adds what decryption and the
 * checks of rows need to them.
 *
 * @returns `null` when no encrypted field can be reached from the model
 * @throws FieldsealError `QUERY_UNSUPPORTED` for a nested filter or order on an encrypted field; `ACCESS_DENIED` for a
 * field that the client may not read
 */
export function readShape(query: Query, args: Args): ReadShape | null {
  const { plan } = query
  if (!plan.reaches) return null
  const children = new Map<string, ReadShape>()
  collectChildren(query, args.include, children)
  collectChildren(query, args.select, children)
  const checks = typeof query.checks === 'string' ? [] : query.checks
  const checked = checkedFields(checks)
  const own = isPlainObject(args.select) ? ownSelected(query, args.select, checked) : ownRead(query, args, checked)
  const decrypts = own.fields.length > 0 || [...children.values()].some((child) => child.decrypts)
  const others = plan.reading.filter(({ field }) => !children.has(field))
  return { plan, decrypts, checks, ...own, children, others }
}

/** The shape of rows that nobody asked for. */
export function unaskedShape(plan: ModelPlan): ReadShape {
  return {
    plan,
    decrypts: true,
    added: [],
    checks: [],
    checked: [],
    computes: false,
    children: new Map(),
    others: plan.reading,
  }
}

type OwnShape = Pick<ReadShape, 'added' | 'checked' | 'computes'> & { readonly fields: readonly FieldPlan[] }

const NONE: readonly never[] = []

function checkedFields(checks: readonly RowCheck[]): readonly FieldPlan[] {
  if (checks.length === 0) return NONE
  return [...new Set(checks.flatMap(({ sources }) => sources))]
}

/**
 * A name that is no column, relation or count is a computed field of a result extension: it may need any column,
 * which Prisma then adds behind the extension's back.
 */
function ownSelected({ plan, pass }: Query, select: Args, needed: readonly FieldPlan[]): OwnShape {
  const checked = needed.map(({ field }) => field).filter((field) => !isWanted(select[field]))
  for (const field of checked) select[field] = true
  const computes = Object.keys(select).some((key) => isWanted(select[key]) && isComputed(plan, key))
  const asked = plan.encrypted.filter(({ field }) => isWanted(select[field]))
  const readable = readableFields(plan, asked)
  const fields = computes ? plan.encrypted.filter(needsKey) : readable
  const added = neededColumns(plan, fields, pass.tenancy.readsAcross).filter((column) => !isWanted(select[column]))
  for (const column of added) select[column] = true
  return { fields, added, checked, computes }
}

function isComputed(plan: ModelPlan, key: string): boolean {
  return key !== '_count' && !Object.hasOwn(plan.columns, key) && !plan.relations.has(key)
}

/** Without `select`, computed fields are always there, and bring back the omitted columns that they need. */
function ownRead({ plan, pass }: Query, args: Args, needed: readonly FieldPlan[]): OwnShape {
  const omitsNothing = args.omit === undefined && plan.omitted.size === 0
  if (omitsNothing) return { fields: readableFields(plan, plan.encrypted), added: NONE, checked: NONE, computes: true }
  const checked = needed.map(({ field }) => field).filter((field) => isOmitted(plan, args.omit, field))
  const read = plan.encrypted.filter(({ field }) => checked.includes(field) || !isOmitted(plan, args.omit, field))
  const fields = readableFields(plan, read)
  const added = neededColumns(plan, plan.encrypted, pass.tenancy.readsAcross).filter((column) =>
    isOmitted(plan, args.omit, column),
  )
  const back = [...added, ...checked].map((column) => [column, false])
  if (back.length > 0) args.omit = { ...(args.omit as Args | undefined), ...Object.fromEntries(back) }
  return { fields, added, checked, computes: true }
}

/** Of the fields that are read, those that need a key. */
function readableFields({ limit }: ModelPlan, fields: readonly FieldPlan[]): readonly FieldPlan[] {
  if (limit === undefined) return fields
  checkReadable(fields)
  return fields.filter(needsKey)
}

/**
 * What decryption needs beside the ciphertexts. One of the KMS itself does not say for which tenant it is, and who reads
 * across tenants has to hold the row's own against it.
 */
function neededColumns({ tenant }: ModelPlan, fields: readonly FieldPlan[], across: boolean): string[] {
  const own = tenant !== undefined && fields.some(({ direct }) => across || direct) ? [tenant] : []
  return [...new Set([...fields.flatMap(({ bind }) => bind), ...own])]
}

function isOmitted(plan: ModelPlan, omit: unknown, field: string): boolean {
  const own = isPlainObject(omit) ? omit[field] : undefined
  return typeof own === 'boolean' ? own : plan.omitted.has(field)
}

function collectChildren(query: Query, selection: unknown, children: Map<string, ReadShape>): void {
  if (!isPlainObject(selection)) return
  for (const [key, value] of Object.entries(selection)) {
    if (key === '_count') rewriteCounts(query, value)
    const member = query.plan.members.get(key)
    if (member?.kind !== 'relation' || !isWanted(value)) continue
    const { model, list } = member.relation
    const args = isPlainObject(value) ? value : {}
    const checks = list ? checksOf(args) : 'a relation to one row'
    const inner: Query = { ...query, plan: model, unique: false, checks }
    rewriteQuery(inner, args)
    const child = readShape(inner, args)
    if (child) children.set(key, child)
    if (args.omit) selection[key] = args
  }
}

/** `_count: { select: { posts: { where } } }` */
function rewriteCounts({ pass, plan, owner }: Query, count: unknown): void {
  const relations = isPlainObject(count) ? count.select : undefined
  if (!isPlainObject(relations)) return
  for (const [key, value] of Object.entries(relations)) {
    const member = plan.members.get(key)
    if (member?.kind === 'relation' && isPlainObject(value))
      rewriteWhere(pass, member.relation.model, value.where, owner, '"_count"')
  }
}

function isWanted(value: unknown): boolean {
  return value === true || isPlainObject(value)
}
